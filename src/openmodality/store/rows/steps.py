"""Performed procedure steps: what the RIS is told of them is in their rows before it is sent."""

from __future__ import annotations

from sqlalchemy import insert, update

from openmodality.standard.performed_step import StepStatus
from openmodality.store.listing.exams import StepRecord, read_steps
from openmodality.store.listing.reader import Json
from openmodality.store.schema import performed_steps
from openmodality.store.transaction import Snapshot, Transaction


def find_open_step(snapshot: Snapshot, exam_id: int) -> StepRecord | None:
    """The step that is in progress."""
    return next((step for step in read_steps(snapshot, exam_id) if step.state is StepStatus.IN_PROGRESS), None)


def insert_step(transaction: Transaction, exam_id: int, sop_instance_uid: str, step_id: str, n_create: Json) -> None:
    """Keep a step that begins now; ``n_create`` are the attributes of the N-CREATE, empty where no RIS is told."""
    row = {
        "exam_id": exam_id,
        "SOPInstanceUID": sop_instance_uid,
        "PerformedProcedureStepID": step_id,
        "state": StepStatus.IN_PROGRESS,
        "n_create": n_create,
        "started_at": transaction.now,
    }
    transaction.execute(insert(performed_steps).values(row))


def end_step(transaction: Transaction, step: StepRecord, state: StepStatus, at: float, n_set: Json) -> None:
    """Keep the end of a step; ``n_set`` are the attributes of the final N-SET."""
    own = performed_steps.c.id == step.id
    transaction.execute(update(performed_steps).where(own).values(state=state, ended_at=at, n_set=n_set))


def assign_uid(transaction: Transaction, sop_instance_uid: str, assigned_uid: str) -> None:
    """Keep the SOP Instance UID that the RIS has assigned to a step."""
    own = performed_steps.c.SOPInstanceUID == sop_instance_uid
    transaction.execute(update(performed_steps).where(own).values(assigned_uid=assigned_uid))

"""Performed procedure steps: what the RIS is told of them is in their rows before it is sent."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import RowMapping, insert, select, update

from openmodality.errors import StoreError
from openmodality.standard.performed_step import StepStatus
from openmodality.store.schema import Json, performed_steps
from openmodality.store.transaction import Snapshot, Transaction


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A performed procedure step of an exam."""

    id: int
    sop_instance_uid: str
    assigned_uid: str
    step_id: str
    state: StepStatus
    n_create: Json
    n_set: Json | None
    started_at: float
    ended_at: float | None

    @property
    def uid(self) -> str:
        """The UID by which the RIS knows the step."""
        return self.assigned_uid or self.sop_instance_uid


def read_steps(snapshot: Snapshot, exam_id: int) -> list[StepRecord]:
    """The performed steps of an exam, oldest first; an exam that was appended to has several."""
    statement = select(performed_steps).where(performed_steps.c.exam_id == exam_id).order_by(performed_steps.c.id)
    return [_step_of(row) for row in snapshot.execute(statement).mappings()]


def find_open_step(snapshot: Snapshot, exam_id: int) -> StepRecord | None:
    """The step that is in progress."""
    return next((step for step in read_steps(snapshot, exam_id) if step.state is StepStatus.IN_PROGRESS), None)


def read_step(snapshot: Snapshot, sop_instance_uid: str) -> StepRecord:
    """A performed step by the UID that this device gave it. Raises :class:`StoreError` where it is no longer there."""
    statement = select(performed_steps).where(performed_steps.c.SOPInstanceUID == sop_instance_uid)
    row = snapshot.execute(statement).mappings().first()
    if row is None:
        raise StoreError("the performed step of this job is no longer in the database")
    return _step_of(row)


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


def _step_of(row: RowMapping) -> StepRecord:
    return StepRecord(
        id=row["id"],
        sop_instance_uid=row["SOPInstanceUID"],
        assigned_uid=row["assigned_uid"] or "",
        step_id=row["PerformedProcedureStepID"],
        state=StepStatus(row["state"]),
        n_create=row["n_create"],
        n_set=row["n_set"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )

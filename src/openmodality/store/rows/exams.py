"""Changes the rows of exams: ``exams`` and ``exam_steps``.

They hold everything that an exam needs to go on after the process died. A series is on record before its first image is
made, so that every image on disk belongs to a known exam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import exists, insert, select, update

from openmodality.errors import WrongState
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord, read_exam
from openmodality.store.listing.reader import Json
from openmodality.store.rows.steps import find_open_step
from openmodality.store.schema import exam_steps, exams, instances, job_instances, jobs, series, studies
from openmodality.store.states import ExamState, JobKind, Origin
from openmodality.store.transaction import Snapshot, Transaction
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class ServedItem:
    """A worklist item that an exam serves, as it was when the exam was registered."""

    worklist_item_id: int
    step_id: str
    item: Json


def lock_exam(transaction: Transaction, exam_id: int) -> ExamRecord:
    """One exam, which nobody else changes before the transaction ends.

    Raises :class:`NotFound` where there is none with this number.
    """
    transaction.execute(select(exams.c.id).where(exams.c.id == exam_id).with_for_update())
    return read_exam(transaction, exam_id)


def insert_exam(
    transaction: Transaction, patient_id: int, study_instance_uid: str, user: Json, items: Sequence[ServedItem]
) -> ExamRecord:
    """Keep a new exam, registered and not yet begun, with the worklist items that it serves."""
    row = {
        "device_id": transaction.device_id,
        "patient_id": patient_id,
        "state": ExamState.REGISTERED,
        "StudyInstanceUID": study_instance_uid,
        "scheduled": bool(items),
        "created_at": transaction.now,
        "data": {"study_id": "", "user": user, "series": [], "notices": [], "ending": None},
    }
    exam_id = transaction.execute(insert(exams).values(row).returning(exams.c.id)).scalar_one()
    for item in items:
        served = {
            "exam_id": exam_id,
            "worklist_item_id": item.worklist_item_id,
            "ScheduledProcedureStepID": item.step_id,
            "item": item.item,
        }
        transaction.execute(insert(exam_steps).values(served))
    return read_exam(transaction, exam_id)


def save_exam(transaction: Transaction, exam: ExamRecord) -> None:
    """Keep state and data of an exam."""
    values = {
        "state": exam.state,
        "ended_at": exam.ended_at,
        "data": exam.data(),
        "AccessionNumber": exam.accession_number,
    }
    transaction.execute(update(exams).where(exams.c.id == exam.id).values(values))


def add_series(transaction: Transaction, exam_id: int, added: SeriesRecord) -> ExamRecord:
    """Put a series on record, once."""
    exam = lock_exam(transaction, exam_id)
    if added.series_instance_uid in {each.series_instance_uid for each in exam.series}:
        return exam
    changed = replace(exam, series=(*exam.series, added))
    save_exam(transaction, changed)
    return changed


def replace_series(transaction: Transaction, exam_id: int, changed: SeriesRecord) -> None:
    """Put what has changed of a series on record; it is found by its UID."""
    exam = lock_exam(transaction, exam_id)
    uid = changed.series_instance_uid
    save_exam(
        transaction,
        replace(exam, series=tuple(changed if each.series_instance_uid == uid else each for each in exam.series)),
    )


def describe_appending(exam_id: int) -> str:
    """The advice how to go on with an exam that has ended."""
    return f"openmodality exam acquire {exam_id} --append goes on with it, as begin() does from Python"


def lock_exam_to_add_to(transaction: Transaction, exam_id: int, step_uid: str = "") -> tuple[ExamRecord, StepRecord]:
    """An exam that takes images, and its step, until the transaction ends; ``step_uid``: only while it is this step.

    Raises :class:`UsageError` where the exam has ended, is about to end, or goes on with another step: an image that is
    added then would be in no performed step that the RIS is told of.
    """
    exam, step = lock_exam(transaction, exam_id), find_open_step(transaction, exam_id)
    if exam.state is not ExamState.IN_PROGRESS or step is None:
        raise WrongState(f"exam {exam_id} is {exam.state}", advice=describe_appending(exam_id))
    if exam.ending is not None:
        raise WrongState(
            f"exam {exam_id} is about to be {exam.ending.state}", advice=f"then {describe_appending(exam_id)}"
        )
    if step_uid not in ("", step.sop_instance_uid):
        raise WrongState(f"exam {exam_id} goes on with another performed step", advice="begin a new series")
    return exam, step


class TakesImages:
    """Asks before each image whether an exam takes it, and reads the exam again only where its rows have changed."""

    def __init__(self, exam_id: int, step_uid: str) -> None:
        self._exam_id = exam_id
        self._step_uid = step_uid
        self._seen: object = None

    def check(self, transaction: Transaction) -> None:
        """Raises as :func:`lock_exam_to_add_to` does."""
        lock = "" if transaction.dialect == "sqlite" else " FOR UPDATE"  # the only writer of SQLite needs no lock
        seen = transaction.rows(f"SELECT state, data FROM exams WHERE id = ?{lock}", (self._exam_id,))
        seen = [*seen, *transaction.rows("SELECT id, state FROM performed_steps WHERE exam_id = ?", (self._exam_id,))]
        if seen != self._seen:
            lock_exam_to_add_to(transaction, self._exam_id, self._step_uid)
            self._seen = seen


_SENT: Final = exists().where(
    job_instances.c.SOPInstanceUID == instances.c.SOPInstanceUID,
    job_instances.c.job_id == jobs.c.id,
    jobs.c.kind == JobKind.SEND,
    jobs.c.device_id == instances.c.device_id,
)


def find_instances_without_exam(snapshot: Snapshot) -> dict[str, list[tuple[str, str]]]:
    """Instances whose files told of them alone, and that are in no exam and in no send job.

    By Study Instance UID, each with its SOP Class and SOP Instance UID.
    """
    columns = (studies.c.StudyInstanceUID, instances.c.SOPClassUID, instances.c.SOPInstanceUID)
    statement = (
        select(*columns)
        .join(series, instances.c.series_id == series.c.id)
        .join(studies, series.c.study_id == studies.c.id)
        .where(
            instances.c.device_id == snapshot.device_id,
            instances.c.origin == Origin.RECOVERED,
            ~exists().where(exams.c.StudyInstanceUID == studies.c.StudyInstanceUID),
            ~_SENT,
        )
        .order_by(instances.c.id)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for study, sop_class, uid in snapshot.execute(statement):
        found.setdefault(study, []).append((sop_class, uid))
    return found


def find_exams_with_late_images(snapshot: Snapshot) -> list[int]:
    """Numbers of exams with images that came into the index after the end and are in no send job."""
    statement = (
        select(exams.c.id)
        .join(studies, studies.c.StudyInstanceUID == exams.c.StudyInstanceUID)
        .join(series, series.c.study_id == studies.c.id)
        .join(instances, instances.c.series_id == series.c.id)
        .where(
            exams.c.device_id == snapshot.device_id,
            instances.c.device_id == snapshot.device_id,
            exams.c.ended_at <= instances.c.created_at,
            instances.c.origin.in_((Origin.ACQUIRED, Origin.RECOVERED)),
            ~_SENT,
        )
        .distinct()
        .order_by(exams.c.id)
    )
    return list(snapshot.execute(statement).scalars())

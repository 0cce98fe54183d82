"""What is kept of an exam, in the words of the database: rows of ``exams``, ``exam_steps`` and ``performed_steps``.

Everything that an exam needs to go on after the process died is here. A series is on record before its first image is
made, so that every image on disk belongs to a known exam.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from pydicom import Dataset
from sqlalchemy import Connection, RowMapping, insert, select, update

from openmodality.errors import NotFound, WrongState
from openmodality.store.schema import exam_steps, exams, performed_steps

REGISTERED, IN_PROGRESS, COMPLETED, DISCONTINUED = "REGISTERED", "IN PROGRESS", "COMPLETED", "DISCONTINUED"

Json = dict[str, Any]


def to_json(data_set: Dataset) -> Json:
    """A data set as the database keeps it (PS3.18 Annex F); elements that no JSON can hold are left out."""
    return dict(data_set.to_json_dict(suppress_invalid_tags=True))


def from_json(value: Mapping[str, Any]) -> Dataset:
    """A data set that was kept."""
    return Dataset.from_json(dict(value))


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """A series of an exam; ``object_name`` is the profile's, ``attributes`` are the same for all its images."""

    series_instance_uid: str
    number: int
    object_name: str
    modality: str
    description: str
    started: float
    step_uid: str
    frame_of_reference_uid: str = ""
    images: int = 1
    attributes: Json = field(default_factory=dict)
    events: tuple[Json, ...] = ()

    def to_json(self) -> Json:
        values = {name: getattr(self, name) for name in self.__slots__}
        return values | {"events": list(self.events)}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(**value | {"events": tuple(value["events"])})


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step is to end: decided, on record, and carried out even when the process dies in between."""

    state: str
    at: float
    reason: str = ""

    def to_json(self) -> Json:
        return {"state": self.state, "at": self.at, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class ExamRecord:
    """An exam. ``user`` holds what the operator typed, ``items`` the worklist items that the exam serves."""

    id: int
    state: str
    study_instance_uid: str
    accession_number: str
    scheduled: bool
    created_at: float
    ended_at: float | None
    study_id: str
    user: Json
    items: tuple[Json, ...]
    series: tuple[SeriesRecord, ...] = ()
    notices: tuple[str, ...] = ()
    ending: Ending | None = None

    @property
    def started(self) -> datetime:
        """When the exam was started, in local time."""
        return datetime.fromtimestamp(self.created_at)

    def data(self) -> Json:
        """The ``data`` column."""
        return {
            "study_id": self.study_id,
            "user": self.user,
            "series": [series.to_json() for series in self.series],
            "notices": list(self.notices),
            "ending": self.ending.to_json() if self.ending else None,
        }


@dataclass(frozen=True, slots=True)
class StepRecord:
    """A performed procedure step of an exam."""

    id: int
    sop_instance_uid: str
    assigned_uid: str
    step_id: str
    state: str
    n_create: Json
    n_set: Json | None
    started_at: float
    ended_at: float | None

    @property
    def uid(self) -> str:
        """The UID by which the RIS knows the step."""
        return self.assigned_uid or self.sop_instance_uid


def read_exam(connection: Connection, exam_id: int, *, locked: bool = False) -> ExamRecord:
    """One exam; ``locked``: nobody else changes it before this transaction ends.

    Raises ``UsageError`` when there is none with this number.
    """
    statement = select(exams).where(exams.c.id == exam_id)
    row = connection.execute(statement.with_for_update() if locked else statement).mappings().first()
    if row is None:
        raise NotFound(f"there is no exam {exam_id}", advice="openmodality exam list shows all")
    return _exam(connection, row)


def read_exams(connection: Connection, states: Sequence[str] = ()) -> list[ExamRecord]:
    """Exams in these states, or all, newest first."""
    statement = select(exams).order_by(exams.c.id.desc())
    if states:
        statement = statement.where(exams.c.state.in_(list(states)))
    return [_exam(connection, row) for row in connection.execute(statement).mappings().all()]


def insert_exam(connection: Connection, values: Mapping[str, object]) -> int:
    """A new row of ``exams``; its number."""
    return int(connection.execute(insert(exams).values(values).returning(exams.c.id)).scalar_one())


def insert_item(connection: Connection, exam_id: int, item: Json, worklist_item_id: int | None, step_id: str) -> None:
    """Note a worklist item that the exam serves, as it was when the exam started."""
    row = {
        "exam_id": exam_id,
        "worklist_item_id": worklist_item_id,
        "ScheduledProcedureStepID": step_id,
        "item": item,
    }
    connection.execute(insert(exam_steps).values(row))


def save_exam(connection: Connection, exam: ExamRecord) -> None:
    """Keep state and data of an exam."""
    values = {
        "state": exam.state,
        "ended_at": exam.ended_at,
        "data": exam.data(),
        "AccessionNumber": exam.accession_number,
    }
    connection.execute(update(exams).where(exams.c.id == exam.id).values(values))


def add_series(connection: Connection, exam_id: int, series: SeriesRecord) -> ExamRecord:
    """Put a series on record, once."""
    exam = read_exam(connection, exam_id, locked=True)
    if series.series_instance_uid in {each.series_instance_uid for each in exam.series}:
        return exam
    changed = replace(exam, series=(*exam.series, series))
    save_exam(connection, changed)
    return changed


def steps_of(connection: Connection, exam_id: int) -> list[StepRecord]:
    """The performed steps of an exam, oldest first; an exam that was appended to has several."""
    statement = select(performed_steps).where(performed_steps.c.exam_id == exam_id).order_by(performed_steps.c.id)
    return [_step(row) for row in connection.execute(statement).mappings()]


def open_step(connection: Connection, exam_id: int) -> StepRecord | None:
    """The step that is in progress."""
    return next((step for step in steps_of(connection, exam_id) if step.state == IN_PROGRESS), None)


def exam_to_add_to(connection: Connection, exam_id: int, step_uid: str = "") -> tuple[ExamRecord, StepRecord]:
    """An exam that takes images, and its step, until the transaction ends; ``step_uid``: only while it is this step.

    Raises :class:`UsageError` where it has ended, is about to, or goes on with another step: what is added then would
    be in no performed step that the RIS is told of.
    """
    exam, step = read_exam(connection, exam_id, locked=True), open_step(connection, exam_id)
    if exam.state != IN_PROGRESS or step is None:
        raise WrongState(f"exam {exam_id} is {exam.state}", advice="begin it again to append to it")
    if exam.ending is not None:
        raise WrongState(f"exam {exam_id} is about to be {exam.ending.state}", advice="append to it once it has ended")
    if step_uid not in ("", step.sop_instance_uid):
        raise WrongState(f"exam {exam_id} goes on with another performed step", advice="begin a new series")
    return exam, step


def _exam(connection: Connection, row: RowMapping) -> ExamRecord:
    statement = select(exam_steps.c.item).where(exam_steps.c.exam_id == row["id"]).order_by(exam_steps.c.id)
    data = row["data"]
    return ExamRecord(
        id=row["id"],
        state=row["state"],
        study_instance_uid=row["StudyInstanceUID"],
        accession_number=row["AccessionNumber"],
        scheduled=row["scheduled"],
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        study_id=data["study_id"],
        user=data["user"],
        items=tuple(connection.execute(statement).scalars()),
        series=tuple(SeriesRecord.from_json(each) for each in data["series"]),
        notices=tuple(data["notices"]),
        ending=Ending(**data["ending"]) if data["ending"] else None,
    )


def _step(row: RowMapping) -> StepRecord:
    return StepRecord(
        id=row["id"],
        sop_instance_uid=row["SOPInstanceUID"],
        assigned_uid=row["assigned_uid"] or "",
        step_id=row["PerformedProcedureStepID"],
        state=row["state"],
        n_create=row["n_create"],
        n_set=row["n_set"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )

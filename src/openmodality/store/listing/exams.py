"""Exams and their performed steps as values, and the queries that read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from datetime import datetime
from typing import Final, Self

from openmodality.errors import NotFound, StoreError
from openmodality.standard.performed_step import StepStatus
from openmodality.store.listing.item_text import text_of
from openmodality.store.listing.reader import Json, Reader, StoredRow, combine, decode_json, is_one_of
from openmodality.store.states import ExamState
from openmodality.value_class import dataclass

_EXAMS: Final = (
    'SELECT id, state, "StudyInstanceUID", "AccessionNumber", scheduled, data, created_at, ended_at FROM exams'
)
_NO_LIMIT: Final = 2**63 - 1
_STEPS: Final = (
    'SELECT id, "SOPInstanceUID", assigned_uid, "PerformedProcedureStepID", state, n_create, n_set'
    ", started_at, ended_at FROM performed_steps"
)


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

    def to_json(self) -> Json:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, value: Json) -> Self:
        return cls(**{name: value[name] for name in cls.__slots__ if name in value})


@dataclass(frozen=True, slots=True)
class Ending:
    """How a step is to end: decided, on record, and carried out even when the process dies in between."""

    state: StepStatus
    at: float
    reason: str = ""

    def to_json(self) -> Json:
        return {"state": self.state, "at": self.at, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class ExamRecord:
    """An exam. ``user`` holds what the operator typed, ``items`` the worklist items that the exam serves."""

    id: int
    state: ExamState
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

    def text(self, tag: int) -> str:
        """What the worklist, else the operator, says of the exam; empty where neither does."""
        return next((value for item in (*self.items, self.user) if (value := text_of(item, tag))), "")

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
    state: StepStatus
    n_create: Json
    n_set: Json | None
    started_at: float
    ended_at: float | None

    @property
    def uid(self) -> str:
        """The UID by which the RIS knows the step."""
        return self.assigned_uid or self.sop_instance_uid


def read_exam(reader: Reader, exam_id: int) -> ExamRecord:
    """One exam. Raises :class:`NotFound` where there is none with this number."""
    rows = reader.rows(f"{_EXAMS} WHERE id = ? AND device_id = ?", (exam_id, reader.device_id))
    if not rows:
        raise NotFound(f"there is no exam {exam_id}", advice="openmodality exam list shows all")
    return _exam_of(reader, rows[0])


def read_exams(
    reader: Reader, states: Sequence[str] = (), *, before: int | None = None, limit: int | None = None
) -> list[ExamRecord]:
    """Exams in these states, or all, newest first; only those with a number below ``before``."""
    fits = is_one_of("state", [str(state) for state in states]) if states else combine([])
    most = _NO_LIMIT if before is None else before
    sql = f"{_EXAMS} WHERE device_id = ? AND id < ? AND {fits.sql} ORDER BY id DESC LIMIT ?"
    rows = reader.rows(sql, (reader.device_id, most, *fits.values, _NO_LIMIT if limit is None else limit))
    return [_exam_of(reader, row) for row in rows]


def read_steps(reader: Reader, exam_id: int) -> list[StepRecord]:
    """The performed steps of an exam, oldest first; an exam that was appended to has several."""
    return [_step_of(row) for row in reader.rows(f"{_STEPS} WHERE exam_id = ? ORDER BY id", (exam_id,))]


def read_step(reader: Reader, sop_instance_uid: str) -> StepRecord:
    """A performed step by the UID that this device gave it. Raises :class:`StoreError` where it is no longer there."""
    rows = reader.rows(f'{_STEPS} WHERE "SOPInstanceUID" = ?', (sop_instance_uid,))
    if not rows:
        raise StoreError("the performed step of this job is no longer in the database")
    return _step_of(rows[0])


def _exam_of(reader: Reader, row: StoredRow) -> ExamRecord:
    items = reader.rows("SELECT item FROM exam_steps WHERE exam_id = ? ORDER BY id", (row["id"],))
    data = decode_json(row["data"])
    return ExamRecord(
        id=row["id"],
        state=ExamState(row["state"]),
        study_instance_uid=row["StudyInstanceUID"],
        accession_number=row["AccessionNumber"],
        scheduled=bool(row["scheduled"]),
        created_at=row["created_at"],
        ended_at=row["ended_at"],
        study_id=data["study_id"],
        user=data["user"],
        items=tuple(decode_json(item["item"]) for item in items),
        series=tuple(SeriesRecord.from_json(each) for each in data["series"]),
        notices=tuple(data["notices"]),
        ending=_read_ending(data["ending"]) if data["ending"] else None,
    )


def _read_ending(value: Json) -> Ending:
    return Ending(StepStatus(value["state"]), value["at"], value["reason"])


def _step_of(row: StoredRow) -> StepRecord:
    return StepRecord(
        id=row["id"],
        sop_instance_uid=row["SOPInstanceUID"],
        assigned_uid=row["assigned_uid"] or "",
        step_id=row["PerformedProcedureStepID"],
        state=StepStatus(row["state"]),
        n_create=decode_json(row["n_create"]),
        n_set=decode_json(row["n_set"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )

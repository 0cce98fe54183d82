"""The tables of the local database, for SQLite and PostgreSQL alike.

Columns that hold an attribute bear its keyword (PS3.6), in the form that the data set has it: dates as ``YYYYMMDD``,
names with their components. Other columns are ours and in lower case. Times are seconds since the epoch, UTC. What
must never happen is said here as a constraint, so that no code path can do it.

Job rows, events and reasons hold UIDs and words, never patient data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import BigInteger

from openmodality.standard.performed_step import StepStatus
from openmodality.store.index_columns import (
    INSTANCE_ATTRIBUTES,
    PATIENT_ATTRIBUTES,
    SERIES_ATTRIBUTES,
    STUDY_ATTRIBUTES,
)
from openmodality.store.states import (
    FINISHED_JOBS,
    UNFINISHED_JOBS,
    ExamState,
    InstanceCommitment,
    InstanceResult,
    JobKind,
    JobState,
    Origin,
    RequestState,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


_LONG = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a column of type INTEGER


def _list_values(values: Iterable[str]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def _one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN {_list_values(values)}", name=column)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _uid(name: str, *, unique: bool = False) -> Column[str]:
    return Column(name, String(64), nullable=False, unique=unique)


def _attributes(vrs: Mapping[str, str], *, unique: str = "") -> list[Column[str]]:
    """A column for each attribute; a UID has the length of its VR (PS3.5 6.2), all else may be longer than allowed."""
    return [_uid(name, unique=name == unique) if vr == "UI" else _text(name) for name, vr in vrs.items()]


def _parent(name: str, target: str, *, ondelete: str, nullable: bool = False, index: bool = True) -> Column[int]:
    return Column(name, _LONG, ForeignKey(target, ondelete=ondelete), nullable=nullable, index=index)


def keywords_of(table: Table) -> tuple[str, ...]:
    """The columns of a table that hold attributes: those named by a keyword."""
    return tuple(column.name for column in table.columns if column.name[0].isupper())


patients = Table(
    "patients",
    metadata,
    Column("id", _LONG, primary_key=True),
    *_attributes(PATIENT_ATTRIBUTES),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("PatientID", "IssuerOfPatientID"),
)

studies = Table(
    "studies",
    metadata,
    Column("id", _LONG, primary_key=True),
    _parent("patient_id", "patients.id", ondelete="RESTRICT"),
    *_attributes(STUDY_ATTRIBUTES, unique="StudyInstanceUID"),
    Column("created_at", Float, nullable=False),
    Index(None, "StudyDate"),
    Index(None, "AccessionNumber"),
)

series = Table(
    "series",
    metadata,
    Column("id", _LONG, primary_key=True),
    _parent("study_id", "studies.id", ondelete="RESTRICT"),
    *_attributes(SERIES_ATTRIBUTES, unique="SeriesInstanceUID"),
    Column("created_at", Float, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("id", _LONG, primary_key=True),
    _parent("series_id", "series.id", ondelete="RESTRICT"),
    *_attributes(INSTANCE_ATTRIBUTES, unique="SOPInstanceUID"),
    Column("bucket", String(2), nullable=False, index=True),
    Column("length_bytes", BigInteger, nullable=False),
    Column("origin", String(9), nullable=False),
    Column("listed", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", Float, nullable=False),
    _one_of("origin", Origin),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("SOPInstanceUID", String(64), primary_key=True),
    Column("modified_ns", BigInteger, nullable=False),
)

worklist_items = Table(
    "worklist_items",
    metadata,
    Column("id", _LONG, primary_key=True),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    _text("PatientID"),
    _text("IssuerOfPatientID"),
    _text("PatientName"),
    _text("AccessionNumber"),
    _text("RequestedProcedureID"),
    _text("StudyInstanceUID"),
    _text("ScheduledProcedureStepID"),
    _text("ScheduledProcedureStepStartDate"),
    _text("ScheduledProcedureStepStartTime"),
    _text("ScheduledStationAETitle"),
    _text("Modality"),
    Column("item", JSON, nullable=False),
    Column("defects", JSON, nullable=False),
    Column("current", Boolean, nullable=False, server_default=text("true")),
    Column("received_at", Float, nullable=False),
    UniqueConstraint("source", "key"),
)

exams = Table(
    "exams",
    metadata,
    Column("id", _LONG, primary_key=True),
    _parent("patient_id", "patients.id", ondelete="SET NULL", nullable=True),
    Column("state", String(12), nullable=False),
    Column("StudyInstanceUID", String(64), nullable=False, index=True),
    _text("AccessionNumber"),
    Column("scheduled", Boolean, nullable=False),
    Column("data", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    _one_of("state", ExamState),
)

performed_steps = Table(
    "performed_steps",
    metadata,
    Column("id", _LONG, primary_key=True),
    _parent("exam_id", "exams.id", ondelete="CASCADE", nullable=True),
    _uid("SOPInstanceUID", unique=True),
    Column("assigned_uid", String(64)),
    _text("PerformedProcedureStepID"),
    Column("state", String(12), nullable=False),
    Column("n_create", JSON, nullable=False),
    Column("n_set", JSON),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    _one_of("state", StepStatus),
    CheckConstraint(f"state = '{StepStatus.IN_PROGRESS}' OR n_set IS NOT NULL", name="ended_has_n_set"),
)

exam_steps = Table(
    "exam_steps",
    metadata,
    Column("id", _LONG, primary_key=True),
    _parent("exam_id", "exams.id", ondelete="CASCADE"),
    _parent("worklist_item_id", "worklist_items.id", ondelete="SET NULL", nullable=True),
    _parent("performed_step_id", "performed_steps.id", ondelete="SET NULL", nullable=True),
    _text("ScheduledProcedureStepID"),
    Column("item", JSON, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", _LONG, primary_key=True),
    Column("kind", String(11), nullable=False),
    Column("state", String(9), nullable=False),
    Column("destination", Text, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("unique_key", Text),
    Column("order_key", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("max_retries", Integer, nullable=False),
    Column("retry_delay_s", Float, nullable=False),
    Column("retry_permanent", Boolean, nullable=False, server_default=text("false")),
    Column("due_at", Float),
    Column("due_after_s", Float, nullable=False, server_default="0"),
    Column("peer_away", Boolean, nullable=False, server_default=text("false")),
    Column("cancelled_after", _LONG),
    Column("waiting_for", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("worker", Text),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    _one_of("kind", JobKind),
    _one_of("state", JobState),
    CheckConstraint(f"(state = '{JobState.DOING}') = (worker IS NOT NULL)", name="doing_has_worker"),
    CheckConstraint(f"state <> '{JobState.TODO}' OR due_at IS NOT NULL", name="todo_has_due"),
    CheckConstraint(f"(state IN {_list_values(FINISHED_JOBS)}) = (finished_at IS NOT NULL)", name="finished_has_time"),
    Index(
        "one_association_per_destination",
        "destination",
        unique=True,
        sqlite_where=text(f"state = '{JobState.DOING}'"),
        postgresql_where=text(f"state = '{JobState.DOING}'"),
    ),
    Index(
        "same_job_once",
        "unique_key",
        unique=True,
        sqlite_where=text(f"state IN {_list_values(UNFINISHED_JOBS)}"),
        postgresql_where=text(f"state IN {_list_values(UNFINISHED_JOBS)}"),
    ),
    Index(None, "state", "due_at"),
    Index(None, "order_key"),
    sqlite_autoincrement=True,
)

job_dependencies = Table(
    "job_dependencies",
    metadata,
    Column("job_id", _LONG, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("after_id", _LONG, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, index=True),
    CheckConstraint("after_id < job_id", name="no_cycle"),
)

job_instances = Table(
    "job_instances",
    metadata,
    Column("job_id", _LONG, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("SOPInstanceUID", String(64), primary_key=True, index=True),
    Column("SOPClassUID", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("result", String(7), nullable=False, server_default=InstanceResult.PENDING),
    Column("status", Integer),
    Column("comment", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("at", Float),
    _one_of("result", InstanceResult),
)

commitments = Table(
    "commitments",
    metadata,
    Column("id", _LONG, primary_key=True),
    _uid("TransactionUID", unique=True),
    Column("destination", Text, nullable=False),
    Column("ae_title", Text, nullable=False, server_default=""),
    _parent("job_id", "jobs.id", ondelete="SET NULL", nullable=True),
    Column("state", String(9), nullable=False),
    Column("superseded", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("answered_at", Float),
    _one_of("state", RequestState),
)

commitment_instances = Table(
    "commitment_instances",
    metadata,
    Column("commitment_id", _LONG, ForeignKey("commitments.id", ondelete="CASCADE"), primary_key=True),
    Column("SOPInstanceUID", String(64), primary_key=True, index=True),
    Column("SOPClassUID", String(64), nullable=False),
    Column("result", String(9), nullable=False, server_default=InstanceCommitment.PENDING),
    Column("FailureReason", Integer),
    _one_of("result", InstanceCommitment),
)

events = Table(
    "events",
    metadata,
    Column("id", _LONG, primary_key=True),
    Column("at", Float, nullable=False),
    Column("subject", String(16), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("name", String(32), nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Index(None, "subject", "subject_id"),
    sqlite_autoincrement=True,
)

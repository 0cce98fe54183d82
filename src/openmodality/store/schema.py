"""The tables of the local database, for SQLite and PostgreSQL alike.

Columns that hold an attribute bear its keyword (PS3.6), in the form that the data set has it: dates as ``YYYYMMDD``,
names with their components. Other columns are ours and in lower case. Times are seconds since the epoch, UTC. What
must never happen is said here as a constraint, so that no code path can do it.

A database may be that of several devices (ADR 47): what one of them has, does or was told bears its ``device_id``, the
number of its row in ``devices``. Patients, studies and series are everybody's. In a SQLite file there is one device, 1.

Job rows, events and reasons hold UIDs and words, never patient data.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import BigInteger

from openmodality.standard.performed_step import StepStatus
from openmodality.store.columns import (
    LONG,
    list_values,
    make_attributes,
    make_choice,
    make_device,
    make_parent,
    make_searched_column,
    make_text_column,
    make_uid,
    metadata,
)
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
    ProblemKind,
    RequestState,
)

devices = Table(
    "devices",
    metadata,
    Column("id", LONG, primary_key=True),
    Column("device", String(36), nullable=False, unique=True),
    Column("profile", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("host", Text, nullable=False, server_default=""),
    Column("folder", Text, nullable=False, server_default=""),
    Column("worker", Text, nullable=False, server_default=""),
    Column("lease_until", Float),
    Column("created_at", Float, nullable=False),
)

patients = Table(
    "patients",
    metadata,
    Column("id", LONG, primary_key=True),
    *make_attributes(PATIENT_ATTRIBUTES),
    make_searched_column("alphabetic_name"),
    make_searched_column("ideographic_name"),
    make_searched_column("phonetic_name"),
    Column("identity", String(64), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Index(None, "PatientID", "IssuerOfPatientID"),
    Index(None, "alphabetic_name"),
    Index(None, "ideographic_name"),
    Index(None, "phonetic_name"),
)
"""Who is one patient is decided in ``rows.patients``; ``identity`` keeps two processes from adding one twice.

The three names are the component groups of the Patient's Name as names are compared.
"""

studies = Table(
    "studies",
    metadata,
    Column("id", LONG, primary_key=True),
    make_parent("patient_id", "patients.id", ondelete="RESTRICT"),
    *make_attributes(STUDY_ATTRIBUTES, unique="StudyInstanceUID"),
    Column("created_at", Float, nullable=False),
    Index(None, "StudyDate", "StudyTime", "id"),
    Index(None, "AccessionNumber"),
)

series = Table(
    "series",
    metadata,
    Column("id", LONG, primary_key=True),
    make_parent("study_id", "studies.id", ondelete="RESTRICT"),
    *make_attributes(SERIES_ATTRIBUTES, unique="SeriesInstanceUID"),
    Column("created_at", Float, nullable=False),
)

instances = Table(
    "instances",
    metadata,
    Column("id", LONG, primary_key=True),
    make_device(),
    make_parent("series_id", "series.id", ondelete="RESTRICT", index=False),
    *make_attributes(INSTANCE_ATTRIBUTES),
    Column("bucket", String(2), nullable=False, index=True),
    Column("length_bytes", BigInteger, nullable=False),
    Column("origin", String(9), nullable=False),
    Column("listed", Boolean, nullable=False, server_default=text("true")),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("SOPInstanceUID", "device_id"),
    Index(None, "series_id", "device_id", "listed"),
    make_choice("origin", Origin),
)

tombstones = Table(
    "tombstones",
    metadata,
    make_device(primary_key=True),
    Column("SOPInstanceUID", String(64), primary_key=True),
    Column("modified_ns", BigInteger, nullable=False),
)

unnamed_files = Table(
    "unnamed_files",
    metadata,
    make_device(primary_key=True),
    Column("SOPInstanceUID", String(64), primary_key=True),
    Column("temporary", Text, nullable=False),
)

problems = Table(
    "problems",
    metadata,
    Column("id", LONG, primary_key=True),
    make_device(),
    Column("kind", String(13), nullable=False),
    make_text_column("SOPInstanceUID"),
    Column("file", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("origin", String(9), nullable=False),
    Column("source", Text, nullable=False, server_default=""),
    Column("created_at", Float, nullable=False),
    Column("dismissed_at", Float),
    UniqueConstraint("device_id", "kind", "file"),
    make_choice("kind", ProblemKind),
    make_choice("origin", Origin),
    sqlite_autoincrement=True,
)

worklist_items = Table(
    "worklist_items",
    metadata,
    Column("id", LONG, primary_key=True),
    make_device(),
    Column("source", Text, nullable=False),
    Column("key", Text, nullable=False),
    make_text_column("PatientID"),
    make_text_column("IssuerOfPatientID"),
    make_text_column("PatientName"),
    make_text_column("AccessionNumber"),
    make_text_column("RequestedProcedureID"),
    make_text_column("StudyInstanceUID"),
    make_text_column("ScheduledProcedureStepID"),
    make_text_column("ScheduledProcedureStepStartDate"),
    make_text_column("ScheduledProcedureStepStartTime"),
    make_text_column("ScheduledStationAETitle"),
    make_text_column("Modality"),
    Column("item", JSON, nullable=False),
    Column("defects", JSON, nullable=False),
    Column("current", Boolean, nullable=False, server_default=text("true")),
    Column("received_at", Float, nullable=False),
    UniqueConstraint("device_id", "source", "key"),
)

exams = Table(
    "exams",
    metadata,
    Column("id", LONG, primary_key=True),
    make_device(),
    make_parent("patient_id", "patients.id", ondelete="SET NULL", nullable=True),
    Column("state", String(12), nullable=False),
    Column("StudyInstanceUID", String(64), nullable=False, index=True),
    make_text_column("AccessionNumber"),
    Column("scheduled", Boolean, nullable=False),
    Column("data", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("ended_at", Float),
    make_choice("state", ExamState),
)

performed_steps = Table(
    "performed_steps",
    metadata,
    Column("id", LONG, primary_key=True),
    make_parent("exam_id", "exams.id", ondelete="CASCADE", nullable=True),
    make_uid("SOPInstanceUID", unique=True),
    Column("assigned_uid", String(64)),
    make_text_column("PerformedProcedureStepID"),
    Column("state", String(12), nullable=False),
    Column("n_create", JSON, nullable=False),
    Column("n_set", JSON),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    make_choice("state", StepStatus),
    CheckConstraint(f"state = '{StepStatus.IN_PROGRESS}' OR n_set IS NOT NULL", name="ended_has_n_set"),
)

exam_steps = Table(
    "exam_steps",
    metadata,
    Column("id", LONG, primary_key=True),
    make_parent("exam_id", "exams.id", ondelete="CASCADE"),
    make_parent("worklist_item_id", "worklist_items.id", ondelete="SET NULL", nullable=True),
    make_text_column("ScheduledProcedureStepID"),
    Column("item", JSON, nullable=False),
)

irradiation_events = Table(
    "irradiation_events",
    metadata,
    Column("id", LONG, primary_key=True),
    make_parent("exam_id", "exams.id", ondelete="CASCADE"),
    Column("IrradiationEventUID", String(64), nullable=False, unique=True),
    Column("step_uid", String(64), nullable=False, server_default=""),
    Column("SeriesInstanceUID", String(64), nullable=False, server_default=""),
    Column("event", JSON, nullable=False),
)

irradiation_images = Table(
    "irradiation_images",
    metadata,
    Column("SOPInstanceUID", String(64), primary_key=True),
    make_parent("event_id", "irradiation_events.id", ondelete="CASCADE"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", LONG, primary_key=True),
    make_device(),
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
    Column("cancelled_after", LONG),
    Column("waiting_for", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("worker", Text),
    Column("lease_until", Float),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float),
    Column("finished_at", Float),
    make_choice("kind", JobKind),
    make_choice("state", JobState),
    CheckConstraint(f"(state = '{JobState.DOING}') = (worker IS NOT NULL)", name="doing_has_worker"),
    CheckConstraint(f"state <> '{JobState.TODO}' OR due_at IS NOT NULL", name="todo_has_due"),
    CheckConstraint(f"(state IN {list_values(FINISHED_JOBS)}) = (finished_at IS NOT NULL)", name="finished_has_time"),
    Index(
        "one_association_per_destination",
        "device_id",
        "destination",
        unique=True,
        sqlite_where=text(f"state = '{JobState.DOING}'"),
    ),
    Index(
        "same_job_once",
        "device_id",
        "unique_key",
        unique=True,
        sqlite_where=text(f"state IN {list_values(UNFINISHED_JOBS)}"),
    ),
    Index(None, "device_id", "state", "due_at"),
    Index(None, "order_key"),
    sqlite_autoincrement=True,
)

job_dependencies = Table(
    "job_dependencies",
    metadata,
    Column("job_id", LONG, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("after_id", LONG, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True, index=True),
    CheckConstraint("after_id < job_id", name="no_cycle"),
)

job_instances = Table(
    "job_instances",
    metadata,
    Column("job_id", LONG, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("SOPInstanceUID", String(64), primary_key=True, index=True),
    Column("SOPClassUID", String(64), nullable=False),
    Column("number", Integer, nullable=False),
    Column("result", String(7), nullable=False, server_default=InstanceResult.PENDING),
    Column("status", Integer),
    Column("comment", Text, nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("at", Float),
    make_choice("result", InstanceResult),
)

commitments = Table(
    "commitments",
    metadata,
    Column("id", LONG, primary_key=True),
    make_device(),
    make_uid("TransactionUID", unique=True),
    Column("destination", Text, nullable=False),
    Column("ae_title", Text, nullable=False, server_default=""),
    make_parent("job_id", "jobs.id", ondelete="SET NULL", nullable=True),
    Column("state", String(9), nullable=False),
    Column("superseded", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("answered_at", Float),
    make_choice("state", RequestState),
)

commitment_instances = Table(
    "commitment_instances",
    metadata,
    Column("commitment_id", LONG, ForeignKey("commitments.id", ondelete="CASCADE"), primary_key=True),
    Column("SOPInstanceUID", String(64), primary_key=True, index=True),
    Column("SOPClassUID", String(64), nullable=False),
    Column("result", String(9), nullable=False, server_default=InstanceCommitment.PENDING),
    Column("FailureReason", Integer),
    make_choice("result", InstanceCommitment),
)

events = Table(
    "events",
    metadata,
    Column("id", LONG, primary_key=True),
    Column("at", Float, nullable=False),
    Column("subject", String(16), nullable=False),
    Column("subject_id", String(64), nullable=False),
    Column("name", String(32), nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Index(None, "subject", "subject_id"),
    sqlite_autoincrement=True,
)

console_users = Table(
    "console_users",
    metadata,
    Column("id", LONG, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    make_text_column("roles"),
    make_text_column("password"),
    Column("created_at", Float, nullable=False),
    Column("disabled_at", Float),
)
"""Who operates the devices of this database; ``password`` is a hash, and empty until its owner has chosen one."""

console_links = Table(
    "console_links",
    metadata,
    Column("id", LONG, primary_key=True),
    make_parent("user_id", "console_users.id", ondelete="CASCADE", nullable=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("expires_at", Float, nullable=False),
)
"""Links that work once: to choose a password, and, without a user, to make the first one."""

console_sessions = Table(
    "console_sessions",
    metadata,
    Column("id", LONG, primary_key=True),
    make_device(),
    make_parent("user_id", "console_users.id", ondelete="CASCADE"),
    Column("digest", String(64), nullable=False, unique=True),
    make_text_column("address"),
    Column("created_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
)

console_tokens = Table(
    "console_tokens",
    metadata,
    Column("id", LONG, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("digest", String(64), nullable=False, unique=True),
    make_text_column("scopes"),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
)
"""What programs show in place of a session. Of session, link and token only the SHA-256 is kept."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("id", LONG, primary_key=True),
    make_device(),
    Column("owner", String(80), nullable=False),
    Column("key", String(255), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("boot", String(32), nullable=False),
    Column("created_at", Float, nullable=False, index=True),
    Column("status", Integer),
    make_text_column("headers"),
    make_text_column("body"),
    UniqueConstraint("device_id", "owner", "key"),
)
"""Requests of programs that are to be done once: what was asked by whom, and the answer once there is one."""

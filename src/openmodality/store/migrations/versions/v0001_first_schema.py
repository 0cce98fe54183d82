"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _events()
    _jobs()
    _jobs_indexes()
    _patients()
    _tombstones()
    _worklist_items()
    _commitments()
    _exams()
    _job_dependencies()
    _job_instances()
    _studies()
    _commitment_instances()
    _performed_steps()
    _series()
    _exam_steps()
    _instances()


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_events_subject_events_subject_id"), "events", ["subject", "subject_id"], unique=False)


def _jobs_indexes() -> None:
    op.create_index(op.f("ix_jobs_order_key"), "jobs", ["order_key"], unique=False)
    op.create_index(op.f("ix_jobs_state_jobs_due_at"), "jobs", ["state", "due_at"], unique=False)
    op.create_index(
        "one_association_per_destination",
        "jobs",
        ["destination"],
        unique=True,
        sqlite_where=sa.text("state = 'doing'"),
        postgresql_where=sa.text("state = 'doing'"),
    )
    op.create_index(
        "same_job_once",
        "jobs",
        ["unique_key"],
        unique=True,
        sqlite_where=sa.text("state IN ('todo', 'doing', 'waiting')"),
        postgresql_where=sa.text("state IN ('todo', 'doing', 'waiting')"),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=11), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("unique_key", sa.Text(), nullable=True),
        sa.Column("order_key", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("max_retries", sa.Integer(), nullable=False),
        sa.Column("retry_delay_s", sa.Float(), nullable=False),
        sa.Column("retry_permanent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("due_at", sa.Float(), nullable=True),
        sa.Column("waiting_for", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.CheckConstraint("(state = 'doing') = (worker IS NOT NULL)", name=op.f("ck_jobs_doing_has_worker")),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_jobs_finished_has_time"),
        ),
        sa.CheckConstraint(
            "kind IN ('send', 'commit', 'mpps_create', 'mpps_set', 'print', 'media', 'retrieve')",
            name=op.f("ck_jobs_kind"),
        ),
        sa.CheckConstraint("state <> 'todo' OR due_at IS NOT NULL", name=op.f("ck_jobs_todo_has_due")),
        sa.CheckConstraint(
            "state IN ('todo', 'doing', 'waiting', 'done', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sqlite_autoincrement=True,
    )


def _patients() -> None:
    op.create_table(
        "patients",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("PatientID", sa.Text(), server_default="", nullable=False),
        sa.Column("IssuerOfPatientID", sa.Text(), server_default="", nullable=False),
        sa.Column("PatientName", sa.Text(), server_default="", nullable=False),
        sa.Column("PatientBirthDate", sa.Text(), server_default="", nullable=False),
        sa.Column("PatientBirthTime", sa.Text(), server_default="", nullable=False),
        sa.Column("PatientSex", sa.Text(), server_default="", nullable=False),
        sa.Column("OtherPatientIDs", sa.Text(), server_default="", nullable=False),
        sa.Column("OtherPatientNames", sa.Text(), server_default="", nullable=False),
        sa.Column("EthnicGroup", sa.Text(), server_default="", nullable=False),
        sa.Column("PatientComments", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("PatientID", "IssuerOfPatientID", name=op.f("uq_patients_PatientID_IssuerOfPatientID")),
    )


def _tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("SOPInstanceUID", name=op.f("pk_tombstones")),
    )


def _worklist_items() -> None:
    op.create_table(
        "worklist_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("PatientID", sa.Text(), server_default="", nullable=False),
        sa.Column("IssuerOfPatientID", sa.Text(), server_default="", nullable=False),
        sa.Column("PatientName", sa.Text(), server_default="", nullable=False),
        sa.Column("AccessionNumber", sa.Text(), server_default="", nullable=False),
        sa.Column("RequestedProcedureID", sa.Text(), server_default="", nullable=False),
        sa.Column("StudyInstanceUID", sa.Text(), server_default="", nullable=False),
        sa.Column("ScheduledProcedureStepID", sa.Text(), server_default="", nullable=False),
        sa.Column("ScheduledProcedureStepStartDate", sa.Text(), server_default="", nullable=False),
        sa.Column("ScheduledProcedureStepStartTime", sa.Text(), server_default="", nullable=False),
        sa.Column("ScheduledStationAETitle", sa.Text(), server_default="", nullable=False),
        sa.Column("Modality", sa.Text(), server_default="", nullable=False),
        sa.Column("item", sa.JSON(), nullable=False),
        sa.Column("defects", sa.JSON(), nullable=False),
        sa.Column("current", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("received_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worklist_items")),
        sa.UniqueConstraint("source", "key", name=op.f("uq_worklist_items_source_key")),
    )


def _commitments() -> None:
    op.create_table(
        "commitments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("TransactionUID", sa.String(length=64), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.Column("answered_at", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "state IN ('requested', 'sent', 'committed', 'failed', 'no answer')", name=op.f("ck_commitments_state")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_commitments_job_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commitments")),
        sa.UniqueConstraint("TransactionUID", name=op.f("uq_commitments_TransactionUID")),
    )
    op.create_index(op.f("ix_commitments_job_id"), "commitments", ["job_id"], unique=False)


def _exams() -> None:
    op.create_table(
        "exams",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("patient_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("StudyInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("AccessionNumber", sa.Text(), server_default="", nullable=False),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "state IN ('REGISTERED', 'IN PROGRESS', 'COMPLETED', 'DISCONTINUED')", name=op.f("ck_exams_state")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_exams_patient_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exams")),
    )
    op.create_index(op.f("ix_exams_StudyInstanceUID"), "exams", ["StudyInstanceUID"], unique=False)
    op.create_index(op.f("ix_exams_patient_id"), "exams", ["patient_id"], unique=False)


def _job_dependencies() -> None:
    op.create_table(
        "job_dependencies",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("after_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint("after_id < job_id", name=op.f("ck_job_dependencies_no_cycle")),
        sa.ForeignKeyConstraint(
            ["after_id"], ["jobs.id"], name=op.f("fk_job_dependencies_after_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_dependencies_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "after_id", name=op.f("pk_job_dependencies")),
    )
    op.create_index(op.f("ix_job_dependencies_after_id"), "job_dependencies", ["after_id"], unique=False)


def _job_instances() -> None:
    op.create_table(
        "job_instances",
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("SOPClassUID", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=7), server_default="pending", nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("at", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "result IN ('pending', 'success', 'warning', 'failure')", name=op.f("ck_job_instances_result")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_instances_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "SOPInstanceUID", name=op.f("pk_job_instances")),
    )
    op.create_index(op.f("ix_job_instances_SOPInstanceUID"), "job_instances", ["SOPInstanceUID"], unique=False)


def _studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("patient_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("StudyInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("StudyDate", sa.Text(), server_default="", nullable=False),
        sa.Column("StudyTime", sa.Text(), server_default="", nullable=False),
        sa.Column("AccessionNumber", sa.Text(), server_default="", nullable=False),
        sa.Column("StudyID", sa.Text(), server_default="", nullable=False),
        sa.Column("StudyDescription", sa.Text(), server_default="", nullable=False),
        sa.Column("ReferringPhysicianName", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients.id"], name=op.f("fk_studies_patient_id"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
        sa.UniqueConstraint("StudyInstanceUID", name=op.f("uq_studies_StudyInstanceUID")),
    )
    op.create_index(op.f("ix_studies_AccessionNumber"), "studies", ["AccessionNumber"], unique=False)
    op.create_index(op.f("ix_studies_StudyDate"), "studies", ["StudyDate"], unique=False)
    op.create_index(op.f("ix_studies_patient_id"), "studies", ["patient_id"], unique=False)


def _commitment_instances() -> None:
    op.create_table(
        "commitment_instances",
        sa.Column("commitment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("SOPClassUID", sa.String(length=64), nullable=False),
        sa.Column("result", sa.String(length=9), server_default="pending", nullable=False),
        sa.Column("FailureReason", sa.Integer(), nullable=True),
        sa.CheckConstraint("result IN ('pending', 'committed', 'failed')", name=op.f("ck_commitment_instances_result")),
        sa.ForeignKeyConstraint(
            ["commitment_id"],
            ["commitments.id"],
            name=op.f("fk_commitment_instances_commitment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("commitment_id", "SOPInstanceUID", name=op.f("pk_commitment_instances")),
    )
    op.create_index(
        op.f("ix_commitment_instances_SOPInstanceUID"), "commitment_instances", ["SOPInstanceUID"], unique=False
    )


def _performed_steps() -> None:
    op.create_table(
        "performed_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exam_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("assigned_uid", sa.String(length=64), nullable=True),
        sa.Column("PerformedProcedureStepID", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("n_create", sa.JSON(), nullable=False),
        sa.Column("n_set", sa.JSON(), nullable=True),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.CheckConstraint(
            "state = 'IN PROGRESS' OR n_set IS NOT NULL", name=op.f("ck_performed_steps_ended_has_n_set")
        ),
        sa.CheckConstraint(
            "state IN ('IN PROGRESS', 'COMPLETED', 'DISCONTINUED')", name=op.f("ck_performed_steps_state")
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_performed_steps_exam_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performed_steps")),
        sa.UniqueConstraint("SOPInstanceUID", name=op.f("uq_performed_steps_SOPInstanceUID")),
    )
    op.create_index(op.f("ix_performed_steps_exam_id"), "performed_steps", ["exam_id"], unique=False)


def _series() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("study_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("SeriesInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("Modality", sa.Text(), server_default="", nullable=False),
        sa.Column("SeriesNumber", sa.Text(), server_default="", nullable=False),
        sa.Column("SeriesDescription", sa.Text(), server_default="", nullable=False),
        sa.Column("SeriesDate", sa.Text(), server_default="", nullable=False),
        sa.Column("SeriesTime", sa.Text(), server_default="", nullable=False),
        sa.Column("BodyPartExamined", sa.Text(), server_default="", nullable=False),
        sa.Column("ProtocolName", sa.Text(), server_default="", nullable=False),
        sa.Column("MRAcquisitionType", sa.Text(), server_default="", nullable=False),
        sa.Column("ScanningSequence", sa.Text(), server_default="", nullable=False),
        sa.Column("SequenceName", sa.Text(), server_default="", nullable=False),
        sa.Column("ContrastBolusAgent", sa.Text(), server_default="", nullable=False),
        sa.Column("PerformedProcedureStepID", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_series_study_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("SeriesInstanceUID", name=op.f("uq_series_SeriesInstanceUID")),
    )
    op.create_index(op.f("ix_series_study_id"), "series", ["study_id"], unique=False)


def _exam_steps() -> None:
    op.create_table(
        "exam_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exam_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("worklist_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("performed_step_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ScheduledProcedureStepID", sa.Text(), server_default="", nullable=False),
        sa.Column("item", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_exam_steps_exam_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["performed_step_id"],
            ["performed_steps.id"],
            name=op.f("fk_exam_steps_performed_step_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["worklist_item_id"],
            ["worklist_items.id"],
            name=op.f("fk_exam_steps_worklist_item_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_steps")),
    )
    op.create_index(op.f("ix_exam_steps_exam_id"), "exam_steps", ["exam_id"], unique=False)
    op.create_index(op.f("ix_exam_steps_performed_step_id"), "exam_steps", ["performed_step_id"], unique=False)
    op.create_index(op.f("ix_exam_steps_worklist_item_id"), "exam_steps", ["worklist_item_id"], unique=False)


def _instances() -> None:
    op.create_table(
        "instances",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("SOPClassUID", sa.String(length=64), nullable=False),
        sa.Column("InstanceNumber", sa.Text(), server_default="", nullable=False),
        sa.Column("NumberOfFrames", sa.Text(), server_default="", nullable=False),
        sa.Column("Rows", sa.Text(), server_default="", nullable=False),
        sa.Column("Columns", sa.Text(), server_default="", nullable=False),
        sa.Column("ContentDate", sa.Text(), server_default="", nullable=False),
        sa.Column("ContentTime", sa.Text(), server_default="", nullable=False),
        sa.Column("TransferSyntaxUID", sa.String(length=64), nullable=False),
        sa.Column("bucket", sa.String(length=2), nullable=False),
        sa.Column("length_bytes", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(length=9), nullable=False),
        sa.Column("listed", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.CheckConstraint(
            "origin IN ('acquired', 'received', 'imported', 'recovered')", name=op.f("ck_instances_origin")
        ),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_instances_series_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instances")),
        sa.UniqueConstraint("SOPInstanceUID", name=op.f("uq_instances_SOPInstanceUID")),
    )
    op.create_index(op.f("ix_instances_bucket"), "instances", ["bucket"], unique=False)
    op.create_index(op.f("ix_instances_series_id"), "instances", ["series_id"], unique=False)

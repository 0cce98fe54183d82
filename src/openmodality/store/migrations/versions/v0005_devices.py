"""Rows belong to a device, so that several devices can share a database.

SQLite cannot drop a constraint, so tables whose constraints change are made anew there, with references unchecked.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _make_devices()
    for table, remake in (
        ("instances", _make_instances),
        ("tombstones", _make_tombstones),
        ("unnamed_files", _make_unnamed_files),
        ("problems", _make_problems),
        ("worklist_items", _make_worklist_items),
    ):
        _make_anew(table, remake) if _is_sqlite() else _change(table)
    _change_patients()
    _change_studies()
    for table in ("exams", "jobs", "commitments"):
        op.add_column(table, _make_device())
    _change_jobs()


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _make_device() -> sa.Column[int]:
    return sa.Column("device_id", _NUMBER, server_default="1", autoincrement=False, nullable=False)


def _make_devices() -> None:
    """The device that the database was of is the first."""
    op.create_table(
        "devices",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("device", sa.String(length=36), nullable=False),
        sa.Column("profile", sa.Text(), server_default="", nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("host", sa.Text(), server_default="", nullable=False),
        sa.Column("folder", sa.Text(), server_default="", nullable=False),
        sa.Column("worker", sa.Text(), server_default="", nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("device", name=op.f("uq_devices_device")),
    )
    op.execute(
        "INSERT INTO devices (device, profile, created_at) SELECT device, profile, created_at FROM owner WHERE id = 1"
    )
    op.drop_table("owner")


def _make_anew(table: str, make: Callable[[], None]) -> None:
    kept = ", ".join(f'"{column["name"]}"' for column in sa.inspect(op.get_bind()).get_columns(table))
    op.execute(f"CREATE TEMPORARY TABLE kept AS SELECT {kept} FROM {table}")
    op.drop_table(table)
    make()
    op.execute(f"INSERT INTO {table} ({kept}) SELECT {kept} FROM kept")
    op.execute("DROP TABLE kept")
    if table == "instances":
        _index_instances()


_CHANGED = {
    "instances": ("uq_instances_SOPInstanceUID", ["SOPInstanceUID", "device_id"]),
    "problems": ("uq_problems_kind_file", ["device_id", "kind", "file"]),
    "worklist_items": ("uq_worklist_items_source_key", ["device_id", "source", "key"]),
}
"""The constraint that goes, and the columns of the one that comes."""


def _change(table: str) -> None:
    op.add_column(table, _make_device())
    if table in ("tombstones", "unnamed_files"):
        op.drop_constraint(f"pk_{table}", table)
        op.create_primary_key(op.f(f"pk_{table}"), table, ["device_id", "SOPInstanceUID"])
        return
    old, columns = _CHANGED[table]
    op.drop_constraint(old, table)
    op.create_unique_constraint(op.f(f"uq_{table}_{'_'.join(columns)}"), table, columns)
    if table == "instances":
        op.drop_index("ix_instances_series_id", "instances")
        op.drop_index("ix_instances_bucket", "instances")
        _index_instances()


def _index_instances() -> None:
    op.create_index(op.f("ix_instances_bucket"), "instances", ["bucket"], unique=False)
    op.create_index(
        op.f("ix_instances_series_id_instances_device_id_instances_listed"),
        "instances",
        ["series_id", "device_id", "listed"],
        unique=False,
    )


def _change_patients() -> None:
    """PostgreSQL compares the names by code points from now on, and their indexes are made anew."""
    if not _is_sqlite():
        for name in ("alphabetic_name", "ideographic_name", "phonetic_name"):
            op.alter_column("patients", name, type_=sa.Text(collation="C"))


def _change_studies() -> None:
    op.drop_index("ix_studies_StudyDate", "studies")
    by_time = ["StudyDate", "StudyTime", "id"]
    op.create_index(op.f("ix_studies_StudyDate_studies_StudyTime_studies_id"), "studies", by_time, unique=False)


def _change_jobs() -> None:
    op.add_column("jobs", sa.Column("lease_until", sa.Float(), nullable=True))
    op.drop_index("ix_jobs_state_jobs_due_at", "jobs")
    columns = ["device_id", "state", "due_at"]
    op.create_index(op.f("ix_jobs_device_id_jobs_state_jobs_due_at"), "jobs", columns, unique=False)
    for name, column, states in (
        ("one_association_per_destination", "destination", "state = 'doing'"),
        ("same_job_once", "unique_key", "state IN ('todo', 'doing', 'waiting')"),
    ):
        op.drop_index(name, "jobs")
        where = sa.text(states)
        op.create_index(name, "jobs", ["device_id", column], unique=True, sqlite_where=where, postgresql_where=where)


def _make_instances() -> None:
    op.create_table(
        "instances",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("device_id", _NUMBER, server_default="1", autoincrement=False, nullable=False),
        sa.Column("series_id", _NUMBER, nullable=False),
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
        sa.UniqueConstraint("SOPInstanceUID", "device_id", name=op.f("uq_instances_SOPInstanceUID_device_id")),
    )


def _make_tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("device_id", _NUMBER, server_default="1", autoincrement=False, nullable=False),
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "SOPInstanceUID", name=op.f("pk_tombstones")),
    )


def _make_unnamed_files() -> None:
    op.create_table(
        "unnamed_files",
        sa.Column("device_id", _NUMBER, server_default="1", autoincrement=False, nullable=False),
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("temporary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", "SOPInstanceUID", name=op.f("pk_unnamed_files")),
    )


def _make_problems() -> None:
    op.create_table(
        "problems",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("device_id", _NUMBER, server_default="1", autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=13), nullable=False),
        sa.Column("SOPInstanceUID", sa.Text(), server_default="", nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(length=9), nullable=False),
        sa.Column("source", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("dismissed_at", sa.Float(), nullable=True),
        sa.CheckConstraint("kind IN ('not indexed', 'other content', 'damaged')", name=op.f("ck_problems_kind")),
        sa.CheckConstraint(
            "origin IN ('acquired', 'received', 'imported', 'recovered')", name=op.f("ck_problems_origin")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problems")),
        sa.UniqueConstraint("device_id", "kind", "file", name=op.f("uq_problems_device_id_kind_file")),
        sqlite_autoincrement=True,
    )


def _make_worklist_items() -> None:
    op.create_table(
        "worklist_items",
        sa.Column("id", _NUMBER, nullable=False),
        sa.Column("device_id", _NUMBER, server_default="1", autoincrement=False, nullable=False),
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
        sa.UniqueConstraint("device_id", "source", "key", name=op.f("uq_worklist_items_device_id_source_key")),
    )

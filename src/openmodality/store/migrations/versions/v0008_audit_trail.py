"""The audit trail, which is only added to, and the kind of job that delivers it.

SQLite cannot change a constraint, so the jobs are made anew there, with references unchecked.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LONG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KINDS = "kind IN ('send', 'commit', 'mpps_create', 'mpps_set', 'print', 'media', 'retrieve', 'audit')"
_REFUSAL = "the audit trail is only added to"
_SQLITE = (
    f"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    f"CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    "CREATE TRIGGER audit_is_added_to BEFORE INSERT ON audit"
    " WHEN NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM audit)"
    f" BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
)
_POSTGRESQL = (
    "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS"
    f" $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
    "CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON audit"
    " FOR EACH ROW EXECUTE FUNCTION refuse_audit_change()",
    "CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()",
)


def upgrade() -> None:
    _create_audit()
    if op.get_bind().dialect.name == "sqlite":
        _make_jobs_anew()
    else:
        op.drop_constraint(op.f("ck_jobs_kind"), "jobs")
        op.create_check_constraint(op.f("ck_jobs_kind"), "jobs", _KINDS)


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", _LONG, autoincrement=False, nullable=False),
        sa.Column("device_id", _LONG, server_default="1", autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.Integer(), nullable=False),
        sa.Column("users", sa.Text(), server_default="", nullable=False),
        sa.Column("patients", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_table(
        "audit_states",
        sa.Column("device_id", _LONG, server_default="1", autoincrement=False, nullable=False),
        sa.Column("delivered", _LONG, server_default="0", nullable=False),
        sa.Column("delivered_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("delivered_at", sa.Float(), nullable=True),
        sa.Column("settings", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_audit_states")),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


def _make_jobs_anew() -> None:
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("jobs")]
    kept = ", ".join(f'"{column}"' for column in columns)
    op.execute(f"CREATE TEMPORARY TABLE kept AS SELECT {kept} FROM jobs")
    op.execute("CREATE TEMPORARY TABLE counted AS SELECT seq FROM sqlite_sequence WHERE name = 'jobs'")
    op.drop_table("jobs")
    _create_jobs()
    op.execute(f"INSERT INTO jobs ({kept}) SELECT {kept} FROM kept")
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'jobs'")
    op.execute("INSERT INTO sqlite_sequence (name, seq) SELECT 'jobs', seq FROM counted")
    op.execute("DROP TABLE kept")
    op.execute("DROP TABLE counted")


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _LONG, nullable=False),
        sa.Column("device_id", _LONG, server_default="1", autoincrement=False, nullable=False),
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
        sa.Column("due_after_s", sa.Float(), server_default="0", nullable=False),
        sa.Column("peer_away", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cancelled_after", _LONG, nullable=True),
        sa.Column("waiting_for", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=True),
        sa.Column("finished_at", sa.Float(), nullable=True),
        sa.CheckConstraint(_KINDS, name=op.f("ck_jobs_kind")),
        sa.CheckConstraint(
            "state IN ('todo', 'doing', 'waiting', 'done', 'failed', 'cancelled')", name=op.f("ck_jobs_state")
        ),
        sa.CheckConstraint("(state = 'doing') = (worker IS NOT NULL)", name=op.f("ck_jobs_doing_has_worker")),
        sa.CheckConstraint("state <> 'todo' OR due_at IS NOT NULL", name=op.f("ck_jobs_todo_has_due")),
        sa.CheckConstraint(
            "(state IN ('done', 'failed', 'cancelled')) = (finished_at IS NOT NULL)",
            name=op.f("ck_jobs_finished_has_time"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sqlite_autoincrement=True,
    )
    for name, columns, states in (
        ("ix_jobs_device_id_jobs_state_jobs_due_at", ["device_id", "state", "due_at"], None),
        ("ix_jobs_order_key", ["order_key"], None),
        ("one_association_per_destination", ["device_id", "destination"], "state = 'doing'"),
        ("same_job_once", ["device_id", "unique_key"], "state IN ('todo', 'doing', 'waiting')"),
    ):
        where = None if states is None else sa.text(states)
        op.create_index(name, "jobs", columns, unique=states is not None, sqlite_where=where)

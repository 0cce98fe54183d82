"""Problems of instance files, files still to be named, and whose database it is; drop a column that nobody read."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_KEPT = '"id", "exam_id", "worklist_item_id", "ScheduledProcedureStepID", "item"'


def upgrade() -> None:
    _unnamed_files()
    _problems()
    _owner()
    _exam_steps()


def _unnamed_files() -> None:
    op.create_table(
        "unnamed_files",
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("temporary", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("SOPInstanceUID", name=op.f("pk_unnamed_files")),
    )


def _problems() -> None:
    op.create_table(
        "problems",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
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
        sa.UniqueConstraint("kind", "file", name=op.f("uq_problems_kind_file")),
        sqlite_autoincrement=True,
    )


def _owner() -> None:
    op.create_table(
        "owner",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("device", sa.String(length=36), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_owner_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner")),
    )


def _exam_steps() -> None:
    """Drop ``performed_step_id``. SQLite drops no column that is in a foreign key: the table is made anew there."""
    if op.get_bind().dialect.name != "sqlite":
        op.drop_column("exam_steps", "performed_step_id")
        return
    op.execute(f"CREATE TEMPORARY TABLE kept_exam_steps AS SELECT {_KEPT} FROM exam_steps")
    op.drop_table("exam_steps")
    op.create_table(
        "exam_steps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exam_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("worklist_item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("ScheduledProcedureStepID", sa.Text(), server_default="", nullable=False),
        sa.Column("item", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.id"], name=op.f("fk_exam_steps_exam_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["worklist_item_id"],
            ["worklist_items.id"],
            name=op.f("fk_exam_steps_worklist_item_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_steps")),
    )
    op.create_index(op.f("ix_exam_steps_exam_id"), "exam_steps", ["exam_id"], unique=False)
    op.create_index(op.f("ix_exam_steps_worklist_item_id"), "exam_steps", ["worklist_item_id"], unique=False)
    op.execute(f"INSERT INTO exam_steps ({_KEPT}) SELECT {_KEPT} FROM kept_exam_steps")
    op.execute("DROP TABLE kept_exam_steps")

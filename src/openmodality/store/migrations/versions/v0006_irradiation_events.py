"""Irradiation events of exams, and the images that each made."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "irradiation_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("exam_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("IrradiationEventUID", sa.String(length=64), nullable=False),
        sa.Column("step_uid", sa.String(length=64), server_default="", nullable=False),
        sa.Column("SeriesInstanceUID", sa.String(length=64), server_default="", nullable=False),
        sa.Column("event", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exam_id"], ["exams.id"], name=op.f("fk_irradiation_events_exam_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_irradiation_events")),
        sa.UniqueConstraint("IrradiationEventUID", name=op.f("uq_irradiation_events_IrradiationEventUID")),
    )
    op.create_index(op.f("ix_irradiation_events_exam_id"), "irradiation_events", ["exam_id"], unique=False)
    op.create_table(
        "irradiation_images",
        sa.Column("SOPInstanceUID", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["irradiation_events.id"],
            name=op.f("fk_irradiation_images_event_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("SOPInstanceUID", name=op.f("pk_irradiation_images")),
    )
    op.create_index(op.f("ix_irradiation_images_event_id"), "irradiation_images", ["event_id"], unique=False)

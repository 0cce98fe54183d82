"""What a job needs to follow the clock, its peer, and the job that it comes after; requests that are asked anew."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for table, column in (
        ("jobs", sa.Column("due_after_s", sa.Float(), server_default="0", nullable=False)),
        ("jobs", sa.Column("peer_away", sa.Boolean(), server_default=sa.text("false"), nullable=False)),
        ("jobs", sa.Column("cancelled_after", number, nullable=True)),
        ("commitments", sa.Column("ae_title", sa.Text(), server_default="", nullable=False)),
        ("commitments", sa.Column("superseded", sa.Boolean(), server_default=sa.text("false"), nullable=False)),
    ):
        op.add_column(table, column)
    op.execute("UPDATE jobs SET due_after_s = retry_delay_s WHERE due_at IS NOT NULL")

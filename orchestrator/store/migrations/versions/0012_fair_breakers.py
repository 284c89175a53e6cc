"""Breakers of actions: who failed, since when, and whether others got through meanwhile."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what tells an event's fault from its system's; no row of a delivery is written anew."""
    op.add_column("deliveries", sa.Column("failing_since", sa.BigInteger(), nullable=True))
    for column in (
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("only_event", sa.String(length=32), nullable=True),
        sa.Column("probe_event", sa.String(length=32), nullable=True),
        sa.Column("probes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pauses", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pausing_since", sa.BigInteger(), nullable=True),
    ):
        op.add_column("gates", column)

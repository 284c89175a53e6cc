"""Pauses that end by themselves, and the clocks that they stop."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add when a pause ends, and since when the clock of an incident stands still."""
    op.add_column("gates", sa.Column("paused_until", sa.BigInteger(), nullable=True))
    op.add_column("incidents", sa.Column("stopped_at", sa.BigInteger(), nullable=True))

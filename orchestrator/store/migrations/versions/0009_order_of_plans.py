"""A replay plan can keep the order of events that have a fact in common."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add by which fact a plan is in order, and behind which event each waits."""
    op.add_column("plans", sa.Column("order_by", sa.String(length=64), nullable=True))
    op.add_column("plan_events", sa.Column("behind", sa.Integer(), nullable=True))

"""Deliveries that come after others of their event."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; no delivery that there is waits for another."""
    op.add_column("deliveries", sa.Column("comes_after", sa.Text(), nullable=True))

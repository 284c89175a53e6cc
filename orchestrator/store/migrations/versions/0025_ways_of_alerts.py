"""An alert keeps by which way it went."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty: nobody knows of alerts that were sent before."""
    op.add_column("alerts", sa.Column("way", sa.String(length=255), nullable=True))

"""Alerts about changes."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; every alert that there is is about an incident, or a test."""
    op.add_column("alerts", sa.Column("change_id", sa.BigInteger(), nullable=True))
    op.add_column("alerts", sa.Column("subject", sa.String(length=64), nullable=True))
    of_change = sa.text("change_id IS NOT NULL")
    op.create_index(
        "ix_alerts_change",
        "alerts",
        ["change_id", "round", "kind", "recipient"],
        unique=True,
        sqlite_where=of_change,
        postgresql_where=of_change,
    )

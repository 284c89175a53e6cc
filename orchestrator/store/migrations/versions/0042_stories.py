"""An index by which the story of a change is read from the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index: of the few rows that are about no event."""
    there = sa.text("event_id IS NULL")
    op.create_index(
        "ix_audit_workflow",
        "audit",
        ["workflow", "id"],
        sqlite_where=there,
        postgresql_where=there,
    )

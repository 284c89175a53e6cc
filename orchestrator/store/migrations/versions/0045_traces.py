"""The traces that events belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "traces",
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("traceparent", sa.String(length=55), nullable=False),
        sa.Column("tracestate", sa.String(length=512), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_traces_event_id")),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_traces")),
    )

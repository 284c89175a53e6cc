"""The requests of sources that events came in."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "hook_requests",
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=255), nullable=True),
        sa.Column("verified_by", sa.String(length=80), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_hook_requests_event_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_hook_requests")),
    )
    op.create_index("ix_hook_requests_source", "hook_requests", ["source"])

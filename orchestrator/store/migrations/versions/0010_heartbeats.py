"""Heartbeats: a row per process, by which the doctor and the door know who is there."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the heartbeats."""
    op.create_table(
        "heartbeats",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("instance", sa.String(length=255), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("beat_at", sa.BigInteger(), nullable=False),
        sa.Column("did", sa.String(length=255), nullable=False),
        sa.Column("patience_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "instance", name=op.f("pk_heartbeats")),
    )

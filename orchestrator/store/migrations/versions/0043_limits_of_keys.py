"""How much one key may send, and how much it has sent today."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the counts. Keys that are there have no limits."""
    op.add_column("keys", sa.Column("rate_per_second", sa.Integer(), nullable=True))
    op.add_column("keys", sa.Column("quota_per_day", sa.BigInteger(), nullable=True))
    op.create_table(
        "key_usage",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_key_usage_key_id")),
        sa.PrimaryKeyConstraint("key_id", "day", name=op.f("pk_key_usage")),
        sqlite_with_rowid=False,
    )

"""What a candidate would have decided otherwise, while it decided beside the live version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "shadow_diffs",
        sa.Column("change_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["changes.id"], name=op.f("fk_shadow_diffs_change_id")
        ),
        sa.PrimaryKeyConstraint("change_id", "event_id", name=op.f("pk_shadow_diffs")),
        sqlite_with_rowid=False,
    )

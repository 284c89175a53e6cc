"""Replay plans that were made under a change, to be run once it is live; each with its digest."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Plans that are there were made under versions that were live."""
    op.add_column("plans", sa.Column("change", sa.String(32), nullable=True))
    op.add_column("plans", sa.Column("subject", sa.String(64), nullable=True))
    op.add_column("plans", sa.Column("digest", sa.String(64), nullable=True))
    op.create_index(
        "ix_plans_change",
        "plans",
        ["change"],
        postgresql_where=sa.text("change IS NOT NULL"),
        sqlite_where=sa.text("change IS NOT NULL"),
    )

"""A job knows who started it, so that each of its steps can ask what they may do now."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the person and the key; jobs that are there act for nobody who is known."""
    op.add_column("jobs", sa.Column("started_person", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("started_key", sa.String(length=16), nullable=True))

"""Why a change was given up."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of those that are over the audit has it."""
    op.add_column("changes", sa.Column("ended_why", sa.Text(), nullable=True))

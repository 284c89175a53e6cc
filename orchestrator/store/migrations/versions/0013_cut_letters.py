"""Dead letters that are too large to keep: the size of all of it beside the beginning."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the size."""
    op.add_column("dead_letters", sa.Column("cut_from", sa.BigInteger()))

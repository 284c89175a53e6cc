"""Which job carries a backtest out."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the number of the job; those that there are were carried out by terminals."""
    op.add_column("backtests", sa.Column("job", sa.BigInteger))

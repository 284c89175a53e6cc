"""What is known of a delivery's record besides its id: its address, its state, whose it is."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; no row of a delivery is written anew, whatever its state."""
    op.add_column("deliveries", sa.Column("record_url", sa.Text(), nullable=True))
    op.add_column("deliveries", sa.Column("record_version", sa.Text(), nullable=True))
    op.add_column(
        "deliveries",
        sa.Column("record_updated", sa.Boolean(), server_default=sa.false(), nullable=False),
    )

"""Deliveries of items: a delivery has a name within its event, and beside it its destination."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tell the name from the destination. Old processes have to be stopped."""
    op.alter_column("deliveries", "destination", new_column_name="name")
    op.add_column(
        "deliveries",
        sa.Column("destination", sa.String(length=64), nullable=False, server_default=""),
    )
    op.add_column("deliveries", sa.Column("item", sa.Text(), nullable=True))
    deliveries = sa.table("deliveries", sa.column("name"), sa.column("destination"))
    op.execute(deliveries.update().values(destination=deliveries.c.name))

"""What an approval of an event is of is salted, so that its digest tells nothing once erased."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, empty: a request from before is asked anew before anything is sent."""
    op.add_column("event_approvals", sa.Column("salt", sa.String(length=32), nullable=True))

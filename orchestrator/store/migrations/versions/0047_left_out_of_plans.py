"""Why the run of a plan left an event as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the reason; no run left anything out before."""
    op.add_column("plan_events", sa.Column("left_out", sa.String(20)))

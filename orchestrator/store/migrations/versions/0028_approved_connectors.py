"""The connector definitions that were approved with a version of a workflow."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Versions that are live run with any definition, as before."""
    op.add_column("changes", sa.Column("connectors", sa.Text(), nullable=True))
    op.add_column("workflow_versions", sa.Column("connectors", sa.Text(), nullable=True))

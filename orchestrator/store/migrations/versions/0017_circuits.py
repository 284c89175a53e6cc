"""Circuits, which were called gates, and whether a call tries an open breaker."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rename the table, and say by `block` what `state` said. Old processes have to be stopped."""
    op.rename_table("gates", "circuits")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER INDEX pk_gates RENAME TO pk_circuits")
    op.add_column("circuits", sa.Column("block", sa.String(length=20), nullable=True))
    op.add_column(
        "circuits", sa.Column("probing", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    circuits = sa.table("circuits", sa.column("block"), sa.column("state"))
    for state, block in (("paused", "pause"), ("broken", "breaker")):
        op.execute(circuits.update().where(circuits.c.state == state).values(block=block))
    op.drop_column("circuits", "state")

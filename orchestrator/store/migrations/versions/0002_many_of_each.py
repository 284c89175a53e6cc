"""Dead letters that are closed, and claims that look at each workflow by itself."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

UNFINISHED = sa.text("due_at IS NOT NULL")
STANDING = sa.text("state = 'standing'")


def upgrade() -> None:
    """Add what closes a dead letter; order what is due by workflow first."""
    with op.batch_alter_table("dead_letters") as table:
        table.add_column(
            sa.Column("state", sa.String(length=20), nullable=False, server_default="standing")
        )
        table.add_column(sa.Column("closed_at", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("closed_by", sa.String(length=255), nullable=True))
        table.add_column(sa.Column("why", sa.Text(), nullable=True))
        table.add_column(sa.Column("digest", sa.String(length=64), nullable=True))
    op.create_index(
        "ix_dead_letters_standing",
        "dead_letters",
        ["digest"],
        unique=True,
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    op.drop_index("ix_events_due_at", table_name="events")
    op.create_index(
        "ix_events_workflow_id_due_at",
        "events",
        ["workflow_id", "due_at"],
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    )
    if op.get_bind().dialect.name == "postgresql":
        # Rows that are rewritten a few times and then stand still: with room in their page the new
        # version needs no new entry in any index, and what is dead is soon swept up.
        for table_name in ("events", "deliveries"):
            op.execute(
                f"ALTER TABLE {table_name} SET (fillfactor = 50,"
                " autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000)"
            )

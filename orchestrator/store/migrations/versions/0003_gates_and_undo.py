"""Gates that hold deliveries back, and deliveries that are taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

HELD = sa.text("held_by IS NOT NULL")


def upgrade() -> None:
    """Add gates, and to a delivery what holds it; no row of a delivery is written anew."""
    op.create_table(
        "gates",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False, server_default="flowing"),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("probe_at", sa.BigInteger(), nullable=True),
        sa.Column("nudged_at", sa.BigInteger(), nullable=True),
        sa.Column("postponed_until", sa.BigInteger(), nullable=True),
        sa.Column("paid_until_us", sa.BigInteger(), nullable=True),
        sa.Column("granted", sa.Integer(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_gates")),
    )
    for column in (
        sa.Column("held_by", sa.String(length=200), nullable=True),
        sa.Column("undo", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("generation", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("deliveries", column)
    op.create_index(
        "ix_deliveries_held",
        "deliveries",
        ["held_by", "event_id"],
        sqlite_where=HELD,
        postgresql_where=HELD,
    )

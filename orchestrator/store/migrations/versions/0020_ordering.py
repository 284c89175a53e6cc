"""Events that go one after another by an ordering key, and lines that a relay is to look at."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables, empty: what was accepted before has no ordering key."""
    op.add_column("workflow_versions", sa.Column("ordering", sa.Text(), nullable=True))
    op.create_table(
        "ordered_events",
        sa.Column("place", _serial, nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.Column("stand", sa.String(length=10), nullable=False),
        sa.Column("passes", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("place", name="pk_ordered_events"),
        sa.UniqueConstraint("event_id", name="uq_ordered_events_event_id"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_ordered_events_event_id"),
        sqlite_autoincrement=True,
    )
    _add_index("turn", ["line"], "stand = 'turn'", unique=True)
    _add_index("waiting", ["line", "place"], "stand = 'waiting'")
    _add_index("rank", ["line", "rank"], "rank IS NOT NULL")
    op.create_table(
        "line_looks",
        sa.Column("id", _serial, nullable=False),
        sa.Column("line", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_line_looks"),
    )


def _add_index(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    op.create_index(
        f"ix_ordered_events_{name}",
        "ordered_events",
        columns,
        unique=unique,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )

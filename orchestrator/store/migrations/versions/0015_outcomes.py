"""Incidents end with an outcome: what became of each event that left the quarantine."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add outcomes; of the stays from before, those of discarded events get theirs."""
    for column in (
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("moved_to", sa.BigInteger(), nullable=True),
    ):
        op.add_column("quarantine", column)
    op.execute(
        "UPDATE quarantine SET outcome = 'discarded', ended_at = released_at"
        " WHERE released_at IS NOT NULL"
        " AND event_id IN (SELECT id FROM events WHERE state = 'discarded')"
        " AND id IN (SELECT max(id) FROM quarantine GROUP BY event_id)"
    )
    for name, columns in (
        ("ix_quarantine_outcome_event_id", ["outcome", "event_id"]),
        ("ix_quarantine_incident_id_outcome", ["incident_id", "outcome"]),
    ):
        _index(name, "quarantine", columns, "outcome IS NOT NULL")
    _index("ix_quarantine_moved_to", "quarantine", ["moved_to"], "moved_to IS NOT NULL")
    for column in (
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("acknowledged_until", sa.BigInteger(), nullable=True),
        sa.Column("told_events", sa.BigInteger(), nullable=True),
        sa.Column("told_changes", sa.Text(), nullable=True),
        sa.Column("tellings", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("incidents", column)
    op.add_column("alerts", sa.Column("news", sa.Text(), nullable=True))


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)

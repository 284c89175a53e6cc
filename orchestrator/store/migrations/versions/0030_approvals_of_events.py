"""Approvals of events: what somebody is asked before an event is sent, and what they said."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLE = "event_approvals"


def upgrade() -> None:
    """Add the table. No event awaited an approval before."""
    op.create_table(
        _TABLE,
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("workflow", sa.String(length=64), nullable=False),
        sa.Column("workflow_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("route", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("connectors", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("remind_at", sa.BigInteger(), nullable=False),
        sa.Column("decide_by", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.String(length=255), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("void_at", sa.BigInteger(), nullable=True),
        sa.Column("grade", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f(f"fk_{_TABLE}_event_id")),
        sa.ForeignKeyConstraint(
            ["workflow_id"], ["workflow_versions.id"], name=op.f(f"fk_{_TABLE}_workflow_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f(f"fk_{_TABLE}_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_approvals_event_id", _TABLE, ["event_id"])
    waiting = sa.text("state = 'waiting'")
    op.create_index(
        "ix_event_approvals_waiting",
        _TABLE,
        ["client", "workflow", "route", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index(
        "ix_event_approvals_one_waiting",
        _TABLE,
        ["event_id"],
        unique=True,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )

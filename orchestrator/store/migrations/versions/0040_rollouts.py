"""Rollouts: the steps of each, and the events that its canary took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_UNFINISHED = "state IN ('draft', 'awaiting_approval', 'approved', 'shadow', 'canary')"


def upgrade() -> None:
    """Add them; whoever looks for open changes finds those that are rolled out too."""
    op.add_column("changes", sa.Column("rollout", sa.Text(), nullable=True))
    op.add_column("workflow_versions", sa.Column("trial", sa.String(length=10), nullable=True))
    op.add_column("workflow_versions", sa.Column("canary", sa.Text(), nullable=True))
    op.drop_index("ix_changes_open", "changes")
    _partial("ix_changes_open", "changes", "id", _UNFINISHED)
    op.create_table(
        "rollout_arms",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("change_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("version_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("base_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("stopped_at", sa.BigInteger(), nullable=True),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("events", "bad", "all_events", "all_bad")
        ),
        sa.Column("log_wealth", sa.Float(), nullable=False),
        sa.Column("base_events", sa.Integer(), nullable=False),
        sa.Column("base_bad", sa.Integer(), nullable=False),
        sa.Column("base_seconds", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.String(length=32), nullable=False),
        sa.Column("tidy", sa.Boolean(), nullable=False),
        _key("rollout_arms", "change_id", "changes.id"),
        _key("rollout_arms", "version_id", "workflow_versions.id"),
        _key("rollout_arms", "base_id", "workflow_versions.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollout_arms")),
    )
    op.create_index("ix_rollout_arms_change_id", "rollout_arms", ["change_id"])
    _partial("ix_rollout_arms_untidy", "rollout_arms", "version_id", "NOT tidy")
    op.create_table(
        "rollout_events",
        sa.Column("event_id", sa.String(length=32), nullable=False),
        sa.Column("change_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("claimed_at", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        _key("rollout_events", "event_id", "events.id"),
        _key("rollout_events", "change_id", "changes.id"),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_rollout_events")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_rollout_events_change_id", "rollout_events", ["change_id"])
    _partial("ix_rollout_events_open", "rollout_events", "change_id", "NOT counted")


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def _partial(name: str, table: str, column: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, [column], sqlite_where=where, postgresql_where=where)

"""What a candidate does beside the live version."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from orchestrator.store.database.tables.changes import changes
from orchestrator.store.database.tables.events import events
from orchestrator.store.database.tables.metadata import metadata, partial_index, serial
from orchestrator.store.database.tables.workflows import workflow_versions

# The steps of a rollout, one row each; the one that has not stopped is under way.
rollout_arms = Table(
    "rollout_arms",
    metadata,
    Column("id", serial, primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("version_id", ForeignKey(workflow_versions.c.id), nullable=False),  # the candidate
    Column("base_id", ForeignKey(workflow_versions.c.id), nullable=False),  # what was live then
    Column("step", Integer, nullable=False),  # 0 is the shadow, 1 the first share of the canary
    Column("mode", String(10), nullable=False),  # shadow or canary
    Column("share", Integer, nullable=False),  # of all events, in ten-thousandths
    Column("began_at", BigInteger, nullable=False),  # the rollout
    Column("since", BigInteger, nullable=False),  # this step
    Column("stopped_at", BigInteger),
    Column("stop_reason", Text),
    Column("events", Integer, nullable=False),  # of this step, whose outcome counts
    Column("bad", Integer, nullable=False),  # of these, in quarantine or late
    Column("all_events", Integer, nullable=False),  # the same of all steps so far
    Column("all_bad", Integer, nullable=False),
    Column("log_wealth", Float, nullable=False),  # of the test, see betting.py
    Column("base_events", Integer, nullable=False),  # of the 28 days before, with an outcome
    Column("base_bad", Integer, nullable=False),
    Column("base_seconds", BigInteger, nullable=False),  # from the first of these to the begin
    Column("cursor", String(32), nullable=False),  # of a shadow: the last event it looked at
    # Whether it is over, and so are the events that nothing was routed of when it was.
    Column("tidy", Boolean, nullable=False),
    Index("ix_rollout_arms_change_id", "change_id"),
)
partial_index("ix_rollout_arms_untidy", rollout_arms.c.version_id, where="NOT tidy")

# The events that a canary took, with what became of each.
rollout_events = Table(
    "rollout_events",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("claimed_at", BigInteger),  # null: it waits until the ones before it are judged
    Column(
        "outcome", String(20)
    ),  # delivered, late, quarantined, or so far awaiting; null: not known yet
    Column("ended_at", BigInteger),
    Column("counted", Boolean, nullable=False),  # the outcome counts in the verdict
    sqlite_with_rowid=False,
)
Index("ix_rollout_events_change_id", rollout_events.c.change_id)
partial_index("ix_rollout_events_open", rollout_events.c.change_id, where="NOT counted")

# What a candidate would have decided otherwise, in names and reasons.
shadow_diffs = Table(
    "shadow_diffs",
    metadata,
    Column("change_id", ForeignKey(changes.c.id), primary_key=True),
    Column("event_id", String(32), primary_key=True),
    Column("kind", String(20), nullable=False),  # a DifferenceKind
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    sqlite_with_rowid=False,
)

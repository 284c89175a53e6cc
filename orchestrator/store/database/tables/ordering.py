"""The lines of events that have an ordering key."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, String, Table

from orchestrator.store.database.tables.events import events
from orchestrator.store.database.tables.metadata import metadata, partial_index, serial

# Events that have an ordering key, each with its place in the line of that key.
ordered_events = Table(
    "ordered_events",
    metadata,
    Column("place", serial, primary_key=True),  # in the order of acceptance
    Column("event_id", ForeignKey(events.c.id), nullable=False, unique=True),
    Column("line", String(32), nullable=False),  # a keyed digest of workflow and key
    Column("stand", String(10), nullable=False),  # waiting, turn, aside or ended
    Column("passes", Boolean, nullable=False),  # in quarantine it lets those behind it pass
    Column("rank", String(40)),  # by which the newer of two updates is known
    sqlite_autoincrement=True,  # a place is never given twice
)
partial_index("ix_ordered_events_turn", ordered_events.c.line, unique=True, where="stand = 'turn'")
partial_index(
    "ix_ordered_events_waiting",
    ordered_events.c.line,
    ordered_events.c.place,
    where="stand = 'waiting'",
)
partial_index(
    "ix_ordered_events_rank",
    ordered_events.c.line,
    ordered_events.c.rank,
    where="rank IS NOT NULL",
)

# Lines that a relay is to look at, for the turn in them may be free.
line_looks = Table(
    "line_looks",
    metadata,
    Column("id", serial, primary_key=True),
    Column("line", String(32), nullable=False),
)

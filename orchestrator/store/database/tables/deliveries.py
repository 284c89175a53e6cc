"""Deliveries: what is sent where for an event."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, String, Table, Text, false

from orchestrator.store.database.tables.events import events
from orchestrator.store.database.tables.metadata import metadata, partial_index

deliveries = Table(
    "deliveries",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column(
        "name", String(64), primary_key=True
    ),  # the destination's; of an item, and what tells it
    Column("destination", String(64), nullable=False, server_default=""),
    Column("connector", String(64), nullable=False),
    Column("action", String(64), nullable=False),
    Column("send", Text, nullable=False),
    Column("confirm", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("due_at", BigInteger),
    Column("run_id", String(32)),
    Column("run_until", BigInteger),  # until then another run may be calling
    Column("unknown", Boolean, nullable=False),  # an earlier call may have stored the record
    Column("record_id", String(512)),
    Column("reason", String(40)),  # why it failed, or fails for now
    Column("error", Text),
    Column("updated_at", BigInteger, nullable=False),
    Column("held_by", String(200)),  # the circuit it waits at, while it is held
    Column("undo", Boolean, nullable=False, server_default=false()),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("failing_since", BigInteger),  # its first failure that could be the system's
    Column("record_url", Text),  # where people find the record
    Column("record_version", Text),  # how the system called its state when it was confirmed
    # It was there before, as far as is known: it is not ours to delete.
    Column("record_updated", Boolean, nullable=False, server_default=false()),
    Column("comes_after", Text),  # JSON: the destinations that it waits, or waited, for
    Column("item", Text),  # JSON: the key of the item that it is for; null: for the whole event
    sqlite_with_rowid=False,
)
partial_index(
    "ix_deliveries_held",
    deliveries.c.held_by,
    deliveries.c.event_id,  # the oldest first
    # Not by `state`: on PostgreSQL each change of a column that an index names rewrites them all.
    where="held_by IS NOT NULL",
)

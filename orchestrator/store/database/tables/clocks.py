"""What a keeper keeps: clocks that ran out, alerts, and who is there."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from orchestrator.store.database.tables.events import events
from orchestrator.store.database.tables.metadata import metadata, partial_index, serial

# A clock that ran out for an event, recorded once.
breaches = Table(
    "breaches",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column("kind", String(20), primary_key=True),  # which clock
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("due_at", BigInteger, nullable=False),  # when it ran out
    Column("at", BigInteger, nullable=False),  # when that was found
    sqlite_with_rowid=False,
)
Index("ix_breaches_at", breaches.c.at)

# What is to be told to whom: written beside what it tells of, sent by a keeper, tried again.
alerts = Table(
    "alerts",
    metadata,
    Column("id", serial, primary_key=True),
    Column("incident_id", BigInteger),  # null: a test
    Column("round", Integer, nullable=False),  # how often the incident had been reopened
    Column("kind", String(20), nullable=False),  # see `AlertKind`
    Column("step", Integer, nullable=False),  # of the escalation
    Column("recipient", String(255), nullable=False),
    Column("role", String(20)),
    Column("state", String(20), nullable=False),  # waiting, sent, failed or dropped
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", BigInteger, nullable=False),  # the next try, or when a try is given up
    Column("error", Text),  # the last one, secrets masked
    Column("created_at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("news", Text),  # what is new about the incident, in one line
    Column("way", String(255)),  # which took it, of its contact's; null: none, or nobody kept it
    Column("change_id", BigInteger),  # that it is about, and no incident
    Column("subject", String(64)),  # the digest of what its recipient is asked
    UniqueConstraint("incident_id", "round", "kind", "step", "recipient"),
)
partial_index(
    "ix_alerts_change",
    alerts.c.change_id,
    alerts.c.round,
    alerts.c.kind,
    alerts.c.recipient,
    unique=True,
    where="change_id IS NOT NULL",
)
partial_index("ix_alerts_waiting", alerts.c.due_at, where="state = 'waiting'")

# Who is there: a process writes its row anew every few seconds, and takes it away when it ends.
heartbeats = Table(
    "heartbeats",
    metadata,
    Column("kind", String(16), primary_key=True),  # door, relay, worker, keeper or flower
    Column("instance", String(255), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("beat_at", BigInteger, nullable=False),
    Column("did", String(255), nullable=False),  # what its work did last
    Column("patience_ms", BigInteger, nullable=False),  # how long it may be silent while well
)

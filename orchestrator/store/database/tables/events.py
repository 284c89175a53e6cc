"""Events, what came in them, and the groups that move them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from orchestrator.store.database.tables.metadata import metadata, partial_index, serial
from orchestrator.store.database.tables.workflows import workflow_versions

events = Table(
    "events",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("workflow_id", ForeignKey(workflow_versions.c.id), nullable=False),
    Column("idempotency_key", String(512), nullable=False),
    Column("digest", String(32), nullable=False),
    Column("state", String(20), nullable=False),
    Column("due_at", BigInteger),  # null: finished, or waiting for a person
    Column("epoch", BigInteger, nullable=False),  # the group that may move it
    Column("attempt", Integer, nullable=False),  # failed tries of the stage it is in
    Column("starts", Integer, nullable=False),  # claims since it last got on
    Column("replays", Integer, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("erased_at", BigInteger),  # its values are gone, its key is a digest
    Column("erased_by", String(255)),
    UniqueConstraint("client", "workflow", "idempotency_key"),
    sqlite_with_rowid=False,
)
partial_index(
    "ix_events_workflow_id_due_at",
    events.c.workflow_id,
    events.c.due_at,
    where="due_at IS NOT NULL",
)

# Payloads are apart, so that a move rewrites a small row.
payloads = Table(
    "payloads",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column("body", Text, nullable=False),
    Column("amended", Text),  # what a person's fix made of it; the body is never changed
)

# The request of a source that an event came in. Its contents go with those of the event.
hook_requests = Table(
    "hook_requests",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column("source", String(64), nullable=False),
    Column("type", String(255)),  # null: the request said none
    Column("verified_by", String(80), nullable=False),  # what proved it at the door
    Column("headers", Text, nullable=False),  # JSON; those that the source names
    Column("body", LargeBinary),  # as it came; null: it holds several events, or is forgotten
)
Index("ix_hook_requests_source", hook_requests.c.source)

# The trace that an event belongs to, where its sender said one. It goes with the payload.
traces = Table(
    "traces",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column("traceparent", String(55), nullable=False),  # of the W3C's Trace Context, version 00
    Column("tracestate", String(512)),  # null: nothing was said beside it
)

groups = Table(
    "groups",
    metadata,
    Column("epoch", serial, primary_key=True),
    Column("workflow_id", ForeignKey(workflow_versions.c.id), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("size", Integer, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # an epoch is never given twice
)

"""The audit, the values it is committed to, and the store's random keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, String, Table, Text

from orchestrator.store.database.tables.metadata import metadata, partial_index, serial

audit = Table(
    "audit",
    metadata,
    Column("id", serial, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("client", String(64)),
    Column("workflow", String(64)),
    Column("event_id", String(32)),
    Column("destination", String(64)),
    Column("actor", String(255), nullable=False),
    Column("action", String(40), nullable=False),
    Column("source", String(20)),
    Column("target", String(20)),
    Column("reason", String(40)),
    Column("detail", Text),
    Column("incident_id", BigInteger),
    sqlite_autoincrement=True,
)
Index("ix_audit_event_id", audit.c.event_id)
# What is about no event is little, and is read by workflow: the story of a change.
partial_index(
    "ix_audit_workflow",
    audit.c.workflow,
    audit.c.id,
    where="event_id IS NULL",
)
partial_index("ix_audit_incident_id", audit.c.incident_id, where="incident_id IS NOT NULL")

# What rows of the audit are committed to, kept beside them so that it can be erased.
audit_values = Table(
    "audit_values",
    metadata,
    Column("audit_id", ForeignKey(audit.c.id), primary_key=True),
    Column("path", String(512), primary_key=True),  # a JSON Pointer into the row's detail
    Column("salt", String(32)),  # hex; null with the value
    Column("value", Text),  # JSON
    Column("gone_at", BigInteger),
    Column("gone_by", String(20)),  # erase or retention
    sqlite_with_rowid=False,
)

# Random keys of this store: one by which erased idempotency keys are still known.
store_keys = Table(
    "store_keys",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", String(64), nullable=False),
)

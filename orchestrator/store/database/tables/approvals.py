"""What people are asked before an event is sent."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from orchestrator.store.database.tables.events import events
from orchestrator.store.database.tables.metadata import metadata, partial_index, serial
from orchestrator.store.database.tables.workflows import workflow_versions

# What a person is asked before an event is sent, and what they said; no value of its payload.
event_approvals = Table(
    "event_approvals",
    metadata,
    Column("id", serial, primary_key=True),
    Column("event_id", ForeignKey(events.c.id), nullable=False),
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("workflow_id", ForeignKey(workflow_versions.c.id), nullable=False),
    Column("route", Integer, nullable=False),  # from 1
    Column("state", String(20), nullable=False),  # see domain/approvals/requests.py
    Column("subject", String(64), nullable=False),  # what an approval covers, see subject.py
    Column("salt", String(32)),  # of the subject; null once its event was erased
    Column("connectors", Text, nullable=False),  # JSON: digests of the definitions, by name
    Column("asked_at", BigInteger, nullable=False),
    Column("remind_at", BigInteger, nullable=False),  # half of its time is over then
    Column("decide_by", BigInteger, nullable=False),
    Column("decided_at", BigInteger),  # or when it ended otherwise
    Column("decided_by", String(255)),  # an actor
    Column("person_id", BigInteger, ForeignKey("people.id")),  # who decided
    Column("void_at", BigInteger),  # since then something else would be sent; null: it holds
    Column("grade", String(20)),  # session or key; why they decided so, the audit says
    sqlite_autoincrement=True,  # a group names the newest by its number
)
Index("ix_event_approvals_event_id", event_approvals.c.event_id)
partial_index(
    "ix_event_approvals_waiting",
    event_approvals.c.client,
    event_approvals.c.workflow,
    event_approvals.c.route,
    event_approvals.c.id,
    where="state = 'waiting'",
)
partial_index(
    "ix_event_approvals_one_waiting",
    event_approvals.c.event_id,
    unique=True,
    where="state = 'waiting'",
)

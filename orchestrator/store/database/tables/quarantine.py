"""Stays in quarantine, incidents, and messages that no worker could read."""

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

from orchestrator.store.database.tables.events import events
from orchestrator.store.database.tables.metadata import metadata, partial_index, serial
from orchestrator.store.database.text_search import TextSearchVector

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", serial, primary_key=True),
    Column("event_id", ForeignKey(events.c.id), nullable=False),
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("violations", Text, nullable=False),
    Column("owner", String(255), nullable=False),
    Column("recovery_lead", String(255), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("recover_by", BigInteger, nullable=False),
    Column("released_at", BigInteger),  # null: it is here now
    Column("incident_id", BigInteger),  # null: it came before there were incidents
    Column(
        "outcome", String(20)
    ),  # once released: under_way, delivered, discarded, moved, returned
    Column("ended_at", BigInteger),  # when its event ended, or came back
    Column("moved_to", BigInteger),  # the other incident, where it came back for another cause
)
partial_index(
    "ix_quarantine_outcome_event_id",
    quarantine.c.outcome,
    quarantine.c.event_id,
    where="outcome IS NOT NULL",
)
partial_index(
    "ix_quarantine_incident_id_outcome",
    quarantine.c.incident_id,
    quarantine.c.outcome,
    where="outcome IS NOT NULL",
)
partial_index("ix_quarantine_moved_to", quarantine.c.moved_to, where="moved_to IS NOT NULL")
partial_index(
    "ix_quarantine_standing",
    quarantine.c.event_id,
    unique=True,
    where="released_at IS NULL",
)
partial_index(
    "ix_quarantine_incident",
    quarantine.c.incident_id,
    quarantine.c.id,  # the oldest first
    where="released_at IS NULL",
)

# The words of the payloads in quarantine. On SQLite this is a virtual table (FTS5), which has
# its `rowid` by itself.
quarantine_words = Table(
    "quarantine_words",
    metadata,
    Column("rowid", BigInteger, primary_key=True, autoincrement=False),  # the stay's id
    Column("words", Text().with_variant(TextSearchVector(), "postgresql"), nullable=False),
)
Index("ix_quarantine_words", quarantine_words.c.words, info={"postgresql_using": "gin"})

# One cause of one workflow, for as long as it recurs: a recurrence opens the same row.
incidents = Table(
    "incidents",
    metadata,
    Column("id", serial, primary_key=True),
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("cause", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("destination", String(64)),
    Column("title", String(200), nullable=False),
    Column("state", String(20), nullable=False),
    Column("owner", String(255), nullable=False),
    Column("events", BigInteger, nullable=False),  # ever counted
    Column("notes", Integer, nullable=False),  # times it was counted up since it was opened
    Column("reopened", Integer, nullable=False, server_default="0"),
    Column("opened_at", BigInteger, nullable=False),  # the last time; the audit has the first
    Column("last_at", BigInteger, nullable=False),
    Column("recover_by", BigInteger, nullable=False),  # the earliest of its events
    Column("acknowledged_at", BigInteger),
    Column("acknowledged_by", String(255)),
    Column("resolved_at", BigInteger),
    Column("resolved_by", String(255)),
    Column("acknowledged_until", BigInteger),  # null: the acknowledgement has no end
    Column("outcome", Text),  # once resolved: how its events ended, as JSON
    Column("told_events", BigInteger),  # how many there were when its owner was last told
    Column("told_changes", Text),  # what the diagnosis found then, as a JSON list
    Column("tellings", Integer, nullable=False, server_default="0"),  # since it was opened
    Column("step", Integer, nullable=False, server_default="0"),  # of the escalation
    Column("breached_at", BigInteger),
    Column("updated_at", BigInteger, nullable=False),
    Column("stopped_at", BigInteger),  # since then a planned pause stops its clock
    UniqueConstraint("client", "workflow", "cause"),
)
partial_index("ix_incidents_unresolved", incidents.c.recover_by, where="state <> 'resolved'")

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", serial, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("queue", String(255)),
    Column("task", String(255)),
    Column("error", Text, nullable=False),
    Column("headers", Text, nullable=False),
    Column("content_type", String(255)),
    Column("content_encoding", String(255)),
    Column("body", LargeBinary, nullable=False),
    Column("cut_from", BigInteger),  # bytes of all of it, where only its beginning is kept
    Column("state", String(20), nullable=False, server_default="standing"),
    Column("closed_at", BigInteger),  # requeued or dropped
    Column("closed_by", String(255)),
    Column("why", Text),
    Column("digest", String(64)),
    Column("recover_by", BigInteger, nullable=False, server_default="0"),  # since it first came
    Column("incident_id", BigInteger),  # a keeper gives it
)
Index("ix_dead_letters_digest", dead_letters.c.digest)
Index("ix_dead_letters_incident", dead_letters.c.incident_id)
partial_index(  # the same message delivered twice is one dead letter
    "ix_dead_letters_standing",
    dead_letters.c.digest,
    unique=True,
    where="state = 'standing'",
)

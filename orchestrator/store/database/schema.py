"""The tables. Times are milliseconds since 1970 by the database's clock; JSON is kept as text.

`HEAD` is the newest migration. A change here goes with a migration; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from orchestrator.store.database.text_search import TextSearchVector

HEAD = "0017"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER key


def _only_where(condition: str) -> dict[str, Any]:
    # What PostgreSQL is told is set aside: by its own name it would load PostgreSQL's dialect.
    return {"sqlite_where": text(condition), "info": {"postgresql_where": text(condition)}}


def add_postgresql_options() -> None:
    """Give the indexes which options only PostgreSQL gets, for who makes or compares them."""
    for table in metadata.tables.values():
        for index in table.indexes:
            for name, value in index.info.items():
                index.dialect_kwargs[name] = value


workflow_versions = Table(
    "workflow_versions",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("client", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("trigger_type", String(255), nullable=False),
    Column("definition", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("live", Boolean, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", String(255), nullable=False),
    UniqueConstraint("client", "name", "version"),
)
Index(
    "ix_workflow_versions_live_name",
    workflow_versions.c.client,
    workflow_versions.c.name,
    unique=True,
    **_only_where("live"),
)
Index(
    "ix_workflow_versions_live_trigger",
    workflow_versions.c.client,
    workflow_versions.c.trigger_type,
    unique=True,
    **_only_where("live"),
)

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
Index(
    "ix_events_workflow_id_due_at",
    events.c.workflow_id,
    events.c.due_at,
    **_only_where("due_at IS NOT NULL"),
)

# Payloads stand apart, so that a move rewrites a small row.
payloads = Table(
    "payloads",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column("body", Text, nullable=False),
    Column("amended", Text),  # what a person's fix made of it; the body is never changed
)

groups = Table(
    "groups",
    metadata,
    Column("epoch", _serial, primary_key=True),
    Column("workflow_id", ForeignKey(workflow_versions.c.id), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("size", Integer, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    sqlite_autoincrement=True,  # an epoch is never given twice
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column("destination", String(64), primary_key=True),
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
    sqlite_with_rowid=False,
)
Index(
    "ix_deliveries_held",
    deliveries.c.held_by,
    deliveries.c.event_id,  # the oldest first
    # Not by `state`: on PostgreSQL each change of a column that an index names rewrites them all.
    **_only_where("held_by IS NOT NULL"),
)

# The way of calls to a connector ("helpdesk"), to an action ("helpdesk.create_ticket") or to a
# destination ("acme/lead-routing/desk"): its breaker, pause and rate. No row: calls go out.
circuits = Table(
    "circuits",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("block", String(20)),  # pause or breaker; null: calls go out
    Column("reason", String(40)),
    Column("error", Text),  # the last failure, secrets masked
    Column("failures", Integer, nullable=False, server_default="0"),  # one after the other
    Column("since", BigInteger, nullable=False),
    Column("actor", String(255), nullable=False),  # who blocked or unblocked it
    Column("probe_at", BigInteger),  # open: when one call may try
    Column("nudged_at", BigInteger),  # when a held delivery was last sent to be that call
    Column("postponed_until", BigInteger),  # the destination asked for no call before
    Column("paid_until_us", BigInteger),  # the rate's budget is used up to this time, microseconds
    Column("granted", Integer),  # calls of the last reservation: an upsert cannot answer otherwise
    Column("updated_at", BigInteger, nullable=False),
    Column("taken_at", BigInteger),  # when a call last got through, of those after a failure
    Column("only_event", String(32)),  # the one event that failed since; null: several, or none
    Column("probe_event", String(32)),  # the event that was sent to try, until it does
    Column("probing", Boolean, nullable=False, server_default=false()),  # half-open: a call tries
    Column("probes", Integer, nullable=False, server_default="0"),  # sent to try since it opened
    Column("pauses", Integer, nullable=False, server_default="0"),  # asked for in a row
    Column("pausing_since", BigInteger),
    Column("paused_until", BigInteger),  # paused: when that ends by itself; null: by a person
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _serial, primary_key=True),
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
    Column("released_at", BigInteger),  # null: it stands here now
    Column("incident_id", BigInteger),  # null: it came before there were incidents
    Column(
        "outcome", String(20)
    ),  # once released: under_way, delivered, discarded, moved, returned
    Column("ended_at", BigInteger),  # when its event ended, or came back
    Column("moved_to", BigInteger),  # the other incident, where it came back for another cause
)
Index(
    "ix_quarantine_outcome_event_id",
    quarantine.c.outcome,
    quarantine.c.event_id,
    **_only_where("outcome IS NOT NULL"),
)
Index(
    "ix_quarantine_incident_id_outcome",
    quarantine.c.incident_id,
    quarantine.c.outcome,
    **_only_where("outcome IS NOT NULL"),
)
Index("ix_quarantine_moved_to", quarantine.c.moved_to, **_only_where("moved_to IS NOT NULL"))
Index(
    "ix_quarantine_standing",
    quarantine.c.event_id,
    unique=True,
    **_only_where("released_at IS NULL"),
)
Index(
    "ix_quarantine_incident",
    quarantine.c.incident_id,
    quarantine.c.id,  # the oldest first
    **_only_where("released_at IS NULL"),
)

# The words of the payloads that stand there. On SQLite this is a virtual table (FTS5), which has
# its `rowid` by itself.
quarantine_words = Table(
    "quarantine_words",
    metadata,
    Column("rowid", BigInteger, primary_key=True, autoincrement=False),  # the stay's id
    Column("words", Text().with_variant(TextSearchVector(), "postgresql"), nullable=False),
)
Index("ix_quarantine_words", quarantine_words.c.words, info={"postgresql_using": "gin"})

# One cause of one workflow, for as long as it comes again: a recurrence opens the same row.
incidents = Table(
    "incidents",
    metadata,
    Column("id", _serial, primary_key=True),
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
Index("ix_incidents_unresolved", incidents.c.recover_by, **_only_where("state <> 'resolved'"))

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
    Column("id", _serial, primary_key=True),
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
    UniqueConstraint("incident_id", "round", "kind", "step", "recipient"),
)
Index("ix_alerts_waiting", alerts.c.due_at, **_only_where("state = 'waiting'"))

audit = Table(
    "audit",
    metadata,
    Column("id", _serial, primary_key=True),
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
Index("ix_audit_incident_id", audit.c.incident_id, **_only_where("incident_id IS NOT NULL"))

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

keys = Table(
    "keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("label", String(255), nullable=False),
    Column("clients", Text, nullable=False),  # JSON list; ["*"] is every client
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("revoked_at", BigInteger),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", _serial, primary_key=True),
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
Index(  # the same message delivered twice is one dead letter
    "ix_dead_letters_standing",
    dead_letters.c.digest,
    unique=True,
    **_only_where("state = 'standing'"),
)

# A fix that was applied or published, kept once a workflow, so that it can be used again.
recipes = Table(
    "recipes",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("digest", String(32), nullable=False),  # of its steps
    Column("steps", Text, nullable=False),
    Column("note", Text),
    Column("author", String(255), nullable=False),
    Column("saved_at", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False, server_default="0"),  # that it amended
    Column("used_at", BigInteger),
    Column("version", Integer),  # the last one that was published with it
    UniqueConstraint("client", "workflow", "digest"),
)

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

# A replay that was planned before it runs: what stands where is frozen, and must be so still.
plans = Table(
    "plans",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("token", String(32), nullable=False, unique=True),
    Column("state", String(20), nullable=False),  # freezing, ready, running, done or expired
    Column("selection", Text, nullable=False),
    Column("workflows", Text, nullable=False),  # the versions that were live
    Column("effects", Text, nullable=False),  # deliveries by effect and destination
    Column("left_out", Text, nullable=False),  # events that would not pass, by reason
    Column("events", Integer, nullable=False),
    Column("repeats", Integer, nullable=False),  # deliveries that may arrive twice
    Column("planned_at", BigInteger, nullable=False),
    Column("planned_by", String(255), nullable=False),
    Column("started_at", BigInteger),  # the first time: its events are due from then on
    Column("started_by", String(255)),  # the last time
    Column("finished_at", BigInteger),
    Column("order_by", String(64)),  # a fact: events with the same one go one after the other
)

plan_events = Table(
    "plan_events",
    metadata,
    Column("plan_id", ForeignKey(plans.c.id), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # in accepted order
    Column("event_id", String(32), nullable=False),
    Column("ground", String(32), nullable=False),  # digest of how the event stood
    Column("effects", Text, nullable=False),  # no payload: destinations and words
    Column("done_at", BigInteger),  # null: still to be replayed
    Column("behind", Integer),  # the place of the event that has to be at its end before
    UniqueConstraint("plan_id", "event_id"),
)
Index(
    "ix_plan_events_open",
    plan_events.c.plan_id,
    plan_events.c.place,
    **_only_where("done_at IS NULL"),
)

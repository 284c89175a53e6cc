"""The tables. Times are milliseconds since 1970 by the database's clock; JSON is kept as text.

`HEAD` is the newest migration. A change here goes with a migration; a test compares the two.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
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

HEAD = "0044"

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
    Column("ordering", Text),  # how its events are ordered, as JSON; null: they are not
    Column("change_id", BigInteger),  # by which it went live; null: before there were changes
    Column("connectors", Text),  # approved definitions, by name, as JSON; null: any will do
    Column("trial", String(10)),  # of a candidate: running or stopped; null: it is, or was, live
    Column("canary", Text),  # of a live version: the candidate beside it, see canary.py
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

# Events that have an ordering key, each with its place in the line of that key.
ordered_events = Table(
    "ordered_events",
    metadata,
    Column("place", _serial, primary_key=True),  # in the order of acceptance
    Column("event_id", ForeignKey(events.c.id), nullable=False, unique=True),
    Column("line", String(32), nullable=False),  # a keyed digest of workflow and key
    Column("stand", String(10), nullable=False),  # waiting, turn, aside or ended
    Column("passes", Boolean, nullable=False),  # in quarantine it lets those behind it pass
    Column("rank", String(40)),  # by which the newer of two updates is known
    sqlite_autoincrement=True,  # a place is never given twice
)
Index("ix_ordered_events_turn", ordered_events.c.line, unique=True, **_only_where("stand = 'turn'"))
Index(
    "ix_ordered_events_waiting",
    ordered_events.c.line,
    ordered_events.c.place,
    **_only_where("stand = 'waiting'"),
)
Index(
    "ix_ordered_events_rank",
    ordered_events.c.line,
    ordered_events.c.rank,
    **_only_where("rank IS NOT NULL"),
)

# Lines that a relay is to look at, for the turn in them may be free.
line_looks = Table(
    "line_looks",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("line", String(32), nullable=False),
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
    Column("released_at", BigInteger),  # null: it is here now
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
    Column("way", String(255)),  # which took it, of its contact's; null: none, or nobody kept it
    Column("change_id", BigInteger),  # that it is about, and no incident
    Column("subject", String(64)),  # the digest of what its recipient is asked
    UniqueConstraint("incident_id", "round", "kind", "step", "recipient"),
)
Index(
    "ix_alerts_change",
    alerts.c.change_id,
    alerts.c.round,
    alerts.c.kind,
    alerts.c.recipient,
    unique=True,
    **_only_where("change_id IS NOT NULL"),
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
# What is about no event is little, and is read by workflow: the story of a change.
Index(
    "ix_audit_workflow",
    audit.c.workflow,
    audit.c.id,
    **_only_where("event_id IS NULL"),
)
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
    Column("role", String(16), nullable=False, server_default="producer"),
    Column("person_id", BigInteger, ForeignKey("people.id")),  # whose key it is; null: a program's
    Column("expires_at", BigInteger),
    Column("used_at", BigInteger),  # the last use, to a few seconds
    Column("replaced_by", String(16)),  # the key that it was rotated to
    Column("rate_per_second", Integer),  # triggers that each door takes of it; null: any
    Column("quota_per_day", BigInteger),  # triggers of a day of UTC; null: any
)

# What a key that has limits sent, day by day.
key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", ForeignKey(keys.c.id), primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),  # of UTC since 1970
    Column("events", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What a source sent, day by day.
source_usage = Table(
    "source_usage",
    metadata,
    Column("source", String(64), primary_key=True),  # by its name
    Column("day", Integer, primary_key=True, autoincrement=False),  # of UTC since 1970
    Column("events", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

people = Table(
    "people",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("mail", String(320), nullable=False, unique=True),  # in small letters
    Column("name", String(255), nullable=False),
    Column("password", String(255)),  # a digest by argon2id; null: none was set
    Column("subject", String(255), unique=True),  # how the company's login names the person
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("disabled_at", BigInteger),
    sqlite_autoincrement=True,  # the audit names a person by mail; a number has one meaning too
)

person_roles = Table(
    "person_roles",
    metadata,
    Column("person_id", BigInteger, ForeignKey("people.id"), primary_key=True),
    Column("client", String(64), primary_key=True),  # "*" is every client
    Column("role", String(16), primary_key=True),
    Column("granted_at", BigInteger, nullable=False),
    Column("granted_by", String(255), nullable=False),
)

# A person who has logged in. `id` is a digest of what the browser or the command line holds.
sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("way", String(16), nullable=False),  # page, cli
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),  # whatever it is used for
    Column("ended_at", BigInteger),
    Index("ix_sessions_person_id", "person_id"),
)

# A link that may be used once, to set a password. `id` is a digest of what the link holds.
invites = Table(
    "invites",
    metadata,
    Column("id", String(64), primary_key=True),
    Column(
        "person_id", BigInteger, ForeignKey("people.id")
    ),  # null: who uses it is the first admin
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

# Logins that failed lately, by a digest of the name or the address: the next one has to wait.
login_failures = Table(
    "login_failures",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Index("ix_login_failures_last_at", "last_at"),
)

# The tokens of one login at a provider, which all processes share, and who refreshes them now.
oauth_tokens = Table(
    "oauth_tokens",
    metadata,
    Column("id", String(64), primary_key=True),  # a digest of the login as its definition names it
    Column("connector", String(64), nullable=False),  # that used it last
    Column("number", Integer, nullable=False),  # how often it was refreshed
    Column("sealed", Text),  # both tokens, under a key that is not in the store
    Column("good_until", BigInteger, nullable=False),  # of the access token, with a margin
    Column("kept_at", BigInteger, nullable=False),
    Column("holder", String(32)),  # of the lease: who refreshes
    Column("leased_until", BigInteger),
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
    Column("author", String(255), nullable=False),  # as its file says, else who saved it
    Column("saved_by", String(255)),  # an actor; null: it is older than the column
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

# A replay that was planned before it runs: the state of its events is frozen, and must still hold.
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
    Column("change", String(32)),  # the token of the change under which it was made; null: live
    Column("subject", String(64)),  # the digest that this change had then
    Column("digest", String(64)),  # over its events; null: frozen before there were digests
    Index("ix_plans_change", "change", **_only_where("change IS NOT NULL")),
)

plan_events = Table(
    "plan_events",
    metadata,
    Column("plan_id", ForeignKey(plans.c.id), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),  # in accepted order
    Column("event_id", String(32), nullable=False),
    Column("ground", String(32), nullable=False),  # digest of the event's state
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

# A long act that a person started and a keeper carries out; it goes on whoever goes away.
jobs = Table(
    "jobs",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("kind", String(20), nullable=False),  # see `JobKind`
    Column("state", String(20), nullable=False),  # see `JobState`
    Column("client", String(64)),  # null: it is about several
    Column("clients", Text, nullable=False),  # JSON list of all of them
    Column("plan", String(32)),  # the token of the replay plan that it runs
    Column("asked", Text, nullable=False),  # JSON: what its kind has to know
    Column("why", Text),
    Column("items", Integer, nullable=False),
    Column("done", Integer, nullable=False),  # of these, failed ones too
    Column("failed", Integer, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("started_by", String(255), nullable=False),  # on whose word it acts
    Column("started_person", BigInteger),  # who that is in `people`, asked before each step
    Column("started_key", String(16)),  # and by which key
    Column("taken_at", BigInteger),  # the last time that a keeper took it
    Column("ended_at", BigInteger),  # null: it is unfinished
    Column("error", Text),  # why it failed
    Column("keeper", String(255)),  # that took it last
    Column("holder", String(32)),  # of the lease; null: nobody
    Column("leased_until", BigInteger),
    Column("takes", Integer, nullable=False),  # since it last got on
    sqlite_autoincrement=True,  # a number is never given twice
)
Index(
    "ix_jobs_unfinished",
    jobs.c.id,
    **_only_where("state IN ('queued', 'running', 'stopping')"),
)

# The events of a job, frozen when it was started; a plan's are in `plan_events`.
job_items = Table(
    "job_items",
    metadata,
    Column("job_id", ForeignKey(jobs.c.id), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("event_id", String(32), nullable=False),
    Column("outcome", String(20)),  # null: still to be done
    Column("detail", Text),  # why nothing came of it
    sqlite_with_rowid=False,
)
Index("ix_job_items_event_id", job_items.c.event_id)
Index("ix_job_items_open", job_items.c.job_id, job_items.c.place, **_only_where("outcome IS NULL"))
Index(
    "ix_job_items_failed",
    job_items.c.job_id,
    job_items.c.place,
    **_only_where("outcome = 'failed'"),
)

# A proposed version of a workflow; its states are in domain/changes/states.py.
changes = Table(
    "changes",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("token", String(32), nullable=False, unique=True),  # by which people name it
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("round", Integer, nullable=False),  # from 1; each edit begins a new one
    Column("base_version", Integer),  # that was live when it was proposed; null: none was
    Column("definition", Text, nullable=False),  # JSON; of a retirement, of the live version
    Column("digest", String(64), nullable=False),  # of the definition, as versions have it
    Column("subject", String(64), nullable=False),  # what an approval is of, see subject.py
    Column("why", Text),
    Column("proposed_at", BigInteger, nullable=False),
    Column("proposed_by", String(255), nullable=False),
    Column("changed_at", BigInteger, nullable=False),  # its state
    Column("changed_by", String(255), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("go_live_at", BigInteger),  # null: as soon as it is approved
    Column("live_version", Integer),  # that it made
    Column("ended_why", Text),  # why it was withdrawn, rejected, expired, or broke the glass
    Column("way", String(20)),  # how it went live: approved, unapproved or break_glass
    Column("connectors", Text),  # digests of their definitions, by name, as JSON; null: not known
    Column("evidence", Text),  # digests of this round's, by kind, as JSON; null: none was recorded
    Column("rollout", Text),  # its steps, see rollout.py; null: live for all events at once
    sqlite_autoincrement=True,
)
Index("ix_changes_workflow", changes.c.client, changes.c.workflow, changes.c.id)
Index(
    "ix_changes_open",
    changes.c.id,
    **_only_where("state IN ('draft', 'awaiting_approval', 'approved', 'shadow', 'canary')"),
)

# The steps of a rollout, one row each; the one that has not stopped is under way.
rollout_arms = Table(
    "rollout_arms",
    metadata,
    Column("id", _serial, primary_key=True),
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
Index("ix_rollout_arms_untidy", rollout_arms.c.version_id, **_only_where("NOT tidy"))

# The events that a canary took, with what became of each.
rollout_events = Table(
    "rollout_events",
    metadata,
    Column("event_id", ForeignKey(events.c.id), primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("claimed_at", BigInteger),  # null: it waits until the ones before it are judged
    Column("outcome", String(20)),  # delivered, late or quarantined; null: not known yet
    Column("ended_at", BigInteger),
    Column("counted", Boolean, nullable=False),  # the outcome counts in the verdict
    sqlite_with_rowid=False,
)
Index("ix_rollout_events_change_id", rollout_events.c.change_id)
Index("ix_rollout_events_open", rollout_events.c.change_id, **_only_where("NOT counted"))

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

# Everybody whose steps are in a change.
change_authors = Table(
    "change_authors",
    metadata,
    Column("change_id", ForeignKey(changes.c.id), primary_key=True),
    Column("name", String(255), primary_key=True),  # an actor without its way
    Column("part", String(20), nullable=False),  # proposed, edited, steps or key
    Column("proven", Boolean, nullable=False),  # by a session or a key
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

change_decisions = Table(
    "change_decisions",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("round", Integer, nullable=False),
    Column("decision", String(20), nullable=False),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    Column("grade", String(20), nullable=False),  # session, api_key or key
    Column("subject", String(64), nullable=False),  # that was decided about
    Column("why", Text),
    Column("at", BigInteger, nullable=False),
    Column("stands_in_for", String(255)),  # the approver who was away; null: nobody
    Index("ix_change_decisions_change_id", "change_id"),
)

# Public keys by which people sign decisions; a key is one person's for good.
signing_keys = Table(
    "signing_keys",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("public_key", Text, nullable=False),  # as OpenSSH writes it
    Column("label", String(255), nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("added_by", String(255), nullable=False),
    Column("counts_from", BigInteger, nullable=False),
    Column("confirmed_by", String(255)),  # an admin: it counts since then
    Column("revoked_at", BigInteger),
    sqlite_autoincrement=True,
)

change_signatures = Table(
    "change_signatures",
    metadata,
    Column("decision_id", ForeignKey(change_decisions.c.id), primary_key=True),
    Column("key_id", ForeignKey(signing_keys.c.id), nullable=False),
    Column("message", Text, nullable=False),  # to the byte
    Column("signature", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What a change would have decided about past events.
backtests = Table(
    "backtests",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("round", Integer, nullable=False),
    Column("base_version", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),  # events that were accepted then or later,
    Column("until", BigInteger, nullable=False),  # and before
    Column("seed", BigInteger, nullable=False),
    Column("most", Integer, nullable=False),  # of more events a sample is looked at
    Column("cursor", String(32), nullable=False),  # the last event that was counted
    Column("sums", Text),  # so far, as JSON; null: there are none, or it is done
    Column("result", Text),  # as JSON; null: it is not done
    Column("digest", String(64)),  # of the result
    Column("begun_at", BigInteger, nullable=False),
    Column("begun_by", String(255), nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", String(255)),
    Index("ix_backtests_change_id", "change_id"),
)

# What was found out about each round of a change when it was proposed.
change_evidence = Table(
    "change_evidence",
    metadata,
    Column("change_id", ForeignKey(changes.c.id), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), primary_key=True),  # an EvidenceKind
    Column("body", Text, nullable=False),  # JSON: counts, names and ids, no value of a payload
    Column("digest", String(64), nullable=False),  # of the body
    Column("at", BigInteger, nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    sqlite_with_rowid=False,
)

# Gates that an approver lets fail for some time.
gate_waivers = Table(
    "gate_waivers",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("round", Integer, nullable=False),  # an edit is another round: it is not waived
    Column("gate", String(64), nullable=False),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    Column("grade", String(20), nullable=False),  # session, api_key or key
    Column("why", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("ix_gate_waivers_change_id", "change_id"),
)

# Who decides about changes while a person is away.
absences = Table(
    "absences",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("to_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    Column("ended_at", BigInteger),  # before its time; null: it lasts, or lasted, until then
    Index("ix_absences_person_id", "person_id"),
)

# When no version of a client goes live.
change_freezes = Table(
    "change_freezes",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("client", String(64), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    Column("at", BigInteger, nullable=False),  # when it was written
    Column("ended_at", BigInteger),  # before its time; null: it lasts, or lasted, until then
    Column("ended_by", String(255)),
    Index("ix_change_freezes_client", "client", "until"),
)

# The clients whose changes need an approval. A row is never taken away: once required, always.
approvals_required = Table(
    "approvals_required",
    metadata,
    Column("client", String(64), primary_key=True),  # "*" is every client
    Column("since", BigInteger, nullable=False),
    Column("cause", String(255), nullable=False),  # a setting, or who gave the first role
    sqlite_with_rowid=False,
)

# What a person is asked before an event is sent, and what they said; no value of its payload.
event_approvals = Table(
    "event_approvals",
    metadata,
    Column("id", _serial, primary_key=True),
    Column("event_id", ForeignKey(events.c.id), nullable=False),
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("workflow_id", ForeignKey(workflow_versions.c.id), nullable=False),
    Column("route", Integer, nullable=False),  # from 1
    Column("state", String(20), nullable=False),  # see domain/approvals/requests.py
    Column("subject", String(64), nullable=False),  # what an approval is of, see subject.py
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
Index(
    "ix_event_approvals_waiting",
    event_approvals.c.client,
    event_approvals.c.workflow,
    event_approvals.c.route,
    event_approvals.c.id,
    **_only_where("state = 'waiting'"),
)
Index(
    "ix_event_approvals_one_waiting",
    event_approvals.c.event_id,
    unique=True,
    **_only_where("state = 'waiting'"),
)

"""What a person starts at the desk: recipes, plans and jobs."""

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

from orchestrator.store.database.tables.metadata import metadata, partial_index, serial

# A fix that was applied or published, kept once a workflow, so that it can be used again.
recipes = Table(
    "recipes",
    metadata,
    Column("id", serial, primary_key=True),
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

# A replay that was planned before it runs: the state of its events is frozen, and must still hold.
plans = Table(
    "plans",
    metadata,
    Column("id", serial, primary_key=True),
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
    partial_index("ix_plans_change", "change", where="change IS NOT NULL"),
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
    Column("left_out", String(20)),  # why a run left it as it is; null: it did not
    Column("behind", Integer),  # the place of the event that has to be at its end before
    UniqueConstraint("plan_id", "event_id"),
)
partial_index(
    "ix_plan_events_open",
    plan_events.c.plan_id,
    plan_events.c.place,
    where="done_at IS NULL",
)

# A long act that a person started and a keeper carries out; it goes on whoever goes away.
jobs = Table(
    "jobs",
    metadata,
    Column("id", serial, primary_key=True),
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
partial_index(
    "ix_jobs_unfinished",
    jobs.c.id,
    where="state IN ('queued', 'running', 'stopping')",
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
partial_index("ix_job_items_open", job_items.c.job_id, job_items.c.place, where="outcome IS NULL")
partial_index(
    "ix_job_items_failed",
    job_items.c.job_id,
    job_items.c.place,
    where="outcome = 'failed'",
)

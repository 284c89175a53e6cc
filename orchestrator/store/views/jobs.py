"""Jobs as people read them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

import orjson
from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, or_, select

from orchestrator.domain.jobs import UNFINISHED, JobState
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import (
    audit,
    backtests,
    changes,
    job_items,
    jobs,
    plan_events,
    plans,
    quarantine,
)
from orchestrator.store.views.values import iso, iso_time


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """A job as it is kept. Times are ISO 8601 in UTC."""

    id: int
    kind: str  # as `JobKind`
    state: str  # as `JobState`
    clients: tuple[str, ...]  # whose events it is about
    plan: str | None  # the token of the replay plan that it runs
    change: str | None  # the token of the change that it backtests
    why: str | None
    items: int  # events that it is about; 0 also where a backtest has not counted them yet
    done: int  # of these, failed ones too
    failed: int  # nothing came of them
    started_at: str
    started_by: str  # an actor, such as `cli:dana`, on whose word it acts
    taken_at: str | None  # when a keeper took it, the last time
    ended_at: str | None  # None: it is unfinished
    keeper: str | None  # that took it last
    error: str | None  # why it failed


def list_jobs(
    tx: Connection,
    *,
    client: str | None = None,
    state: JobState | None = None,
    clients: Collection[str] | None = None,
    limit: int,
    before: int | None = None,
) -> list[JobRow]:
    """Jobs, the newest first; those with a lower number than `before`, where it is given.

    Those that are about none but these `clients`; None: about any.
    """
    table = jobs.c
    statement = select(jobs).order_by(table.id.desc())
    if client is not None:
        statement = statement.where(table.client == client)
    if state is not None:
        statement = statement.where(table.state == state.value)
    if before is not None:
        statement = statement.where(table.id < before)
    if clients is not None:
        statement = statement.where(table.client.is_(None) | table.client.in_(clients))
    # Whose a job about several is stands in the row, so that is looked at job by job.
    rows = tx.execute(statement if clients is not None else statement.limit(limit))
    seen = (one for one in map(_job, rows) if clients is None or set(one.clients) <= set(clients))
    return list(islice(seen, limit))


def find_job(tx: Connection, number: int) -> JobRow | None:
    """The job of a number."""
    row = tx.execute(select(jobs).where(jobs.c.id == number)).one_or_none()
    return None if row is None else _job(row)


def unfinished_job_of(tx: Connection, plan: str) -> JobRow | None:
    """The job that runs a plan, or is about to."""
    found = select(jobs).where(jobs.c.plan == plan, _UNFINISHED).limit(1)
    row = tx.execute(found).one_or_none()
    return None if row is None else _job(row)


def jobs_on_incident(
    tx: Connection, incident: int, *, clients: Collection[str] | None = None
) -> list[JobRow]:
    """The unfinished jobs that act on events of an incident next, the oldest first.

    Of each job the next events are looked at, which are in quarantine still. Only jobs that are
    about none but these `clients`; None: about any.
    """
    items = (
        select(job_items.c.event_id)
        .where(job_items.c.job_id == jobs.c.id, job_items.c.outcome.is_(None))
        .order_by(job_items.c.place)
    )
    plan = select(plans.c.id).where(plans.c.token == jobs.c.plan).correlate(jobs).scalar_subquery()
    planned = (
        select(plan_events.c.event_id)
        .where(plan_events.c.plan_id == plan, plan_events.c.done_at.is_(None))
        .order_by(plan_events.c.place)
    )
    found = (
        select(jobs)
        .where(_UNFINISHED, or_(_of_incident(items, incident), _of_incident(planned, incident)))
        .order_by(jobs.c.id)
    )
    every = map(_job, tx.execute(found))
    return [one for one in every if clients is None or set(one.clients) <= set(clients)]


def _of_incident(events: Select[tuple[str]], incident: int) -> ColumnElement[bool]:
    """That one of the next events is in quarantine for an incident.

    Each of them is looked up: by the incident's index all of its events would be, as often as there
    are jobs. A sum has no index.
    """
    following = events.limit(_NEXT_EVENTS).correlate(jobs).subquery()
    return (
        select(literal(1))
        .select_from(following)
        .join(quarantine, quarantine.c.event_id == following.c.event_id)
        .where(quarantine.c.released_at.is_(None), quarantine.c.incident_id + 0 == incident)
        .correlate(jobs)
        .exists()
    )


_NEXT_EVENTS = 100  # of a job, by which it is known whose they are


@dataclass(frozen=True, kw_only=True, slots=True)
class JobWord:
    """What somebody did to a job."""

    did: str  # stopped, resumed or ended
    by: str  # an actor
    at: str  # ISO 8601 in UTC


def last_word_on(tx: Connection, number: int) -> JobWord | None:
    """Who stopped, resumed or ended a job last; None where that is longer ago.

    The audit has no index by jobs, so only its newest rows are looked at.
    """
    table = audit.c
    newest = select(func.max(table.id)).scalar_subquery()
    statement = (
        select(table.action, table.actor, table.at, table.detail)
        .where(table.id > newest - _LOOKED_BACK, table.action.in_(list(_DID)))
        .order_by(table.id.desc())
    )
    for row in tx.execute(statement):
        if orjson.loads(row.detail or "{}").get("job") == number:
            return JobWord(did=_DID[row.action], by=row.actor, at=iso_time(row.at))
    return None


_LOOKED_BACK = 20_000  # rows of the audit
_DID = {
    "stop_job": "stopped",
    "resume_job": "resumed",
    "finish_job": "ended",
    "fail_job": "ended",
}


def jobs_of_plan(tx: Connection, plan: str) -> list[JobRow]:
    """The jobs that run a plan, or did, the newest first."""
    found = select(jobs).where(jobs.c.plan == plan).order_by(jobs.c.id.desc())
    return list(map(_job, tx.execute(found)))


def backtest_job_of(tx: Connection, change: str) -> JobRow | None:
    """The newest job that backtests a change, or did; by the token of the change."""
    number = select(changes.c.id).where(changes.c.token == change).scalar_subquery()
    mine = select(backtests.c.job).where(backtests.c.change_id == number)
    found = select(jobs).where(jobs.c.id.in_(mine)).order_by(jobs.c.id.desc()).limit(1)
    row = tx.execute(found).one_or_none()
    return None if row is None else _job(row)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenJobs:
    """How many jobs are unfinished."""

    carried_out: int  # a keeper has the lease
    waiting: int  # for a keeper


def count_open_jobs(tx: Connection) -> OpenJobs:
    """How many jobs keepers carry out, and how many wait for one."""
    lease = jobs.c.leased_until
    waits = case((lease.is_(None) | (lease <= now_ms()), 1))
    row = tx.execute(select(func.count(waits), func.count()).where(_UNFINISHED)).one()
    return OpenJobs(carried_out=row[1] - row[0], waiting=row[0])


_UNFINISHED = jobs.c.state.in_([one.value for one in UNFINISHED])


def _job(row: AnyRow) -> JobRow:
    return JobRow(
        id=row.id,
        kind=row.kind,
        state=row.state,
        clients=tuple(orjson.loads(row.clients)),
        plan=row.plan,
        change=orjson.loads(row.asked).get("change"),
        why=row.why,
        items=row.items,
        done=row.done,
        failed=row.failed,
        started_at=iso_time(row.started_at),
        started_by=row.started_by,
        taken_at=iso(row.taken_at),
        ended_at=iso(row.ended_at),
        keeper=row.keeper,
        error=row.error,
    )

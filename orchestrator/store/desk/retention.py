"""Forgetting what finished events carried; what happened to them stays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    bindparam,
    delete,
    exists,
    func,
    select,
    tuple_,
    update,
)

from orchestrator.domain.lifecycle import State
from orchestrator.store.database.audit_values import RETENTION, empty_values_of
from orchestrator.store.database.clock import first_id
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import (
    dead_letters,
    deliveries,
    event_approvals,
    events,
    hook_requests,
    job_items,
    jobs,
    payloads,
    plan_events,
    plans,
    quarantine,
    traces,
)
from orchestrator.store.desk.kept_ranks import digest_items, keep_newest

FINISHED = (State.DELIVERED, State.DISCARDED)


def finished_before(tx: Connection, cutoff_ms: int, *, after: str, most: int) -> list[str]:
    """Ids above `after` of events that were finished by then and still have a payload; in order."""
    # In two steps, each by a primary key: PostgreSQL would join the two tables from the beginning
    # of the events, for each batch anew.
    until = first_id(cutoff_ms)
    while kept := list(_KEPT.run(tx, after=after, until=until, most=most).scalars()):
        if finished := still_finished(tx, kept, cutoff_ms):
            return finished
        after = kept[-1]
    return []


def still_finished(tx: Connection, ids: Sequence[str], cutoff_ms: int) -> list[str]:
    """Those of these events that were finished by then, in order."""
    return sorted(_FINISHED.run(tx, ids=list(ids), cutoff=cutoff_ms).scalars())


def count_finished_before(tx: Connection, cutoff_ms: int) -> int:
    """How many events were finished by then and still have a payload."""
    found: int = tx.execute(
        select(func.count())
        .select_from(payloads.join(events, events.c.id == payloads.c.event_id))
        .where(payloads.c.event_id < first_id(cutoff_ms), *_finished(cutoff_ms))
    ).scalar_one()
    return found


def forget_contents(tx: Connection, ids: Sequence[str], *, gone_by: str = RETENTION) -> None:
    """Delete the payloads of these events, and all that repeats values of them beside events.

    Retention leaves what later updates are compared to; an erasure leaves nothing of that.
    """
    digests = digest_items(tx, ids) if gone_by == RETENTION else None
    for statement in _FORGET:
        statement.run(tx, ids=list(ids))
    if digests is not None:
        keep_newest(tx, ids, digests)
    empty_values_of(tx, ids, gone_by=gone_by)


def closed_letters_before(tx: Connection, cutoff_ms: int) -> list[int]:
    """Numbers of the dead letters that were closed by then and still have a body."""
    return list(tx.execute(select(dead_letters.c.id).where(*_closed(cutoff_ms))).scalars())


def forget_letters(tx: Connection, cutoff_ms: int) -> int:
    """Empty the bodies of dead letters that were closed by then; how many."""
    emptied = update(dead_letters).where(*_closed(cutoff_ms)).values(body=b"", headers="{}")
    return tx.execute(emptied).rowcount


def old_plans(tx: Connection, cutoff_ms: int) -> int:
    """How many replay plans nobody made, ran or finished since then."""
    found = select(func.count()).select_from(plans).where(_untouched(cutoff_ms))
    return int(tx.execute(found).scalar_one())


def forget_plans(tx: Connection, cutoff_ms: int, *, most: int) -> tuple[int, int]:
    """Delete at most so many events of such plans, and the plans that have none left; how many.

    None of them runs from then on, so that no half of a plan does.
    """
    expired = update(plans).where(_untouched(cutoff_ms), plans.c.state != "expired")
    tx.execute(expired.values(state="expired"))
    old = select(plans.c.id).where(_untouched(cutoff_ms))
    some = (
        select(plan_events.c.plan_id, plan_events.c.place)
        .where(plan_events.c.plan_id.in_(old))
        .limit(most)
    )
    place = tuple_(plan_events.c.plan_id, plan_events.c.place)
    gone = tx.execute(delete(plan_events).where(place.in_(some))).rowcount
    empty = ~exists().where(plan_events.c.plan_id == plans.c.id)
    done = tx.execute(delete(plans).where(_untouched(cutoff_ms), empty)).rowcount
    return gone, done


def old_jobs(tx: Connection, cutoff_ms: int) -> int:
    """How many jobs ended by then."""
    ended = jobs.c.ended_at <= cutoff_ms
    return int(tx.execute(select(func.count()).select_from(jobs).where(ended)).scalar_one())


def forget_jobs(tx: Connection, cutoff_ms: int, *, most: int) -> tuple[int, int]:
    """Delete at most so many events of such jobs, and the jobs that have none left; how many."""
    # Held, so that nobody resumes half of one.
    ended = select(jobs.c.id).where(jobs.c.ended_at <= cutoff_ms).order_by(jobs.c.id)
    old = list(tx.execute(ended.limit(most).with_for_update()).scalars())
    some = select(job_items.c.job_id, job_items.c.place).where(job_items.c.job_id.in_(old))
    place = tuple_(job_items.c.job_id, job_items.c.place)
    gone = tx.execute(delete(job_items).where(place.in_(some.limit(most)))).rowcount
    empty = ~exists().where(job_items.c.job_id == jobs.c.id)
    done = tx.execute(delete(jobs).where(jobs.c.id.in_(old), empty)).rowcount
    return gone, done


def _untouched(cutoff_ms: int) -> ColumnElement[bool]:
    table = plans.c
    return func.coalesce(table.finished_at, table.started_at, table.planned_at) <= cutoff_ms


def _finished(cutoff: Any) -> tuple[Any, ...]:
    return (
        events.c.state.in_([state.value for state in FINISHED]),
        events.c.updated_at <= cutoff,
    )


def _closed(cutoff_ms: int) -> tuple[Any, ...]:
    return dead_letters.c.closed_at <= cutoff_ms, func.length(dead_letters.c.body) > 0


_KEPT = Prepared(
    lambda _: (
        select(payloads.c.event_id)
        .where(
            payloads.c.event_id > bindparam("after", type_=Text),
            payloads.c.event_id < bindparam("until", type_=Text),
        )
        .order_by(payloads.c.event_id)
        .limit(bindparam("most", type_=BigInteger))
    )
)


def _select_finished(dialect: str) -> Any:
    delivered, discarded = (events.c.state == state for state in FINISHED)
    return select(events.c.id).where(
        among(dialect, events.c.id),
        delivered | discarded,
        events.c.updated_at <= bindparam("cutoff", type_=BigInteger),
    )


_FINISHED = Prepared(_select_finished)

_FORGET_SALTS = Prepared(
    # The subject of a request stays, in the audit too: without its salt it tells nothing.
    lambda dialect: (
        update(event_approvals).where(among(dialect, event_approvals.c.event_id)).values(salt=None)
    )
)
_FORGET_PAYLOADS = Prepared(
    lambda dialect: delete(payloads).where(among(dialect, payloads.c.event_id))
)
_FORGET_SENT = Prepared(
    lambda dialect: (
        update(deliveries)
        .where(among(dialect, deliveries.c.event_id))
        .values(send="{}", error=None, item=None)
    )
)
_FORGET_VIOLATIONS = Prepared(
    lambda dialect: (
        update(quarantine)
        .where(among(dialect, quarantine.c.event_id))
        .values(violations="[]", detail="")
    )
)
_FORGET_DETAILS = Prepared(
    lambda dialect: (
        update(job_items).where(among(dialect, job_items.c.event_id)).values(detail=None)
    )
)
_FORGET_REQUESTS = Prepared(
    lambda dialect: (
        update(hook_requests)
        .where(among(dialect, hook_requests.c.event_id))
        .values(headers="{}", body=None)
    )
)
_FORGET_TRACES = Prepared(lambda dialect: delete(traces).where(among(dialect, traces.c.event_id)))
_FORGET = (
    *(_FORGET_PAYLOADS, _FORGET_SENT, _FORGET_VIOLATIONS, _FORGET_DETAILS, _FORGET_SALTS),
    *(_FORGET_REQUESTS, _FORGET_TRACES),
)

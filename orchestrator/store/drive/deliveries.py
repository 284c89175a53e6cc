"""Deliveries: taken by a run before its calls, settled after them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from orchestrator.domain.delivery.handoff import NOTHING_SEEN, Seen
from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import DONE_DELIVERIES, SETTLED_DELIVERIES, DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.trace_context import TraceContext, read_trace
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of, storable
from orchestrator.store.database.schema import deliveries, events, traces

MAY_BE_THERE = or_(deliveries.c.unknown, deliveries.c.state == DeliveryState.SENDING)

_HELD_AT_MOST_SECONDS = 3_600

# What is left of what was known of a record that is no longer ours.
FORGOTTEN = {"record_url": None, "record_version": None, "record_updated": False}

# Its record was read back and is not what was sent; what else fails has none, or nobody knows.
MISMATCHED = and_(
    deliveries.c.state == DeliveryState.FAILED.value,
    deliveries.c.reason == Reason.HANDOFF_MISMATCH.value,
    deliveries.c.record_id.is_not(None),
)

NOT_MADE = and_(*(deliveries.c.state != state.value for state in sorted(DONE_DELIVERIES)))


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One delivery that this run, and no other, may make."""

    event_id: str
    name: str  # within its event
    key: str  # for idempotency: the same for every attempt
    connector: str
    action: str
    fields: dict[str, object]
    confirm: tuple[str, ...]
    attempt: int  # of this call, from 1
    unknown: bool  # an earlier call may have stored the record
    open: int  # deliveries of its event that are not made, with this one; from COUNTED on, more
    record_id: str | None = None  # an earlier call made it
    undo: bool = False  # its record is to be taken back
    failing_since: int | None = None  # its first failure that could be the system's, in ms
    seen: Seen = NOTHING_SEEN  # what is known of its record
    trace: TraceContext | None = None  # that its event belongs to


COUNTED = 20
"""So many open deliveries of an event are counted for each of them; an event may have thousands."""


def delivery_key(event_id: str, name: str, generation: int) -> str:
    """The idempotency key of a delivery; another one after it was taken back."""
    return f"{event_id}.{name}" + (f".{generation}" if generation else "")


def take_deliveries(
    tx: Connection,
    ids: Sequence[str],
    *,
    epoch: int,
    run_id: str,
    run_seconds: float,
    most: int | None = None,
) -> list[Taken]:
    """Move what is due to `sending` under this run, before any call goes out.

    At most so many are taken, event by event in the order of their ids; None: all of them.

    A `sending` whose run is over was left by a run that is gone: its outcome is unknown. A delivery
    that this run took before, in a commit whose answer was lost, is taken again, and counts once.
    """
    statement, bound = (_TAKE, {}) if most is None else (_TAKE_SOME, {"most": most})
    run_ms = int(run_seconds * 1000)
    rows = statement.run(tx, ids=list(ids), epoch=epoch, run=run_id, run_ms=run_ms, **bound).all()
    return [
        Taken(
            event_id=row[0],
            name=row[1],
            key=delivery_key(row[0], row[1], row[11]),
            connector=row[2],
            action=row[3],
            fields=orjson.loads(row[4]),
            confirm=tuple(orjson.loads(row[5])),
            attempt=row[6],
            unknown=bool(row[7]),
            open=row[8],
            record_id=row[9],
            undo=bool(row[10]),
            failing_since=row[12],
            seen=Seen(url=row[13], version=row[14], updated=bool(row[15])),
            trace=read_trace(row[16], row[17]) if row[16] else None,
        )
        for row in rows
    ]


def _take(dialect: str, *, bounded: bool = False) -> Any:
    table = deliveries.c
    orphaned = and_(table.state == DeliveryState.SENDING, table.run_until <= now_ms())
    due = and_(table.state == DeliveryState.PENDING, table.due_at <= now_ms())
    mine = and_(table.state == DeliveryState.SENDING, table.run_id == bindparam("run"))
    found = and_(table.event_id.in_(routed_under(dialect)), or_(due, orphaned, mine))
    if bounded:
        some = select(table.event_id, table.name).where(found).order_by(table.event_id, table.name)
        most = bindparam("most", type_=BigInteger)
        found = tuple_(table.event_id, table.name).in_(some.limit(most).correlate(None))
    return (
        update(deliveries)
        .where(found)
        .values(
            state=DeliveryState.SENDING,
            run_id=bindparam("run"),
            run_until=now_ms() + bindparam("run_ms", type_=BigInteger),
            attempt=table.attempt + case((mine, 0), else_=1),
            unknown=or_(table.unknown, orphaned),
            updated_at=now_ms(),
        )
        .returning(*_of_taken())
    )


def _of_taken() -> tuple[Any, ...]:
    """What `take_deliveries` reads, in its order."""
    table = deliveries.c
    return (
        table.event_id,
        table.name,
        table.connector,
        table.action,
        table.send,
        table.confirm,
        table.attempt,
        table.unknown,
        _count_open(),
        table.record_id,
        table.undo,
        table.generation,
        table.failing_since,
        table.record_url,
        table.record_version,
        table.record_updated,
        _of_trace(traces.c.traceparent),
        _of_trace(traces.c.tracestate),
    )


def _of_trace(column: Any) -> Any:
    # By the primary key of a table that has no row of a plain event.
    return select(column).where(traces.c.event_id == _OWN_EVENT).scalar_subquery()


# Spelt out: in a RETURNING for SQLite the table's name is left out, of every column in it.
_OWN_EVENT: ColumnElement[str] = literal_column("deliveries.event_id")


def _count_open() -> Any:
    others = deliveries.alias("others")
    not_done = and_(*(others.c.state != state.value for state in sorted(SETTLED_DELIVERIES)))
    some = select(literal(1)).where(others.c.event_id == _OWN_EVENT, not_done).limit(COUNTED)
    return select(func.count()).select_from(some.subquery("some")).scalar_subquery()


def routed_under(dialect: str) -> Select[tuple[str]]:
    """The given events that still are this epoch's to dispatch; whoever asks holds them."""
    return select(events.c.id).where(
        among(dialect, events.c.id),
        events.c.state == State.ROUTED,
        events.c.epoch == bindparam("epoch"),
    )


_TAKE, _TAKE_SOME = Prepared(_take), Prepared(partial(_take, bounded=True))


@dataclass(frozen=True, kw_only=True)
class NotMade:
    """The state of a delivery that was taken and not made."""

    event_id: str
    name: str  # within its event
    state: DeliveryState  # pending: to be tried again; failed: given up
    after_ms: int  # from now until it is due, or until a look-up can be believed
    unknown: bool
    reason: Reason | None = None
    error: str | None = None
    record_id: str | None = None  # it was made; only its proof is missing
    seen: Seen = NOTHING_SEEN
    began: bool = True  # else no call went out, or none that counts: the attempt is taken back
    held_by: str | None = None  # held: the circuit it waits at
    failing_since: int | None = None  # it failed, and that could be the system's fault, in ms
    blameless: bool = False  # held for what is not a fault of its own: its tries come back


def save_done(
    tx: Connection,
    run_id: str,
    rows: Sequence[tuple[str, str, str, str]],
    seen: Mapping[tuple[str, str], Seen] | None = None,
) -> set[tuple[str, str]]:
    """Write made deliveries: (event id, name, state, record id) each.

    `seen` is what is known of their records, by event id and name. Answers (event id, name) of
    those that were this run's to settle.
    """
    if not rows:
        return set()
    known = seen or {}
    values = [
        (*row[:3], storable(row[3]), *_seen_values(known.get(row[:2], NOTHING_SEEN)))
        for row in rows
    ]
    saved = _SAVE_DONE.run(tx, run=run_id, **row_values(tx, list(_DONE), values))
    return {(row[0], row[1]) for row in saved}


_SEEN: dict[str, type] = {"record_url": str, "record_version": str, "record_updated": bool}
_DONE: dict[str, type] = {
    **dict.fromkeys(("event_id", "name", "state", "record_id"), str),
    **_SEEN,
}


def _seen_values(seen: Seen) -> tuple[object, ...]:
    texts = (seen.url, seen.version)
    return (*(None if text is None else storable(text) for text in texts), seen.updated)


def _set_seen(given: Any) -> dict[str, Any]:
    """What a call found out; what an earlier one found stays where this one does not say it."""
    table = deliveries.c
    return {
        "record_url": func.coalesce(given.c.record_url, table.record_url),
        "record_version": given.c.record_version,
        "record_updated": or_(table.record_updated, given.c.record_updated),
    }


def _update_done(dialect: str) -> Any:
    given, table = rows_of(dialect, **_DONE), deliveries.c
    return _update_of_own_run(
        given,
        state=given.c.state,
        record_id=given.c.record_id,
        due_at=None,
        unknown=False,
        undo=False,
        reason=None,
        error=None,
        attempt=table.attempt,
        **_set_seen(given),
    )


def save_not_made(tx: Connection, run_id: str, rows: Sequence[NotMade]) -> set[tuple[str, str]]:
    """Write deliveries to be tried again or given up.

    Answers (event id, name) of those that were this run's to settle.
    """
    if not rows:
        return set()
    values = [
        (
            *(
                storable(value) if isinstance(value, str) else value
                for value in (getattr(row, name) for name in _NOT_MADE)
            ),
            *_seen_values(row.seen),
        )
        for row in rows
    ]
    names = [*_NOT_MADE, *_SEEN]
    saved = _SAVE_NOT_MADE.run(tx, run=run_id, **row_values(tx, names, values))
    return {(row[0], row[1]) for row in saved}


_NOT_MADE: dict[str, type] = {
    "event_id": str,
    "name": str,
    "state": str,
    "after_ms": int,
    "unknown": bool,
    "reason": str,
    "error": str,
    "record_id": str,
    "began": bool,
    "held_by": str,
    "failing_since": int,
    "blameless": bool,
}


def _update_not_made(dialect: str) -> Any:
    given, table = rows_of(dialect, **_NOT_MADE, **_SEEN), deliveries.c
    return _update_of_own_run(
        given,
        state=given.c.state,
        record_id=given.c.record_id,
        due_at=now_ms() + given.c.after_ms,
        unknown=given.c.unknown,
        reason=given.c.reason,
        error=given.c.error,
        attempt=case(
            (given.c.blameless, 0), else_=table.attempt - case((given.c.began, 0), else_=1)
        ),
        held_by=given.c.held_by,
        failing_since=func.coalesce(table.failing_since, given.c.failing_since),
        **_set_seen(given),
    )


def _update_of_own_run(given: Any, **values: Any) -> Any:
    """Only what its own run still holds: a run that lost a delivery has no say in it.

    Where its event was replayed meanwhile, and it waits for another now or is superseded, what came
    of the call stays unknown: the next run looks for the record.
    """
    table = deliveries.c
    under_way = (DeliveryState.SENDING, DeliveryState.PENDING)
    return (
        update(deliveries)
        .where(
            table.event_id == given.c.event_id,
            table.name == given.c.name,
            table.run_id == bindparam("run"),
            or_(*(table.state == state.value for state in under_way)),
        )
        .values(run_id=None, run_until=None, updated_at=now_ms(), **values)
        .returning(table.event_id, table.name)
    )


_SAVE_DONE, _SAVE_NOT_MADE = Prepared(_update_done), Prepared(_update_not_made)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryStanding:
    """The state of one delivery of an event that is decided on."""

    name: str
    state: str  # as `DeliveryState`
    reason: str | None  # why it failed, as a code
    error: str | None  # the same in the tool's words, secrets masked
    undo: bool  # its record is to be taken back
    unknown: bool  # an earlier call may have stored the record
    parked: bool  # it waits until its event is routed anew: it is due never
    held_back: bool  # it is taken back after those that rest on its record: it is not due yet


def load_deliveries(
    tx: Connection, ids: Sequence[str], epoch: int
) -> dict[str, list[DeliveryStanding]]:
    """The states of deliveries whose events are still this epoch's to settle.

    An event without a delivery has an empty list.

    Whoever decides by it holds the events, so that it stays true until the transaction ends.
    """
    found: dict[str, list[DeliveryStanding]] = {}
    for row in _LOAD.run(tx, ids=list(ids), epoch=epoch).all():
        of_event = found.setdefault(row.id, [])
        if row.name is not None:
            of_event.append(_standing(row))
    return found


def _standing(row: AnyRow) -> DeliveryStanding:
    is_still = row.state == DeliveryState.PENDING and row.due_at is None
    return DeliveryStanding(
        name=row.name,
        state=row.state,
        reason=row.reason,
        error=row.error,
        undo=bool(row.undo),  # SQLite answers with numbers
        unknown=bool(row.unknown),
        parked=is_still and not row.undo,
        held_back=is_still and bool(row.undo),
    )


def _select_deliveries(dialect: str) -> Any:
    table = deliveries.c
    return (
        select(
            events.c.id,
            table.name,
            table.state,
            table.reason,
            table.error,
            table.undo,
            table.unknown,
            table.due_at,
        )
        .select_from(events.outerjoin(deliveries, table.event_id == events.c.id))
        .where(events.c.id.in_(routed_under(dialect)))
    )


_LOAD = Prepared(_select_deliveries)


def earliest_due() -> ColumnElement[int]:
    """When an event's next delivery is due, as an SQL expression for its row.

    Whoever writes it down holds the event since an earlier statement: one that waits for the event
    would not see what became of its deliveries meanwhile.
    """
    table = deliveries.c
    when = case(
        (table.state == DeliveryState.SENDING, table.run_until),
        # What holds it lets it go; this is for the case that it is forgotten.
        (table.state == DeliveryState.HELD, after(_HELD_AT_MOST_SECONDS)),
        else_=table.due_at,
    )
    waiting = (DeliveryState.PENDING, DeliveryState.SENDING, DeliveryState.HELD)
    return (
        select(func.coalesce(func.min(when), now_ms()))
        .where(
            table.event_id == events.c.id,
            or_(*(table.state == state.value for state in waiting)),
        )
        .scalar_subquery()
    )


_RESENT = (Reason.UNKNOWN_OUTCOME, Reason.HANDOFF_MISMATCH)


def allow_resend(
    tx: Connection, ids: Sequence[str], *, reasons: Sequence[Reason] = _RESENT
) -> list[tuple[str, str]]:
    """A person says: send again what may have been sent, or was stored otherwise than sent.

    Answers (event id, name).
    """
    table = deliveries.c
    rows = tx.execute(
        update(deliveries)
        .where(
            table.event_id.in_(ids),
            table.state == DeliveryState.FAILED,
            table.reason.in_(reasons),
        )
        .values(unknown=False, record_id=None, updated_at=now_ms(), **FORGOTTEN)
        .returning(table.event_id, table.name)
    )
    return [(row.event_id, row.name) for row in rows]


def made_among(tx: Connection, ids: Sequence[str]) -> set[tuple[str, str, Item]]:
    """Event, destination and item of the deliveries that were made; they are not sent again."""
    table = deliveries.c
    rows = tx.execute(
        select(table.event_id, table.destination, table.item).where(
            table.event_id.in_(ids), table.state.in_([one.value for one in DONE_DELIVERIES])
        )
    )
    return {(row.event_id, row.destination, item_of(row.item)) for row in rows}


def item_of(kept: str | None) -> Item:
    """The key of a delivery's item, as the column has it; None where it is forgotten."""
    item = None if kept is None else orjson.loads(kept)
    return None if isinstance(item, dict) else item  # a digest, as `superseding.py` makes it

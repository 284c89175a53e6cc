"""Deliveries: taken by a run before its calls, settled after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
    literal_column,
    or_,
    select,
    update,
)

from orchestrator.domain.lifecycle import DONE_DELIVERIES, DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of, storable
from orchestrator.store.database.schema import deliveries, events

MAY_BE_THERE = or_(deliveries.c.unknown, deliveries.c.state == DeliveryState.SENDING)

_HELD_AT_MOST_SECONDS = 3_600

NOT_MADE = and_(*(deliveries.c.state != state.value for state in sorted(DONE_DELIVERIES)))


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One delivery that this run, and no other, may make."""

    event_id: str
    destination: str
    key: str  # for idempotency: the same for every attempt
    connector: str
    action: str
    fields: dict[str, object]
    confirm: tuple[str, ...]
    attempt: int  # of this call, from 1
    unknown: bool  # an earlier call may have stored the record
    open: int  # deliveries of its event that are not made, this one among them
    record_id: str | None = None  # an earlier call made it
    undo: bool = False  # its record is to be taken back
    failing_since: int | None = None  # its first failure that could be the system's, in ms


def delivery_key(event_id: str, destination: str, generation: int) -> str:
    """The idempotency key of a delivery; another one after it was taken back."""
    return f"{event_id}.{destination}" + (f".{generation}" if generation else "")


def take_deliveries(
    tx: Connection, ids: Sequence[str], *, epoch: int, run_id: str, run_seconds: float
) -> list[Taken]:
    """Move what is due to `sending` under this run, before any call goes out.

    A `sending` whose run is over was left by a run that is gone: its outcome is unknown. What this
    run took before, in a commit whose answer was lost, is taken again.
    """
    rows = _TAKE.run(
        tx, ids=list(ids), epoch=epoch, run=run_id, run_ms=int(run_seconds * 1000)
    ).all()
    return [
        Taken(
            event_id=row[0],
            destination=row[1],
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
        )
        for row in rows
    ]


def _take(dialect: str) -> Any:
    table = deliveries.c
    orphaned = and_(table.state == DeliveryState.SENDING, table.run_until <= now_ms())
    due = and_(table.state == DeliveryState.PENDING, table.due_at <= now_ms())
    mine = and_(table.state == DeliveryState.SENDING, table.run_id == bindparam("run"))
    return (
        update(deliveries)
        .where(table.event_id.in_(routed_under(dialect)), or_(due, orphaned, mine))
        .values(
            state=DeliveryState.SENDING,
            run_id=bindparam("run"),
            run_until=now_ms() + bindparam("run_ms", type_=BigInteger),
            attempt=table.attempt + 1,
            unknown=or_(table.unknown, orphaned),
            updated_at=now_ms(),
        )
        .returning(
            table.event_id,
            table.destination,
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
        )
    )


def _count_open() -> Any:
    others = deliveries.alias("others")
    not_done = and_(*(others.c.state != state.value for state in sorted(DONE_DELIVERIES)))
    # Spelt out: in a RETURNING for SQLite the table's name is left out, of every column in it.
    own: ColumnElement[str] = literal_column("deliveries.event_id")
    return (
        select(func.count())
        .select_from(others)
        .where(others.c.event_id == own, not_done)
        .scalar_subquery()
    )


def routed_under(dialect: str) -> Select[tuple[str]]:
    """The given events that still are this epoch's to dispatch; whoever asks holds them."""
    return select(events.c.id).where(
        among(dialect, events.c.id),
        events.c.state == State.ROUTED,
        events.c.epoch == bindparam("epoch"),
    )


_TAKE = Prepared(_take)


@dataclass(frozen=True, kw_only=True)
class NotMade:
    """How a delivery stands that was taken and not made."""

    event_id: str
    destination: str
    state: DeliveryState  # pending: to be tried again; failed: given up
    after_ms: int  # from now until it is due, or until a look-up can be believed
    unknown: bool
    reason: Reason | None = None
    error: str | None = None
    record_id: str | None = None  # it was made; only its proof is missing
    began: bool = True  # else no call went out, or none that counts: the attempt is taken back
    held_by: str | None = None  # held: the circuit it waits at
    failing_since: int | None = None  # it failed, and that could be the system's fault, in ms
    blameless: bool = False  # held for what is not a fault of its own: its tries come back


def save_done(
    tx: Connection, run_id: str, rows: Sequence[tuple[str, str, str, str]]
) -> set[tuple[str, str]]:
    """Write made deliveries: (event id, destination, state, record id) each.

    Answers (event id, destination) of those that were this run's to settle.
    """
    if not rows:
        return set()
    values = [(*row[:3], storable(row[3])) for row in rows]
    return _pairs(_SAVE_DONE.run(tx, run=run_id, **row_values(tx, list(_DONE), values)))


_DONE = dict.fromkeys(("event_id", "destination", "state", "record_id"), str)


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
    )


def save_not_made(tx: Connection, run_id: str, rows: Sequence[NotMade]) -> set[tuple[str, str]]:
    """Write deliveries to be tried again or given up.

    Answers (event id, destination) of those that were this run's to settle.
    """
    if not rows:
        return set()
    values = [
        tuple(
            storable(value) if isinstance(value, str) else value
            for value in (getattr(row, name) for name in _NOT_MADE)
        )
        for row in rows
    ]
    return _pairs(_SAVE_NOT_MADE.run(tx, run=run_id, **row_values(tx, list(_NOT_MADE), values)))


_NOT_MADE: dict[str, type] = {
    "event_id": str,
    "destination": str,
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
    given, table = rows_of(dialect, **_NOT_MADE), deliveries.c
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
    )


def _update_of_own_run(given: Any, **values: Any) -> Any:
    """Only what its own run still holds: a run that lost a delivery has no say in it."""
    table = deliveries.c
    return (
        update(deliveries)
        .where(
            table.event_id == given.c.event_id,
            table.destination == given.c.destination,
            table.run_id == bindparam("run"),
        )
        .values(run_id=None, run_until=None, updated_at=now_ms(), **values)
        .returning(table.event_id, table.destination)
    )


_SAVE_DONE, _SAVE_NOT_MADE = Prepared(_update_done), Prepared(_update_not_made)


def _pairs(found: Any) -> set[tuple[str, str]]:
    return {(row[0], row[1]) for row in found.all()}


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryStanding:
    """How one delivery of an event stands that is decided on."""

    destination: str
    state: str  # as `DeliveryState`
    reason: str | None  # why it failed, as a code
    error: str | None  # the same in the tool's words, secrets masked
    undo: bool  # its record is to be taken back
    unknown: bool  # an earlier call may have stored the record


def load_deliveries(
    tx: Connection, ids: Sequence[str], epoch: int
) -> dict[str, list[DeliveryStanding]]:
    """How the deliveries of the events stand that are still this epoch's to settle.

    An event without a delivery has an empty list.

    Whoever decides by it holds the events, so that it stays true until the transaction ends.
    """
    found: dict[str, list[DeliveryStanding]] = {}
    for row in _LOAD.run(tx, ids=list(ids), epoch=epoch).all():
        of_event = found.setdefault(row.id, [])
        if row.destination is not None:
            of_event.append(_standing(row))
    return found


def _standing(row: AnyRow) -> DeliveryStanding:
    return DeliveryStanding(
        destination=row.destination,
        state=row.state,
        reason=row.reason,
        error=row.error,
        undo=bool(row.undo),  # SQLite answers with numbers
        unknown=bool(row.unknown),
    )


def _select_deliveries(dialect: str) -> Any:
    table = deliveries.c
    return (
        select(
            events.c.id,
            table.destination,
            table.state,
            table.reason,
            table.error,
            table.undo,
            table.unknown,
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

    Answers (event id, destination).
    """
    table = deliveries.c
    rows = tx.execute(
        update(deliveries)
        .where(
            table.event_id.in_(ids),
            table.state == DeliveryState.FAILED,
            table.reason.in_(reasons),
        )
        .values(unknown=False, record_id=None, updated_at=now_ms())
        .returning(table.event_id, table.destination)
    )
    return [(row.event_id, row.destination) for row in rows]


def made_among(tx: Connection, ids: Sequence[str]) -> set[tuple[str, str]]:
    """Deliveries of these events that were made, by event and destination; not sent again."""
    table = deliveries.c
    rows = tx.execute(
        select(table.event_id, table.destination).where(
            table.event_id.in_(ids), table.state.in_([one.value for one in DONE_DELIVERIES])
        )
    )
    return {(row.event_id, row.destination) for row in rows}

"""Events that are due later than their deliveries: a fault of ours, found and mended by any relay.

Whoever changes a delivery sees to it that its event is due in time. Where somebody did not, the
event would sleep until its own time comes, an hour at most. So a relay looks through what is not
due yet, a bounded part at a time, and wakes what it finds. The audit and the log name each: such a
fault must be seen, not only healed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.locks import held
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import audit, deliveries, events, groups
from orchestrator.store.ordering.lines import ASLEEP

log = logging.getLogger(__name__)

ACTOR, WAKE = "relay", "wake"
MOST_LOOKED_AT = 5_000  # events that one look takes in; the next goes on behind them
_MOST_WORKFLOWS = 50  # versions that one look takes in
_MOST_WOKEN = 500  # events in one transaction
_GRACE_SECONDS = 2.0  # a delivery is due for so long before its event counts as overlooked
_NEVER = 2**62  # milliseconds


@dataclass(frozen=True, kw_only=True)
class Place:
    """Up to where the last look came."""

    workflow_id: int = 0
    due_at: int = 0


class Search:
    """One relay's search: each look goes on where the one before it ended, and begins anew."""

    def __init__(self) -> None:
        self._place = Place()

    def wake_overlooked(self, store: Store) -> list[str]:
        """Look once; the ids of the events that were made due by it."""
        with store.read() as tx:
            found, self._place = find_overlooked(tx, self._place)
        if not found:
            return []
        with store.write(ring=True) as tx:
            return wake(tx, found[:_MOST_WOKEN])


def find_overlooked(tx: Connection, place: Place) -> tuple[list[str], Place]:
    """The overlooked among the next events that are not due yet, and where the next look begins."""
    found: list[str] = []
    left = MOST_LOOKED_AT
    versions = list(_VERSIONS.run(tx, since=place.workflow_id).scalars())
    for workflow_id in versions[:_MOST_WORKFLOWS]:
        since = place.due_at if workflow_id == place.workflow_id else 0
        row = _END.run(tx, workflow=workflow_id, since=since, left=left - 1).one_or_none()
        until = row[0] if row else _NEVER
        found += _FIND.run(tx, workflow=workflow_id, since=since, until=until).scalars()
        if row:
            return found, Place(workflow_id=workflow_id, due_at=until)
    rest = versions[_MOST_WORKFLOWS:]
    return found, Place(workflow_id=rest[0]) if rest else Place()


def wake(tx: Connection, ids: Sequence[str]) -> list[str]:
    """Make those due that are overlooked still, now that they are held; the ids of these."""
    mine = {row[0]: row[1] for row in _HOLD.run(tx, ids=list(ids))}
    woken = sorted(_WAKE.run(tx, ids=list(mine)).scalars()) if mine else []
    if woken:
        _record_woken(tx, {one: mine[one] for one in woken})
    return woken


def catch_up(tx: Connection, ids: Sequence[str]) -> None:
    """Make those of these held events that no group has in hand due when their deliveries are.

    It is for a run that settles deliveries of an event that is another epoch's by now.
    """
    _CATCH_UP.run(tx, ids=list(ids))


def count_overlooked(tx: Connection, *, most: int = 1_000) -> int:
    """How many events are overlooked at this moment, counted up to `most`."""
    some = select(events.c.id).where(_not_due_yet(), _overlooked()).limit(most).subquery()
    return int(tx.execute(select(func.count()).select_from(some)).scalar_one())


def last_woken(tx: Connection, *, rows: int = 100_000) -> tuple[int, int | None]:
    """How many events the newest `rows` of the audit say were woken, and when the last one was."""
    newest = select(audit.c.action, audit.c.at).order_by(audit.c.id.desc()).limit(rows).subquery()
    woken = select(func.count(), func.max(newest.c.at)).where(newest.c.action == WAKE)
    count, at = tx.execute(woken).one()
    return count, at


def _record_woken(tx: Connection, woken: Mapping[str, int]) -> None:
    """Name each event, with when it was due, by the delivery that waited the longest."""
    first: dict[str, str] = {}
    for event_id, name in _FIRST_WAITING.run(tx, ids=sorted(woken)):
        first.setdefault(event_id, name)
    notes = [
        DeliveryNote(
            event_id=one,
            name=where,
            action=WAKE,
            detail={"detail": "its event was due later than it", "due_at": woken[one]},
        )
        for one, where in first.items()
    ]
    record_deliveries(tx, notes, actor=ACTOR)
    for one in sorted(woken):
        log.error("event %s was due later than its delivery to %s: woken", one, first.get(one))


def _not_due_yet() -> Any:
    return and_(events.c.state == State.ROUTED.value, events.c.due_at > now_ms())


def _earliest(*, where_none_waits: Any) -> Any:
    """When the first delivery of an event is due that nothing but time keeps waiting."""
    table = deliveries.c
    own = table.event_id == events.c.id
    when = case((table.state == DeliveryState.SENDING.value, table.run_until), else_=table.due_at)
    waits = or_(
        table.state == DeliveryState.PENDING.value, table.state == DeliveryState.SENDING.value
    )
    first = select(func.min(when)).where(own, waits).scalar_subquery()
    # What is held is let go when its breaker closes; where nothing waits the event is at its end.
    is_held = exists().where(own, table.state == DeliveryState.HELD.value)
    return func.coalesce(
        first, case((is_held, literal(_NEVER, BigInteger)), else_=where_none_waits)
    )


def _in_hand() -> Any:
    """That the group under which an event was claimed last is at work, and may have it in hand."""
    return exists().where(groups.c.epoch == events.c.epoch, groups.c.lease_until >= events.c.due_at)


def _overlooked() -> Any:
    return and_(~_in_hand(), _earliest(where_none_waits=0) <= after(-_GRACE_SECONDS))


def _select_versions(_: str) -> Any:
    """Each version with unfinished events from one on, by one step through the index for each."""
    least = select(func.min(events.c.workflow_id)).where(events.c.due_at.is_not(None))
    since = bindparam("since", type_=BigInteger)
    first = least.where(events.c.workflow_id >= since).scalar_subquery()
    found = select(first.label("id")).cte("found", recursive=True)
    more = least.where(events.c.workflow_id > found.c.id).scalar_subquery()
    found = found.union_all(select(more).where(found.c.id.is_not(None)))
    return select(found.c.id).where(found.c.id.is_not(None)).limit(_MOST_WORKFLOWS + 1)


def _of_version() -> tuple[Any, ...]:
    since = bindparam("since", type_=BigInteger)
    table = events.c
    own = table.workflow_id == bindparam("workflow")
    # Who waits for a turn is found by its line: a hundred thousand of them cost nothing here.
    return own, table.due_at > since, table.due_at > now_ms(), table.due_at < ASLEEP


def _select_end(_: str) -> Any:
    left = bindparam("left", type_=BigInteger)
    return (
        select(events.c.due_at)
        .where(*_of_version())
        .order_by(events.c.due_at)
        .offset(left)
        .limit(1)
    )


def _select_found(_: str) -> Any:
    until = events.c.due_at <= bindparam("until", type_=BigInteger)
    return select(events.c.id).where(*_of_version(), until, _not_due_yet(), _overlooked())


def _select_held(dialect: str) -> Any:
    columns = (events.c.id, events.c.due_at)
    statement = select(*columns).where(among(dialect, events.c.id)).order_by(events.c.id)
    # Somebody who has it in hand sees to it, or the next look does.
    return statement if dialect == "sqlite" else held(statement, skip=True)


def _wake(dialect: str) -> Any:
    return (
        update(events)
        .where(among(dialect, events.c.id), _not_due_yet(), _overlooked())
        .values(due_at=now_ms())
        .returning(events.c.id)
    )


def _catch_up(dialect: str) -> Any:
    earliest = _earliest(where_none_waits=now_ms())
    return (
        update(events)
        .where(
            among(dialect, events.c.id),
            events.c.state == State.ROUTED.value,
            events.c.due_at > earliest,
            ~_in_hand(),
        )
        .values(due_at=earliest)
    )


def _select_first_waiting(dialect: str) -> Any:
    table = deliveries.c
    when = case((table.state == DeliveryState.SENDING.value, table.run_until), else_=table.due_at)
    settled = case((when.is_(None), 1), else_=0)
    return (
        select(table.event_id, table.name)
        .where(among(dialect, table.event_id))
        .order_by(table.event_id, settled, when, table.name)
    )


_VERSIONS, _END, _FIND = Prepared(_select_versions), Prepared(_select_end), Prepared(_select_found)
_HOLD, _WAKE, _CATCH_UP = Prepared(_select_held), Prepared(_wake), Prepared(_catch_up)
_FIRST_WAITING = Prepared(_select_first_waiting)

"""Held deliveries: released when nothing blocks their circuit, or one of them to try it.

The one that tries is another each time: what never failed comes first, the oldest and the newest in
turn, so that some that a system cannot take do not keep it from being found well. Where all have
failed, the one whose failure is the longest ago comes next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.locks import held
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import circuits, deliveries, events
from orchestrator.store.destinations.circuits import TRIED
from orchestrator.store.destinations.ending_pauses import end_pauses, ended_pauses

_NUDGED_SECONDS = 60.0  # then the one that was to try is given up, and another is sent
_FORGOTTEN_SECONDS = 10.0  # longer than some polls

IS_HELD = deliveries.c.held_by.is_not(None)

# With nothing added, SQLite would find events by these names: all that a client or a workflow
# ever had, and not those few that have a held delivery.
client_of_held: ColumnElement[str] = events.c.client.concat("")
workflow_of_held: ColumnElement[str] = events.c.workflow.concat("")
"""Client and workflow of the event of a held delivery, for conditions beside IS_HELD."""


def tend_held_deliveries(store: Store, *, most: int = 1000) -> int:
    """What a relay does for held deliveries, once per poll; how many became due.

    It ends the pauses whose time is over. Where nothing is held, or nothing can be done, it is a
    cheap look at two tables.
    """
    with store.read() as tx:
        over = ended_pauses(tx)
        if not over and not any(one.passes or one.wants_probe for one in _waited_at(tx)):
            return 0
    with store.write() as tx:
        if over:
            end_pauses(tx)
        return release_held(tx, most=most) + nudge_open_breakers(tx)


def release_held(tx: Connection, *, most: int = 1000) -> int:
    """Make deliveries due, and their events, whose circuit is not blocked any more; how many."""
    released = 0
    for one in _waited_at(tx):
        if one.passes and released < most:
            released += _let_go(tx, one.name, _choose(tx, one.name, most - released))
    return released


def nudge_open_breakers(tx: Connection) -> int:
    """For each open breaker that may be tried, make one held delivery due; how many.

    It is done once for a probe: while no worker comes, nothing more is released.
    """
    return sum(_let_one_try(tx, one) for one in _waited_at(tx) if one.wants_probe)


def _let_one_try(tx: Connection, one: _Waited) -> int:
    untried = _NEWEST if one.probes % 2 else _OLDEST
    row = (
        untried.run(tx, circuit=one.name).first() or _LEAST_LATELY.run(tx, circuit=one.name).first()
    )
    if row is None or not _nudge(tx, one.name, row[0]):
        return 0
    return _let_go(tx, one.name, [(row[0], row[1])])


def count_let_pass(tx: Connection) -> dict[str, int]:
    """Deliveries held where nothing has blocked the circuit for a while, by its name.

    A relay lets them go within a poll: where some are left, none runs.
    """
    passing = [one.name for one in _waited_at(tx) if one.passes]
    table = deliveries.c
    counted = (
        select(table.held_by, func.count())
        .outerjoin(circuits, circuits.c.name == table.held_by)
        .where(table.held_by.in_(passing), table.updated_at < after(-_FORGOTTEN_SECONDS))
        .where(func.coalesce(circuits.c.since, 0) < after(-_FORGOTTEN_SECONDS))
        .group_by(table.held_by)
    )
    return {row[0]: row[1] for row in tx.execute(counted)} if passing else {}


@dataclass(frozen=True, kw_only=True)
class _Waited:
    """A circuit at which deliveries are held."""

    name: str
    passes: bool  # nothing blocks it, or it is gone
    wants_probe: bool  # its breaker is open, a call may try, and none was sent to
    probes: int  # that were sent to, since it opened


def _waited_at(tx: Connection) -> list[_Waited]:
    return [
        _Waited(name=row[0], passes=bool(row[1]), wants_probe=bool(row[2]), probes=row[3] or 0)
        for row in _WAITED_AT.run(tx)
    ]


_WANTS_PROBE = and_(
    TRIED,
    circuits.c.probe_at <= now_ms(),
    or_(
        circuits.c.nudged_at.is_(None),
        circuits.c.nudged_at < circuits.c.probe_at,
        circuits.c.nudged_at <= after(-_NUDGED_SECONDS),
    ),
)


def _select_waited_at(_: str) -> Any:
    """Each circuit that holds something, found by one step through the index for each."""
    first = select(func.min(deliveries.c.held_by)).where(IS_HELD)
    found = select(first.scalar_subquery().label("name")).cte("found", recursive=True)
    more = first.where(deliveries.c.held_by > found.c.name).scalar_subquery()
    found = found.union_all(select(more).where(found.c.name.is_not(None)))
    passes = or_(circuits.c.name.is_(None), circuits.c.block.is_(None))
    return (
        select(found.c.name, passes, case((_WANTS_PROBE, 1), else_=0), circuits.c.probes)
        .select_from(found.outerjoin(circuits, circuits.c.name == found.c.name))
        .where(found.c.name.is_not(None))
    )


_WAITED_AT = Prepared(_select_waited_at)


def _nudge(tx: Connection, name: str, event_id: str) -> bool:
    """Whether this caller is the one who sends a held delivery to try the breaker."""
    return _NUDGE.run(tx, name=name, event=event_id).rowcount == 1


_NUDGE = Prepared(
    lambda _: (
        update(circuits)
        .where(
            # Somebody who writes down what became of a call at this moment keeps no relay waiting.
            circuits.c.name.in_(
                select(circuits.c.name)
                .where(circuits.c.name == bindparam("name"), _WANTS_PROBE)
                .with_for_update(skip_locked=True)
            )
        )
        .values(nudged_at=now_ms(), probe_event=bindparam("event"), probes=circuits.c.probes + 1)
    )
)


_Chosen = list[tuple[str, str]]
"""Deliveries: event id and name of each."""


def _choose(tx: Connection, circuit: str, most: int) -> _Chosen:
    """The oldest that wait there, except those whose event somebody has in hand."""
    return [(row[0], row[1]) for row in _CHOOSE.run(tx, circuit=circuit, most=most)]


def _let_go(tx: Connection, circuit: str, chosen: _Chosen) -> int:
    """Make them due, as far as they wait there still now that their events are held."""
    if not chosen:
        return 0
    released = _RELEASE.run(tx, circuit=circuit, **row_values(tx, list(_KEY), chosen)).rowcount
    _DUE.run(tx, ids=sorted({event_id for event_id, _ in chosen}))
    return int(released)


_KEY = {"event_id": str, "name": str}


def _waiting(dialect: str, most: Any, *order: Any, untried: bool = False) -> Any:
    table = deliveries.c
    first = (
        select(table.event_id, table.name)
        .join(events, events.c.id == table.event_id)
        .where(IS_HELD, table.held_by == bindparam("circuit"))
        .where(*([table.failing_since.is_(None)] if untried else []))
        .order_by(*order)
        .limit(most)
    )
    return first if dialect == "sqlite" else held(first, skip=True)


_ID = deliveries.c.event_id
_CHOOSE = Prepared(lambda dialect: _waiting(dialect, bindparam("most", type_=BigInteger), _ID))
_OLDEST = Prepared(lambda dialect: _waiting(dialect, 1, _ID, untried=True))
_NEWEST = Prepared(lambda dialect: _waiting(dialect, 1, _ID.desc(), untried=True))
# Each of these was called, so they are few: as many as there were probes, and a turn's calls.
_LEAST_LATELY = Prepared(lambda dialect: _waiting(dialect, 1, deliveries.c.updated_at, _ID))


def _release(dialect: str) -> Any:
    given, table = rows_of(dialect, **_KEY), deliveries.c
    return (
        update(deliveries)
        .where(
            table.event_id == given.c.event_id,
            table.name == given.c.name,
            table.held_by == bindparam("circuit"),
        )
        .values(
            state=DeliveryState.PENDING,
            held_by=None,
            # A look-up is not to be believed before its time, however well the system is again.
            due_at=case((table.due_at > now_ms(), table.due_at), else_=now_ms()),
            updated_at=now_ms(),
        )
    )


def _make_due(dialect: str) -> Any:
    # The epoch stays: whoever is at work on the event may end what it began.
    return (
        update(events)
        .where(
            among(dialect, events.c.id), events.c.state == State.ROUTED, events.c.due_at > now_ms()
        )
        .values(due_at=now_ms())
    )


_RELEASE, _DUE = Prepared(_release), Prepared(_make_due)

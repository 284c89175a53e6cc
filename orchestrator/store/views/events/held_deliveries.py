"""What people read of deliveries that are held: at what, since when, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from orchestrator.domain.delivery.blockers import HeldEvents, Hold, Holder
from orchestrator.domain.delivery.breakers import RATE, what_holds
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import circuits, deliveries, events, plan_events
from orchestrator.store.destinations.held_deliveries import IS_HELD
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import iso, iso_time


def holds_of(tx: Connection, ids: Sequence[str]) -> dict[str, list[Hold]]:
    """For each of these events that waits: its deliveries that are held, and at what.

    Those that are put off for a connector's rate count too; they go out at `until`.
    """
    table = deliveries.c
    rows = tx.execute(
        select(table.event_id, table.destination, table.held_by, table.updated_at, *_CIRCUIT)
        .outerjoin(circuits, circuits.c.name == table.held_by)
        .where(IS_HELD, table.event_id.in_(ids))
        .order_by(table.event_id, table.destination)
    ).all()
    found: dict[str, list[Hold]] = {}
    for row in rows:
        found.setdefault(row.event_id, []).append(_hold(row))
    return found


_CIRCUIT = (circuits.c.block, circuits.c.reason, circuits.c.paused_until)


def _hold(row: AnyRow) -> Hold:
    return Hold(
        destination=row.destination,
        by=row.held_by,
        what=what_holds(row.block, row.reason),
        reason=row.reason,
        since=iso_time(row.updated_at),
        until=iso(row.paused_until),
    )


def put_off(tx: Connection, event_id: str) -> list[Hold]:
    """Deliveries of an event that wait for their turn in a connector's rate, in the same form."""
    table, ahead = deliveries.c, now_ms() * 1000
    rows = tx.execute(
        select(table.destination, table.connector, table.updated_at, table.due_at)
        .join(circuits, circuits.c.name == table.connector)
        .where(
            table.event_id == event_id,
            table.state == DeliveryState.PENDING,
            table.due_at > now_ms(),
            table.failing_since.is_(None),
            (circuits.c.paid_until_us > ahead) | (circuits.c.postponed_until > now_ms()),
        )
        .order_by(table.destination)
    )
    return [
        Hold(
            destination=row.destination,
            by=row.connector,
            what=RATE,
            reason=None,
            since=iso_time(row.updated_at),
            until=iso(row.due_at),
        )
        for row in rows
    ]


def count_held_events(tx: Connection) -> dict[tuple[str, str], int]:
    """How many events wait with a delivery that is held, by client and workflow."""
    place = (events.c.client, events.c.workflow)
    rows = tx.execute(_held_events(*place, _EVENTS).group_by(*place))
    return {(row[0], row[1]): row[2] for row in rows}


def held_beside(tx: Connection, selection: Selection) -> HeldEvents:
    """How many events are held beside a list of the quarantine, and by what, the most first.

    They are routed, so they have a client and a workflow, and nothing else that a selection asks
    for. An event of which deliveries are held at two places counts at both, and once in `events`.
    """
    if selection != Selection(
        client=selection.client, workflow=selection.workflow, clients=selection.clients
    ):
        return HeldEvents(events=0, by=())
    here = [
        column == value
        for column, value in (
            (events.c.client, selection.client),
            (events.c.workflow, selection.workflow),
        )
        if value is not None
    ]
    if selection.clients is not None:
        here.append(events.c.client.in_(sorted(selection.clients)))
    by = _holders(tx, *here)
    total = tx.execute(_held_events(_EVENTS).where(*here)).scalar_one() if by else 0
    return HeldEvents(events=total, by=by)


def holders_of_plan(tx: Connection, plan: int) -> tuple[Holder, ...]:
    """What holds deliveries of events that a plan replayed, the one that most wait for first."""
    table = plan_events.c
    replayed = select(table.event_id).where(table.plan_id == plan, table.done_at.is_not(None))
    return _holders(tx, deliveries.c.event_id.in_(replayed))


_EVENTS = func.count(deliveries.c.event_id.distinct()).label("held_events")


def _held_events(*columns: Any) -> Select[Any]:
    joined = select(*columns).join_from(deliveries, events, events.c.id == deliveries.c.event_id)
    return joined.where(IS_HELD)


def _holders(tx: Connection, *here: ColumnElement[bool]) -> tuple[Holder, ...]:
    table = deliveries.c
    rows = tx.execute(
        _held_events(table.held_by, _EVENTS, func.min(table.updated_at).label("since"), *_CIRCUIT)
        .outerjoin(circuits, circuits.c.name == table.held_by)
        .where(*here)
        .group_by(table.held_by, *_CIRCUIT)
        .order_by(_EVENTS.desc(), table.held_by)
    )
    return tuple(_holder(row) for row in rows)


def _holder(row: AnyRow) -> Holder:
    return Holder(
        by=row.held_by,
        what=what_holds(row.block, row.reason),
        reason=row.reason,
        since=iso_time(row.since),
        until=iso(row.paused_until),
        events=row.held_events,
    )

"""What people read of one destination, connector or action: what stops it, and what fails there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.breakers import action_breaker, connector_of, named_destination
from orchestrator.domain.lifecycle import State
from orchestrator.store.database.schema import deliveries, events
from orchestrator.store.destinations.named import circuit_names
from orchestrator.store.views.destinations import (
    DestinationRow,
    blocked_circuits,
    list_destinations,
)
from orchestrator.store.views.values import iso_time

_MOST_FAILURES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """The last error of a delivery that is not at its end."""

    id: str  # of its event
    destination: str
    state: str  # of the delivery, as `DeliveryState`
    reason: str | None  # a code
    error: str  # in the tool's words, secrets masked
    at: str  # ISO 8601 in UTC


@dataclass(frozen=True, kw_only=True, slots=True)
class DestinationView:
    """One of what `destinations list` names, or a connector or an action."""

    name: str
    destination: DestinationRow | None  # its row; None: it is a connector or an action
    destinations: tuple[DestinationRow, ...]  # those that it serves, itself among them
    blockers: tuple[Blocker, ...]  # in its way
    failures: tuple[Failure, ...]  # the newest first, at most 10


def show_destination(tx: Connection, name: str) -> DestinationView | None:
    """The page of a destination, a connector or an action; None if nobody knows it."""
    rows = [one for one in list_destinations(tx) if name in _names_of(one)]
    if not rows and name not in circuit_names(tx):
        return None
    itself = next((one for one in rows if one.name == name), None)
    asked = _names_of(itself) if itself else {name, connector_of(name)}
    return DestinationView(
        name=name,
        destination=itself if itself and itself.destination else None,
        destinations=tuple(one for one in rows if one.destination),
        blockers=tuple(one for one in blocked_circuits(tx) if one.name in asked),
        failures=_failures(tx, name),
    )


def _names_of(row: DestinationRow) -> set[str]:
    """The circuits that a destination's deliveries go through."""
    names = {row.name}
    if row.connector:
        names.add(row.connector)
        if row.action:
            names.add(action_breaker(row.connector, row.action))
    return names


def _failures(tx: Connection, name: str) -> tuple[Failure, ...]:
    table = deliveries.c
    rows = tx.execute(
        select(
            table.event_id,
            table.destination,
            table.state,
            table.reason,
            table.error,
            table.updated_at,
        )
        .join_from(events, deliveries, table.event_id == events.c.id)
        .where(
            or_(events.c.due_at.is_not(None), events.c.state == State.QUARANTINED),
            table.error.is_not(None),
            *_there(name),
        )
        .order_by(table.updated_at.desc(), table.event_id)
        .limit(_MOST_FAILURES)
    )
    return tuple(
        Failure(
            id=row.event_id,
            destination=row.destination,
            state=row.state,
            reason=row.reason,
            error=row.error,
            at=iso_time(row.updated_at),
        )
        for row in rows
    )


def _there(name: str) -> list[Any]:
    """The deliveries that go through a circuit."""
    if place := named_destination(name):
        client, workflow, destination = place
        where = (events.c.client == client, events.c.workflow == workflow)
        return [*where, deliveries.c.destination == destination]
    connector, _, action = name.partition(".")
    there = [deliveries.c.connector == connector]
    return [*there, deliveries.c.action == action] if action else there

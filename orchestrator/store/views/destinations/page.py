"""What people read of one destination, connector or action: what stops it, and what fails there."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.breakers import action_breaker, connector_of
from orchestrator.store.database.schema import circuits
from orchestrator.store.destinations.named import circuit_names
from orchestrator.store.views.destinations.failures import Failure, list_failures
from orchestrator.store.views.destinations.list import (
    DestinationRow,
    blocked_circuits,
    list_destinations,
)
from orchestrator.store.views.values import iso_time

MOST_FAILURES = 10


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
    rows = [one for one in list_destinations(tx) if name in names_of(one)]
    if not rows and name not in circuit_names(tx):
        return None
    itself = next((one for one in rows if one.name == name), None)
    asked = names_of(itself) if itself else {name, connector_of(name)}
    return DestinationView(
        name=name,
        destination=itself if itself and itself.destination else None,
        destinations=tuple(one for one in rows if one.destination),
        blockers=tuple(one for one in blocked_circuits(tx) if one.name in asked),
        failures=tuple(list_failures(tx, name, limit=MOST_FAILURES)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class LastSwitch:
    """The last time that calls were blocked, or released."""

    by: str  # an actor
    at: str  # ISO 8601 in UTC


def last_switch(tx: Connection, name: str) -> LastSwitch | None:
    """Of a destination, connector or action; None where nothing ever blocked its calls."""
    of_it = select(circuits.c.actor, circuits.c.since).where(circuits.c.name == name)
    row = tx.execute(of_it).one_or_none()
    return None if row is None else LastSwitch(by=row.actor, at=iso_time(row.since))


def names_of(row: DestinationRow) -> set[str]:
    """The circuits that a destination's deliveries go through."""
    names = {row.name}
    if row.connector:
        names.add(row.connector)
        if row.action:
            names.add(action_breaker(row.connector, row.action))
    return names

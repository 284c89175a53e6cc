"""What people read of failures: the last ones of deliveries that are not at their end.

Events under way are found by their index, those in quarantine by the open incidents of the
destination: nobody reads the events that are at their end, which are nearly all there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, null, or_, select, tuple_, union_all

from orchestrator.domain.delivery.breakers import destination_circuit, named_destination
from orchestrator.domain.incidents.incident import FURTHER, IncidentState
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import deliveries, events, incidents, quarantine
from orchestrator.store.destinations.named import named_destinations, versions_of
from orchestrator.store.views.values import iso_time

Place = tuple[str, str, str]
"""Client, workflow and destination."""

_MOST_INCIDENTS = 5  # the newest: each costs a look of its own
_MOST_NAMES = 500  # destinations in one question


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
class LastFailure:
    """The newest failure at one destination."""

    event_id: str
    incident: int | None  # that its event is in quarantine for; None: it is under way
    reason: str | None  # a code
    error: str  # in the tool's words, secrets masked
    at: str  # ISO 8601 in UTC


def list_failures(tx: Connection, name: str, *, limit: int) -> list[Failure]:
    """Failures of deliveries that go through a circuit, the newest first."""
    looks = [_failing_under_way(name), *map(_failing_in_quarantine(name), _incidents_at(tx, name))]
    # Each look has a limit of its own: none of them reads more than the page shows.
    parts = (select(look.limit(limit).subquery()) for look in looks)
    newest = union_all(*parts).subquery()
    order = (newest.c.updated_at.desc(), newest.c.event_id)
    return [_failure(row) for row in tx.execute(select(newest).order_by(*order).limit(limit))]


def _failing_under_way(name: str) -> Select[Any]:
    table = deliveries.c
    return (
        select(*_FAILURE)
        .join_from(events, deliveries, table.event_id == events.c.id)
        .where(events.c.due_at.is_not(None), table.error.is_not(None), *_there(name))
        .order_by(table.updated_at.desc())
    )


def _failing_in_quarantine(name: str) -> Callable[[int], Select[Any]]:
    """For the number of an incident, what of its events failed there."""
    table, stay = deliveries.c, quarantine.c
    return lambda incident: (
        select(*_FAILURE)
        .join_from(quarantine, deliveries, table.event_id == stay.event_id)
        .join(events, events.c.id == table.event_id)
        .where(stay.incident_id == incident, stay.released_at.is_(None))
        .where(table.error.is_not(None), *_there(name))
        .order_by(stay.id.desc())
    )


_FAILURE = (
    deliveries.c.event_id,
    deliveries.c.destination,
    deliveries.c.state,
    deliveries.c.reason,
    deliveries.c.error,
    deliveries.c.updated_at,
)


def _failure(row: AnyRow) -> Failure:
    return Failure(
        id=row.event_id,
        destination=row.destination,
        state=row.state,
        reason=row.reason,
        error=row.error,
        at=iso_time(row.updated_at),
    )


def _there(name: str) -> list[Any]:
    """The deliveries that go through a circuit."""
    if place := named_destination(name):
        client, workflow, destination = place
        versions = events.c.workflow_id.in_(versions_of(client, workflow))
        return [versions, deliveries.c.destination == destination]
    connector, _, action = name.partition(".")
    there = [events.c.workflow_id.in_(versions_of()), deliveries.c.connector == connector]
    return [*there, deliveries.c.action == action] if action else there


def _incidents_at(tx: Connection, name: str) -> Sequence[int]:
    """The newest open incidents whose events may have failed there."""
    table = incidents.c
    places = [place] if (place := named_destination(name)) else _served_by(tx, name)
    at_it = tuple_(table.client, table.workflow, table.destination).in_(places[:_MOST_NAMES])
    of_it = tuple_(table.client, table.workflow).in_(
        [(client, workflow) for client, workflow, _ in places[:_MOST_NAMES]]
    )
    open_ = select(table.id).where(
        table.state != IncidentState.RESOLVED,
        or_(at_it, and_(table.reason == FURTHER, of_it)),
    )
    return tx.execute(open_.order_by(table.last_at.desc()).limit(_MOST_INCIDENTS)).scalars().all()


def _served_by(tx: Connection, name: str) -> list[Place]:
    """The destinations that a connector, or one action of it, serves."""
    return [
        (one.client, one.workflow, one.destination)
        for one in named_destinations(tx)
        if name in (one.connector, one.breaker)
    ]


def last_failures(tx: Connection, places: Iterable[Place]) -> dict[str, LastFailure]:
    """The newest failure at each of these destinations that has one, by its circuit's name."""
    wanted = list(places)[:_MOST_NAMES]
    found: dict[str, LastFailure] = {}
    if not wanted:
        return found
    for statement in (_under_way(wanted), _in_quarantine(wanted)):
        for row in tx.execute(statement):
            one = LastFailure(
                event_id=row.event_id,
                incident=row.incident,
                reason=row.reason,
                error=row.error,
                at=iso_time(row.at),
            )
            name = destination_circuit(row.client, row.workflow, row.destination)
            if name not in found or found[name].at < one.at:
                found[name] = one
    return found


def _under_way(wanted: Sequence[Place]) -> Select[Any]:
    table, place = deliveries.c, (events.c.client, events.c.workflow, deliveries.c.destination)
    newest = func.row_number().over(partition_by=place, order_by=table.updated_at.desc())
    failed = (
        select(
            *place,
            table.event_id,
            table.reason,
            table.error,
            table.updated_at.label("at"),
            newest.label("place"),
        )
        .join_from(events, deliveries, table.event_id == events.c.id)
        .where(events.c.workflow_id.in_(versions_of()), events.c.due_at.is_not(None))
        .where(table.error.is_not(None), tuple_(*place).in_(wanted))
        .subquery()
    )
    return select(failed, null().label("incident")).where(failed.c.place == 1)


def _in_quarantine(wanted: Sequence[Place]) -> Select[Any]:
    table, stay, last = incidents.c, quarantine.c, quarantine.alias("last").c
    newest = select(func.max(last.id)).where(
        last.incident_id == table.id, last.released_at.is_(None)
    )
    return (
        select(
            table.client,
            table.workflow,
            table.destination,
            table.id.label("incident"),
            stay.event_id,
            stay.reason,
            stay.detail.label("error"),
            stay.since.label("at"),
        )
        .join_from(incidents, quarantine, stay.id == newest.scalar_subquery())
        .where(
            table.state != IncidentState.RESOLVED,
            tuple_(table.client, table.workflow, table.destination).in_(wanted),
        )
    )

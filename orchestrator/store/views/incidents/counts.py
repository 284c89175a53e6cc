"""How many events of incidents have not ended: in quarantine, under way, held, or released."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Select, exists, func, literal, select, union_all

from orchestrator.domain.incidents.incident import AWAITING, HELD, IncidentState
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.schema import (
    audit,
    dead_letters,
    deliveries,
    events,
    quarantine,
    workflow_versions,
)
from orchestrator.store.destinations.held_deliveries import (
    IS_HELD,
    client_of_held,
    workflow_of_held,
)
from orchestrator.store.quarantine.asked import waiting_of
from orchestrator.store.quarantine.dead_letters import LetterState
from orchestrator.store.quarantine.locked_incidents import IncidentPlace
from orchestrator.store.quarantine.outcomes import count_under_way

_TOGETHER = 50  # incidents that are counted in one statement

_Destination = tuple[str, str, str]
"""Client, workflow and destination."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Open:
    """How many events of an incident have not ended."""

    standing: int  # in quarantine, or awaiting an approval; of unreadable messages, dead letters
    under_way: int  # a replay, or the end of a hold, sent them on their way
    held: int  # deliveries
    twice: int = 0  # of all that it ever counted: those that came back for the same cause


def count_open(tx: Connection, place: IncidentPlace) -> Open:
    """What of an incident has not ended."""
    return count_each(tx, [place])[place.id]


def count_each(tx: Connection, places: Sequence[IncidentPlace]) -> dict[int, Open]:
    """What of each of these incidents has not ended."""
    ids = [one.id for one in places]
    standing = _count_quarantined(tx, ids) | _letters(tx, places) | _awaiting(tx, places)
    replayed = count_under_way(tx, ids)
    waits = [one for one in places if one.reason == HELD]
    held = _held(tx) if waits else {}
    let_go = _count_let_go(tx, waits)
    return {
        one.id: Open(
            standing=standing.get(one.id, 0),
            under_way=replayed.get(one.id, (0, 0))[0] + let_go.get(one.id, 0),
            held=held.get(_destination_of(one), 0) if one.reason == HELD else 0,
            twice=replayed.get(one.id, (0, 0))[1],
        )
        for one in places
    }


def _destination_of(place: IncidentPlace) -> _Destination:
    return place.client, place.workflow, str(place.destination)


def _count_let_go(tx: Connection, places: Sequence[IncidentPlace]) -> dict[int, int]:
    """How many deliveries of each were released and are not made, many in one statement."""
    open_ = [one for one in places if one.state is not IncidentState.RESOLVED]
    found: dict[int, int] = {}
    for first in range(0, len(open_), _TOGETHER):
        counted = (
            select(literal(one.id), func.count()).select_from(let_go_of(one).subquery())
            for one in open_[first : first + _TOGETHER]
        )
        found.update({row[0]: row[1] for row in tx.execute(union_all(*counted))})
    return found


def held_of(place: IncidentPlace) -> Select[tuple[str]]:
    """The held deliveries of an incident: their event ids, for `exists` and for counting."""
    return (
        select(deliveries.c.event_id)
        .join(events, events.c.id == deliveries.c.event_id)
        .where(
            IS_HELD,
            deliveries.c.destination == place.destination,
            client_of_held == place.client,
            workflow_of_held == place.workflow,
        )
    )


def let_go_of(place: IncidentPlace) -> Select[tuple[str]]:
    """Its deliveries that were held, are not any more, and have not been made: their event ids.

    That they were held, the audit says. They are found among the workflow's unfinished events: by
    its name SQLite would read all that it ever had.
    """
    table, versions = deliveries.c, workflow_versions.c
    was_held = exists().where(
        audit.c.event_id == table.event_id,
        audit.c.action == "hold",
        audit.c.destination == table.name,
    )
    every_version = select(versions.id).where(
        versions.client == place.client, versions.name == place.workflow
    )
    return (
        select(table.event_id)
        .join(events, events.c.id == table.event_id)
        .where(
            events.c.workflow_id.in_(every_version),
            events.c.due_at.is_not(None),
            table.destination == place.destination,
            table.state.in_((DeliveryState.PENDING, DeliveryState.SENDING)),
            was_held,
        )
    )


def _count_quarantined(tx: Connection, ids: Sequence[int]) -> dict[int, int]:
    """How many events of each are in quarantine."""
    table = quarantine.c
    rows = tx.execute(
        select(table.incident_id, func.count())
        .where(table.incident_id.in_(ids), table.released_at.is_(None))
        .group_by(table.incident_id)
    )
    return {row[0]: row[1] for row in rows}


def _letters(tx: Connection, places: Sequence[IncidentPlace]) -> dict[int, int]:
    """How many dead letters of each are open, of those that are about messages."""
    table = dead_letters.c
    ids = [one.id for one in places if one.reason == Reason.POISON_MESSAGE]
    if not ids:
        return {}
    counted = tx.execute(
        select(table.incident_id, func.count())
        .where(table.incident_id.in_(ids), table.state == LetterState.STANDING)
        .group_by(table.incident_id)
    )
    return {row[0]: row[1] for row in counted}


def _awaiting(tx: Connection, places: Sequence[IncidentPlace]) -> dict[int, int]:
    """How many events wait for an approval, of the incidents that are about it."""
    return {
        one.id: tx.execute(
            select(func.count()).select_from(waiting_of(one.client, one.workflow).subquery())
        ).scalar_one()
        for one in places
        if one.reason == AWAITING
    }


def _held(tx: Connection) -> dict[_Destination, int]:
    """How many deliveries are held, by client, workflow and destination."""
    place = (events.c.client, events.c.workflow, deliveries.c.destination)
    rows = tx.execute(
        select(*place, func.count())
        .join_from(deliveries, events, events.c.id == deliveries.c.event_id)
        .where(deliveries.c.held_by.is_not(None))
        .group_by(*place)
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}

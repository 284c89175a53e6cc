"""How many events of incidents have not ended: in quarantine, under way, held, or let go again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exists, func, select

from orchestrator.domain.incidents.incident import HELD, IncidentState
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import (
    audit,
    dead_letters,
    deliveries,
    events,
    incidents,
    quarantine,
    workflow_versions,
)
from orchestrator.store.quarantine.outcomes import count_under_way
from orchestrator.store.views.dead_letters import LetterState

_Place = tuple[str, str, str]
"""Client, workflow and destination."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How many events of incidents are where at this moment."""

    quarantined: dict[int, int]
    under_way: dict[int, tuple[int, int]]  # and of those that came back, see `count_under_way`
    held: dict[_Place, int]  # deliveries
    let_go: dict[int, int]  # deliveries that were held, and have not been made

    def held_of(self, row: AnyRow) -> int:
        """The held deliveries of one incident."""
        place = (row.client, row.workflow, row.destination)
        return self.held.get(place, 0) if row.reason == HELD else 0

    def under_way_of(self, row: AnyRow) -> int:
        """What of one incident is on its way again."""
        return self.under_way.get(row.id, (0, 0))[0] + self.let_go.get(row.id, 0)


def stand_now(tx: Connection, rows: Sequence[AnyRow]) -> Standing:
    """Count what of these incidents has not ended."""
    ids = [row.id for row in rows]
    held = [row for row in rows if row.reason == HELD]
    waiting = [row for row in held if row.state != IncidentState.RESOLVED]
    return Standing(
        quarantined=_standing(tx, ids) | _letters(tx, rows),
        under_way=count_under_way(tx, ids),
        held=_held(tx) if held else {},
        let_go={row.id: _count(tx, let_go_of(row)) for row in waiting},
    )


@dataclass(frozen=True, kw_only=True)
class Open:
    """How many events of an incident have not ended."""

    standing: int
    under_way: int
    held: int  # deliveries


def count_open(tx: Connection, incident: int) -> Open:
    """What of an incident has not ended."""
    row = tx.execute(select(incidents).where(incidents.c.id == incident)).one()
    now = stand_now(tx, [row])
    return Open(
        standing=now.quarantined.get(incident, 0),
        under_way=now.under_way_of(row),
        held=now.held_of(row),
    )


def held_of(row: Any) -> Any:
    """The held deliveries of an incident: their event ids, for `exists` and for counting."""
    return (
        select(deliveries.c.event_id)
        .join(events, events.c.id == deliveries.c.event_id)
        .where(
            deliveries.c.held_by.is_not(None),
            deliveries.c.destination == row.destination,
            events.c.client == row.client,
            events.c.workflow == row.workflow,
        )
    )


def let_go_of(row: Any) -> Any:
    """Its deliveries that were held, are not any more, and have not been made: their event ids.

    That they were held, the audit says. They are found among the workflow's unfinished events: by
    its name SQLite would read all that it ever had.
    """
    table, versions = deliveries.c, workflow_versions.c
    was_held = exists().where(
        audit.c.event_id == table.event_id,
        audit.c.action == "hold",
        audit.c.destination == table.destination,
    )
    every_version = select(versions.id).where(
        versions.client == row.client, versions.name == row.workflow
    )
    return (
        select(table.event_id)
        .join(events, events.c.id == table.event_id)
        .where(
            events.c.workflow_id.in_(every_version),
            events.c.due_at.is_not(None),
            table.destination == row.destination,
            table.state.in_((DeliveryState.PENDING, DeliveryState.SENDING)),
            was_held,
        )
    )


def _count(tx: Connection, found: Any) -> int:
    return int(tx.execute(select(func.count()).select_from(found.subquery())).scalar_one())


def _standing(tx: Connection, ids: Sequence[int]) -> dict[int, int]:
    """How many events of each stand in quarantine."""
    table = quarantine.c
    rows = tx.execute(
        select(table.incident_id, func.count())
        .where(table.incident_id.in_(ids), table.released_at.is_(None))
        .group_by(table.incident_id)
    )
    return {row[0]: row[1] for row in rows}


def _letters(tx: Connection, rows: Sequence[AnyRow]) -> dict[int, int]:
    """How many dead letters of each stand, of those that are about messages."""
    table = dead_letters.c
    ids = [row.id for row in rows if row.reason == Reason.POISON_MESSAGE]
    if not ids:
        return {}
    counted = tx.execute(
        select(table.incident_id, func.count())
        .where(table.incident_id.in_(ids), table.state == LetterState.STANDING)
        .group_by(table.incident_id)
    )
    return {row[0]: row[1] for row in counted}


def _held(tx: Connection) -> dict[_Place, int]:
    """How many deliveries are held, by client, workflow and destination."""
    place = (events.c.client, events.c.workflow, deliveries.c.destination)
    rows = tx.execute(
        select(*place, func.count())
        .join_from(deliveries, events, events.c.id == deliveries.c.event_id)
        .where(deliveries.c.held_by.is_not(None))
        .group_by(*place)
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}

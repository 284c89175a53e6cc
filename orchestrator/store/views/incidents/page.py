"""What people read of one incident: its oldest events, what to do, and what was done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.incidents.advice import Step
from orchestrator.domain.incidents.incident import HELD, LOW_RATE
from orchestrator.domain.incidents.outcomes import MovedEvents
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import (
    audit,
    deliveries,
    events,
    incidents,
    payloads,
    quarantine,
)
from orchestrator.store.destinations.held_deliveries import (
    IS_HELD,
    client_of_held,
    workflow_of_held,
)
from orchestrator.store.quarantine.locked_incidents import place_of
from orchestrator.store.quarantine.outcomes import moved_from, outcome_of
from orchestrator.store.views.audit import AuditRow, audited
from orchestrator.store.views.incidents.counts import count_open
from orchestrator.store.views.incidents.guidance import guidance_of
from orchestrator.store.views.incidents.list import (
    IS_OVERDUE,
    IncidentHead,
    advice_of,
    blockers_at,
    head_of,
)
from orchestrator.store.views.quarantine.dead_letters import OldestLetter, oldest_letters
from orchestrator.store.views.values import iso_time, of_clients

if TYPE_CHECKING:  # what measures rates knows whole workflows
    from orchestrator.store.views.success_rates import KeptRate

_SAMPLES = 5  # events that the page of an incident names


@dataclass(frozen=True, kw_only=True, slots=True)
class OldestEvent:
    """A quarantined event of an incident."""

    id: str
    detail: str  # why, in one sentence; empty once it was erased
    since: str  # when it came in, ISO 8601 in UTC
    amended: bool  # its payload was changed, and a replay takes the changed one


@dataclass(frozen=True, kw_only=True, slots=True)
class OldestHeld:
    """An event of an incident with a delivery that is held."""

    id: str
    detail: str  # at what, and the error that it had before
    since: str  # when the delivery last moved, ISO 8601 in UTC


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentView(IncidentHead):
    """One incident with all that is known of it."""

    # those that wait the longest, at most 5; letters of an incident of unreadable messages
    oldest: tuple[OldestEvent | OldestHeld | OldestLetter, ...]
    success_rate: KeptRate | None  # only of an incident about it
    moved_to: tuple[MovedEvents, ...]  # incidents that events of this one went on to
    moved_from: tuple[MovedEvents, ...]  # incidents whose events came to this one
    runbook: str | None  # of the workflow: an address or text
    zone: str | None  # of the workflow's calendar, such as Europe/Berlin
    blocked_by: tuple[Blocker, ...]  # what holds its deliveries back, where they are held
    advice: tuple[Step, ...]  # what to do, in order; nothing where it is over
    history: tuple[AuditRow, ...]  # all of it, the oldest first

    def as_json(self) -> dict[str, object]:
        """The page as a document: `success_rate` is there only if the incident is about it."""
        document = fields_of(self)
        if self.reason != LOW_RATE:
            del document["success_rate"]
        return document


def show_incident(
    tx: Connection, incident: int, *, clients: frozenset[str] | None = None
) -> IncidentView | None:
    """One incident with its oldest events and its history; None where there is none.

    Neither is there one of others than these `clients`; None: of anybody.
    """
    statement = select(incidents, IS_OVERDUE).where(incidents.c.id == incident)
    row = tx.execute(of_clients(statement, incidents.c.client, clients)).one_or_none()
    if row is None:
        return None
    place = place_of(row)
    guidance = guidance_of(tx, row.client, row.workflow)
    blockers = blockers_at(tx, place)
    history = select(audit).where(audit.c.incident_id == incident).order_by(audit.c.id)
    return IncidentView(
        **head_of(row, count_open(tx, place)),
        oldest=_oldest(tx, row),
        success_rate=_rate(tx, row),
        moved_to=outcome_of(tx, incident, row.opened_at).moved,
        moved_from=moved_from(tx, incident),
        runbook=guidance.runbook,
        zone=guidance.zone,
        blocked_by=blockers,
        advice=advice_of(tx, place, blockers),
        history=tuple(audited(tx, tx.execute(history).all())),
    )


def _rate(tx: Connection, row: AnyRow) -> KeptRate | None:
    if row.reason != LOW_RATE:
        return None
    from orchestrator.store.views.success_rates import rate_of

    return rate_of(tx, (row.client, row.workflow))


def _oldest(tx: Connection, row: AnyRow) -> tuple[OldestEvent | OldestHeld | OldestLetter, ...]:
    if row.reason == HELD:
        return _oldest_held(tx, row)
    if row.reason == Reason.POISON_MESSAGE:
        return tuple(oldest_letters(tx, row.id, limit=_SAMPLES))
    return _oldest_events(tx, row.id)


def _oldest_events(tx: Connection, incident: int) -> tuple[OldestEvent, ...]:
    table = quarantine.c
    rows = tx.execute(
        select(table.event_id, table.detail, table.since, payloads.c.amended.is_not(None))
        .join(payloads, payloads.c.event_id == table.event_id, isouter=True)
        .where(table.incident_id == incident, table.released_at.is_(None))
        .order_by(table.id)
        .limit(_SAMPLES)
    )
    return tuple(
        OldestEvent(id=row[0], detail=row[1], since=iso_time(row[2]), amended=bool(row[3]))
        for row in rows
    )


def _oldest_held(tx: Connection, incident: AnyRow) -> tuple[OldestHeld, ...]:
    table = deliveries.c
    rows = tx.execute(
        select(table.event_id, table.held_by, table.error, table.updated_at)
        .join_from(deliveries, events, events.c.id == table.event_id)
        .where(
            IS_HELD,
            table.destination == incident.destination,
            client_of_held == incident.client,
            workflow_of_held == incident.workflow,
        )
        .order_by(table.event_id)
        .limit(_SAMPLES)
    )
    return tuple(
        OldestHeld(
            id=row[0],
            detail=f"held at {row[1]}" + (f": {row[2]}" if row[2] else ""),
            since=iso_time(row[3]),
        )
        for row in rows
    )

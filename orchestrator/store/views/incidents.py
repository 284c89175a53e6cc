"""What people read of incidents, as JSON-ready values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, case, func, select

from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.breakers import FAILING
from orchestrator.domain.incidents.advice import Step, advise
from orchestrator.domain.incidents.incident import (
    HELD,
    LOW_RATE,
    IncidentKind,
    IncidentMove,
    IncidentState,
)
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import (
    audit,
    deliveries,
    events,
    incidents,
    payloads,
    quarantine,
)
from orchestrator.store.quarantine.locked_incidents import IncidentPlace, LockedIncident, place_of
from orchestrator.store.quarantine.outcomes import moved_from, outcome_of
from orchestrator.store.views.audit import audited
from orchestrator.store.views.dead_letters import oldest_letters
from orchestrator.store.views.guidance import guidance_of
from orchestrator.store.views.incident_counts import Open, count_each, count_open
from orchestrator.store.views.selection import UNGROUPED, Selection, narrowed
from orchestrator.store.views.values import View, iso

_SAMPLES = 5  # events that the page of an incident names


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Which incidents; every condition that is given must hold."""

    client: str | None = None
    workflow: str | None = None
    reason: str | None = None
    kind: str | None = None
    owner: str | None = None
    state: str | None = None  # None: those that are not resolved
    since: int | None = None  # opened since this time or later, in milliseconds
    until: int | None = None  # opened before this time
    words: tuple[str, ...] = ()  # an event that stands has them; see `Selection.words`


def list_incidents(tx: Connection, sought: Sought, *, limit: int = 1000) -> list[View]:
    """Incidents, most urgent first, the resolved ones at the end."""
    table = incidents.c
    over = case((table.state == IncidentState.RESOLVED, 1), else_=0)
    page = _sought(tx, sought).order_by(over, table.recover_by, table.id).limit(limit)
    rows = tx.execute(page).all()
    places = [place_of(row) for row in rows]
    counted = count_each(tx, places)
    return [
        _incident(row, counted[row.id]) | {"blocked_by": _blockers(tx, place)}
        for row, place in zip(rows, places, strict=True)
    ]


def count_incidents(tx: Connection, sought: Sought) -> int:
    """How many there are."""
    counted = select(func.count()).select_from(_sought(tx, sought).subquery())
    return int(tx.execute(counted).scalar_one())


def count_incident_states(tx: Connection) -> dict[tuple[str, str], int]:
    """How many there are by state and kind; every pair is named."""
    pair = (incidents.c.state, incidents.c.kind)
    counted = tx.execute(select(*pair, func.count()).group_by(*pair))
    found: dict[tuple[str, str], int] = {(row[0], row[1]): row[2] for row in counted}
    every = ((state.value, kind.value) for state in IncidentState for kind in IncidentKind)
    return dict.fromkeys(every, 0) | found


def show_incident(tx: Connection, incident: int) -> View | None:
    """One incident with its oldest events and its history; None where there is none."""
    statement = select(incidents, _OVERDUE).where(incidents.c.id == incident)
    row = tx.execute(statement).one_or_none()
    if row is None:
        return None
    place = place_of(row)
    view = _incident(row, count_open(tx, place))
    view["oldest"] = _oldest(tx, row)
    if row.reason == LOW_RATE:
        from orchestrator.store.views.success_rates import rate_of  # it knows whole workflows

        view["success_rate"] = rate_of(tx, (row.client, row.workflow))
    so_far = outcome_of(tx, incident, row.opened_at)
    view["moved_to"] = so_far.as_json()["moved"]
    view["moved_from"] = [
        {"incident": one, "events": count} for one, count in moved_from(tx, incident).items()
    ]
    guidance = guidance_of(tx, row.client, row.workflow)
    view |= {"runbook": guidance.runbook, "zone": guidance.zone}
    view["blocked_by"] = _blockers(tx, place)
    view["advice"] = [asdict(one) for one in advice_of(tx, place, view["blocked_by"])]
    history = select(audit).where(audit.c.incident_id == incident).order_by(audit.c.id)
    view["history"] = audited(tx, tx.execute(history).all())
    return view


def _blockers(tx: Connection, place: IncidentPlace) -> list[Blocker]:
    """What is paused or broken, for an incident whose deliveries are held."""
    if place.reason != HELD or place.state is IncidentState.RESOLVED:
        return []
    from orchestrator.store.views.destinations import blockers_of  # it knows whole workflows

    return blockers_of(tx, place.client, place.workflow, str(place.destination))


def advice_of(
    tx: Connection, place: IncidentPlace, blockers: Sequence[Blocker] | None = None
) -> tuple[Step, ...]:
    """What to do, each step with the command that does it; nothing where it is over."""
    if place.state is IncidentState.RESOLVED:
        return ()
    if blockers is None:
        blockers = _blockers(tx, place)
    return advise(
        place.reason,
        client=place.client,
        workflow=place.workflow,
        incident=place.id,
        blockers={one.name: one.reason or FAILING for one in blockers},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierMove:
    """Who brought an incident to where a move leads, and when."""

    incident: int
    was: str  # acknowledged, assigned or resolved
    by: str | None  # an actor; None where nobody did: it is the recovery lead's from the beginning
    at: str | None  # as `iso`
    until: str | None  # the end of an acknowledgement, as `iso`; None: it has none
    owner: str  # an e-mail address


def who_moved(tx: Connection, held: LockedIncident, move: IncidentMove) -> EarlierMove:
    """Who moved an incident before somebody else wanted to; `held` is as it was then."""
    was, by, at = "acknowledged", held.acknowledged_by, held.acknowledged_at
    until = held.acknowledged_until
    if move is IncidentMove.RESOLVE or held.state is IncidentState.RESOLVED:
        was, by, at, until = "resolved", held.resolved_by, held.resolved_at, None
    elif move is IncidentMove.ASSIGN:
        was, until = "assigned", None
        by, at = _last_assigned(tx, held)
    return EarlierMove(
        incident=held.id, was=was, by=by, at=iso(at), until=iso(until), owner=held.owner
    )


def _last_assigned(tx: Connection, held: LockedIncident) -> tuple[str | None, int | None]:
    """By whom and when, since it was opened the last time."""
    assigned = (audit.c.incident_id == held.id, audit.c.action == "assign_incident")
    newest = select(audit.c.actor, audit.c.at).where(*assigned).order_by(audit.c.id.desc())
    last = tx.execute(newest.limit(1)).one_or_none()
    return (last.actor, last.at) if last and last.at >= held.opened_at else (None, None)


def kinds_of(tx: Connection, numbers: Collection[int]) -> dict[int, IncidentKind]:
    """On whose side each of these incidents is that exists."""
    found = select(incidents.c.id, incidents.c.kind).where(incidents.c.id.in_(numbers))
    return {row.id: IncidentKind(row.kind) for row in tx.execute(found)}


def reason_of(tx: Connection, incident: int) -> str | None:
    """Why the events of an incident stand or wait; None where there is no such incident."""
    found = select(incidents.c.reason).where(incidents.c.id == incident)
    return tx.execute(found).scalar_one_or_none()


def count_ungrouped(tx: Connection) -> int:
    """How many quarantined events have no incident yet, because they came before there were any."""
    counted = select(func.count()).select_from(quarantine).where(UNGROUPED)
    return int(tx.execute(counted).scalar_one())


_OVERDUE = (
    (incidents.c.state != IncidentState.RESOLVED)
    & (incidents.c.recover_by < func.coalesce(incidents.c.stopped_at, now_ms()))
).label("overdue")


def _sought(tx: Connection, sought: Sought) -> Select[Any]:
    table = incidents.c
    statement = select(incidents, _OVERDUE)
    for name in ("client", "workflow", "reason", "kind", "owner", "state"):
        if (value := getattr(sought, name)) is not None:
            statement = statement.where(table[name] == value)
    if sought.state is None:
        statement = statement.where(table.state != IncidentState.RESOLVED)
    if sought.since is not None:
        statement = statement.where(table.opened_at >= sought.since)
    if sought.until is not None:
        statement = statement.where(table.opened_at < sought.until)
    if sought.words:
        standing = narrowed(tx, select(quarantine.c.incident_id), Selection(words=sought.words))
        statement = statement.where(table.id.in_(standing))
    return statement


def _incident(row: AnyRow, now: Open) -> View:
    return {
        "id": row.id,
        "client": row.client,
        "workflow": row.workflow,
        "kind": row.kind,
        "title": row.title,
        "reason": row.reason,
        "stage": row.stage,
        "destination": row.destination,
        "state": row.state,
        "owner": row.owner,
        "events": row.events - now.twice,
        "standing": now.standing,
        "under_way": now.under_way,
        "held": now.held,
        "opened_at": iso(row.opened_at),
        "last_at": iso(row.last_at),
        "recover_by": iso(row.recover_by),
        "overdue": bool(row.overdue),
        "stopped_at": iso(row.stopped_at),
        "acknowledged_at": iso(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by,
        "acknowledged_until": iso(row.acknowledged_until),
        "resolved_at": iso(row.resolved_at),
        "resolved_by": row.resolved_by,
        "outcome": orjson.loads(row.outcome) if row.outcome else None,
        "reopened": row.reopened,
        "step": row.step,
        "breached_at": iso(row.breached_at),
    }


def _oldest(tx: Connection, row: AnyRow) -> list[View]:
    if row.reason == HELD:
        return _held_samples(tx, row)
    if row.reason == Reason.POISON_MESSAGE:
        return oldest_letters(tx, row.id, limit=_SAMPLES)
    return _samples(tx, row.id)


def _samples(tx: Connection, incident: int) -> list[View]:
    table = quarantine.c
    rows = tx.execute(
        select(table.event_id, table.detail, table.since, payloads.c.amended.is_not(None))
        .join(payloads, payloads.c.event_id == table.event_id, isouter=True)
        .where(table.incident_id == incident, table.released_at.is_(None))
        .order_by(table.id)
        .limit(_SAMPLES)
    )
    return [
        {"id": row[0], "detail": row[1], "since": iso(row[2]), "amended": bool(row[3])}
        for row in rows
    ]


def _held_samples(tx: Connection, incident: AnyRow) -> list[View]:
    table = deliveries.c
    rows = tx.execute(
        select(table.event_id, table.held_by, table.error, table.updated_at)
        .join_from(deliveries, events, events.c.id == table.event_id)
        .where(
            table.held_by.is_not(None),
            table.destination == incident.destination,
            events.c.client == incident.client,
            events.c.workflow == incident.workflow,
        )
        .order_by(table.event_id)
        .limit(_SAMPLES)
    )
    return [
        {
            "id": row[0],
            "detail": f"held at {row[1]}" + (f": {row[2]}" if row[2] else ""),
            "since": iso(row[3]),
        }
        for row in rows
    ]

"""What people read of incidents, as JSON-ready values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, case, func, select

from orchestrator.domain.incidents.advice import advise
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
from orchestrator.store.quarantine.outcomes import moved_from, outcome_of
from orchestrator.store.views.dead_letters import oldest_letters
from orchestrator.store.views.events import audited
from orchestrator.store.views.guidance import guidance_of
from orchestrator.store.views.incident_counts import Standing, stand_now
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
    """Incidents, those that have to be healed the soonest first, the resolved ones at the end."""
    table = incidents.c
    over = case((table.state == IncidentState.RESOLVED, 1), else_=0)
    page = _sought(tx, sought).order_by(over, table.recover_by, table.id).limit(limit)
    rows = tx.execute(page).all()
    now = stand_now(tx, rows)
    return [_incident(row, now) | {"blocked_by": _blockers(tx, row)} for row in rows]


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
    view = _incident(row, stand_now(tx, [row]))
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
    view["blocked_by"] = _blockers(tx, row)
    view["advice"] = advice_of(tx, row, view["blocked_by"])
    history = select(audit).where(audit.c.incident_id == incident).order_by(audit.c.id)
    view["history"] = audited(tx, tx.execute(history).all())
    return view


def _blockers(tx: Connection, row: AnyRow) -> list[View]:
    """What is paused or broken, for an incident whose deliveries are held."""
    if row.reason != HELD or row.state == IncidentState.RESOLVED:
        return []
    from orchestrator.store.views.destinations import blockers_of  # it knows whole workflows

    return blockers_of(tx, row.client, row.workflow, row.destination)


def advice_of(tx: Connection, row: AnyRow, blockers: Sequence[View] | None = None) -> list[View]:
    """What to do, each step with the command that does it; nothing where it is over."""
    if row.state == IncidentState.RESOLVED:
        return []
    if blockers is None:
        blockers = _blockers(tx, row)
    steps = advise(
        row.reason,
        client=row.client,
        workflow=row.workflow,
        incident=row.id,
        blockers={one["name"]: one["reason"] for one in blockers},
    )
    return [{"do": one.do, "command": one.command} for one in steps]


def who_moved(tx: Connection, incident: int, move: IncidentMove) -> View:
    """Who brought an incident to where a move leads, and when: `was`, `by`, `at`, `until`, `owner`.

    `by` is null where nobody did: it is the recovery lead's from the beginning.
    """
    row = tx.execute(select(incidents).where(incidents.c.id == incident)).one()
    by, at, until = row.acknowledged_by, iso(row.acknowledged_at), iso(row.acknowledged_until)
    was = "acknowledged"
    if move is IncidentMove.RESOLVE or row.state == IncidentState.RESOLVED:
        was, by, at, until = "resolved", row.resolved_by, iso(row.resolved_at), None
    elif move is IncidentMove.ASSIGN:
        assigned = (audit.c.incident_id == incident, audit.c.action == "assign_incident")
        newest = select(audit.c.actor, audit.c.at).where(*assigned).order_by(audit.c.id.desc())
        last = tx.execute(newest.limit(1)).one_or_none()
        was, until = "assigned", None
        by, at = (last.actor, iso(last.at)) if last and last.at >= row.opened_at else (None, None)
    return {
        "incident": incident,
        "was": was,
        "by": by,
        "at": at,
        "until": until,
        "owner": row.owner,
    }


def kind_of(tx: Connection, incident: int) -> str | None:
    """On whose side an incident is, as `IncidentKind`; None where there is none."""
    found = select(incidents.c.kind).where(incidents.c.id == incident)
    return tx.execute(found).scalar_one_or_none()


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


def _incident(row: AnyRow, now: Standing) -> View:
    counted_twice = now.under_way.get(row.id, (0, 0))[1]
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
        "events": row.events - counted_twice,
        "standing": now.quarantined.get(row.id, 0),
        "under_way": now.under_way_of(row),
        "held": now.held_of(row),
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

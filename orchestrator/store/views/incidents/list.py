"""What people read of incidents in a list, and what others ask of one of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, select, tuple_

from orchestrator.domain.access.actor import PERSON
from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.breakers import FAILING
from orchestrator.domain.incidents.advice import Step, advise
from orchestrator.domain.incidents.incident import HELD, IncidentKind, IncidentState
from orchestrator.domain.incidents.outcomes import IncidentOutcome, read_outcome
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import incidents, quarantine
from orchestrator.store.quarantine.locked_incidents import IncidentPlace, place_of
from orchestrator.store.views.incidents.counts import Open, count_each
from orchestrator.store.views.quarantine.selection import UNGROUPED, Selection, narrowed
from orchestrator.store.views.values import iso, iso_time, of_clients


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentHead:
    """What every page says of an incident. Times are ISO 8601 in UTC."""

    id: int
    client: str  # `(platform)` of unreadable messages
    workflow: str  # its name; `(broker)` of unreadable messages
    kind: str  # on whose side it is, as `IncidentKind`
    title: str  # its cause, for people: names of fields, never values
    reason: str  # a quarantine's code, or `held`, `late`, `success_rate`, `further_causes`
    stage: str  # where its events stalled
    destination: str | None  # only where the cause is one destination's
    state: str  # as `IncidentState`
    owner: str  # an e-mail address, or `-` while nobody owns it
    events: int  # that ever came
    standing: int  # of these in quarantine now; of unreadable messages, dead letters
    under_way: int  # that a replay, or the end of a hold, sent on their way
    held: int  # deliveries that are held now
    opened_at: str  # the last time
    last_at: str  # when the last event came
    recover_by: str  # the earliest deadline of its events
    overdue: bool  # the deadline has passed, and it is not resolved
    stopped_at: str | None  # since when a planned pause stops its clock
    acknowledged_at: str | None
    acknowledged_by: str | None  # an actor, such as `cli:dana`
    acknowledged_until: str | None  # None: without an end
    resolved_at: str | None
    resolved_by: str | None
    outcome: IncidentOutcome | None  # how its events ended; None until it is resolved
    reopened: int  # times that it was opened again
    step: int  # of its escalation; 0: nobody was told that it is late
    breached_at: str | None  # when its clock ran out


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentRow(IncidentHead):
    """One incident in a list."""

    blocked_by: tuple[Blocker, ...]  # what holds its deliveries back, where they are held


@dataclass(frozen=True, kw_only=True, slots=True)
class Sought:
    """Which incidents; every condition that is given must hold."""

    client: str | None = None
    workflow: str | None = None
    reason: str | None = None  # a quarantine's code, or `held`, `late`, `success_rate`
    kind: str | None = None  # as `IncidentKind`
    owner: str | None = None  # an e-mail address
    state: str | None = None  # None: those that are not resolved
    since: int | None = None  # opened since this time or later, in milliseconds
    until: int | None = None  # opened before this time
    words: tuple[str, ...] = ()  # a quarantined event has them; see `Selection.words`
    overdue: bool = False  # only those whose deadline has passed
    waits_for: str | None = None  # an address: owned by it, and not acknowledged by that person
    clients: frozenset[str] | None = None  # whose incidents somebody may see; None: everybody's


Cursor = tuple[int, int, int]
"""The place of an incident in a list: whether it is resolved, its deadline in ms, its number."""


def list_incidents(
    tx: Connection, sought: Sought, *, limit: int = 1000, after: Cursor | None = None
) -> list[IncidentRow]:
    """Incidents, most urgent first, the resolved ones at the end; with `after` those behind it."""
    table = incidents.c
    order = (case((table.state == IncidentState.RESOLVED, 1), else_=0), table.recover_by, table.id)
    page = _sought(tx, sought).order_by(*order).limit(limit)
    if after is not None:
        page = page.where(tuple_(*order) > tuple_(*map(literal, after)))
    rows = tx.execute(page).all()
    places = [place_of(row) for row in rows]
    counted, blockers = count_each(tx, places), _blockers_at_each(tx, places)
    return [
        IncidentRow(**head_of(row, counted[row.id]), blocked_by=blockers[row.id]) for row in rows
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


def blockers_at(tx: Connection, place: IncidentPlace) -> tuple[Blocker, ...]:
    """What is paused or broken, for an incident whose deliveries are held."""
    return _blockers_at_each(tx, [place])[place.id]


def _blockers_at_each(
    tx: Connection, incidents: Sequence[IncidentPlace]
) -> dict[int, tuple[Blocker, ...]]:
    from orchestrator.store.views.destinations.list import blockers_of  # it knows whole workflows

    places = {
        one.id: (one.client, one.workflow, str(one.destination))
        for one in incidents
        if one.reason == HELD and one.state is not IncidentState.RESOLVED
    }
    found = blockers_of(tx, set(places.values()))
    return {one.id: tuple(found[places[one.id]]) if one.id in places else () for one in incidents}


def advice_of(
    tx: Connection, place: IncidentPlace, blockers: Sequence[Blocker] | None = None
) -> tuple[Step, ...]:
    """What to do, each step with the command that does it; nothing where it is over."""
    if place.state is IncidentState.RESOLVED:
        return ()
    if blockers is None:
        blockers = blockers_at(tx, place)
    return advise(
        place.reason,
        client=place.client,
        workflow=place.workflow,
        incident=place.id,
        blockers={one.name: one.reason or FAILING for one in blockers},
    )


def kinds_of(
    tx: Connection, numbers: Collection[int], *, clients: frozenset[str] | None
) -> dict[int, IncidentKind]:
    """On whose side each of these incidents is that exists, and is one of `clients` (None: any)."""
    found = select(incidents.c.id, incidents.c.kind).where(incidents.c.id.in_(numbers))
    rows = tx.execute(of_clients(found, incidents.c.client, clients))
    return {row.id: IncidentKind(row.kind) for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentWorkflow:
    """Whose an incident is."""

    client: str
    workflow: str  # its name


def workflow_of(tx: Connection, number: int) -> IncidentWorkflow | None:
    """Whose an incident is; None where there is no such incident."""
    found = select(incidents.c.client, incidents.c.workflow).where(incidents.c.id == number)
    row = tx.execute(found).one_or_none()
    return None if row is None else IncidentWorkflow(client=row.client, workflow=row.workflow)


def reason_of(
    tx: Connection, incident: int, *, clients: frozenset[str] | None = None
) -> str | None:
    """Why an incident's events are quarantined or held; None where there is no such incident.

    With `clients` only one of theirs is there.
    """
    found = select(incidents.c.reason).where(incidents.c.id == incident)
    found = of_clients(found, incidents.c.client, clients)
    return tx.execute(found).scalar_one_or_none()


def count_ungrouped(tx: Connection) -> int:
    """How many quarantined events have no incident yet, because they came before there were any."""
    counted = select(func.count()).select_from(quarantine).where(UNGROUPED)
    return int(tx.execute(counted).scalar_one())


OVERDUE = (incidents.c.state != IncidentState.RESOLVED) & (
    incidents.c.recover_by < func.coalesce(incidents.c.stopped_at, now_ms())
)


def waits_for(mail: str) -> ColumnElement[bool]:
    """Incidents that are somebody's, and of which they did not say that they are on them."""
    table = incidents.c
    by_them = table.acknowledged_by.startswith(f"{PERSON}{mail}/", autoescape=True)
    not_by_them = table.acknowledged_by.is_(None) | ~by_them
    return and_(table.owner == mail, table.state != IncidentState.RESOLVED, not_by_them)


IS_OVERDUE = OVERDUE.label("overdue")


def _sought(tx: Connection, sought: Sought) -> Select[Any]:
    table = incidents.c
    statement = of_clients(select(incidents, IS_OVERDUE), table.client, sought.clients)
    for name in ("client", "workflow", "reason", "kind", "owner", "state"):
        if (value := getattr(sought, name)) is not None:
            statement = statement.where(table[name] == value)
    if sought.state is None:
        statement = statement.where(table.state != IncidentState.RESOLVED)
    if sought.waits_for is not None:
        statement = statement.where(waits_for(sought.waits_for))
    if sought.since is not None:
        statement = statement.where(table.opened_at >= sought.since)
    if sought.until is not None:
        statement = statement.where(table.opened_at < sought.until)
    if sought.overdue:
        statement = statement.where(OVERDUE)
    if sought.words:
        standing = narrowed(tx, select(quarantine.c.incident_id), Selection(words=sought.words))
        statement = statement.where(table.id.in_(standing))
    return statement


def head_of(row: AnyRow, now: Open) -> dict[str, Any]:
    """The fields of IncidentHead, of a row with `IS_OVERDUE` and what of it has not ended."""
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
        "opened_at": iso_time(row.opened_at),
        "last_at": iso_time(row.last_at),
        "recover_by": iso_time(row.recover_by),
        "overdue": bool(row.overdue),
        "stopped_at": iso(row.stopped_at),
        "acknowledged_at": iso(row.acknowledged_at),
        "acknowledged_by": row.acknowledged_by,
        "acknowledged_until": iso(row.acknowledged_until),
        "resolved_at": iso(row.resolved_at),
        "resolved_by": row.resolved_by,
        "outcome": read_outcome(orjson.loads(row.outcome)) if row.outcome else None,
        "reopened": row.reopened,
        "step": row.step,
        "breached_at": iso(row.breached_at),
    }

"""What people read of the quarantine: which events are in it, why, whose they are, until when."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import payloads, quarantine
from orchestrator.store.quarantine.outcomes import HAS_INDEX
from orchestrator.store.views.lines import followers_of
from orchestrator.store.views.quarantine.selection import Selection, narrowed
from orchestrator.store.views.values import iso_time

EVERYTHING = Selection()


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantinedEvent:
    """One event that is in quarantine now."""

    id: str  # of the event
    client: str
    workflow: str  # its name
    stage: str  # where the event stalled: validate, route, dispatch
    reason: str  # a code, as `Reason`
    detail: str  # one sentence; empty once it was erased
    violations: tuple[Violation, ...]  # what breaks the contract; none for other reasons
    hints: tuple[str, ...]  # those of the violations
    owner: str  # of the workflow, when the event came in
    recovery_lead: str  # who brings the event back
    since: str  # when it came in, ISO 8601 in UTC
    recover_by: str  # its deadline, ISO 8601 in UTC
    overdue: bool  # the deadline has passed
    amended: bool  # its payload was changed, and a replay takes the changed one
    incident: int | None  # the number of its incident; None: none was opened yet
    followers: int  # how many events wait until it is at its end, as their ordering key says


@dataclass(frozen=True, kw_only=True, slots=True)
class QuarantineCount:
    """How many events of one workflow are in quarantine for one reason."""

    client: str | None  # None: broker messages that no worker could read have neither
    workflow: str | None
    stage: str  # where they stalled
    reason: str  # a code, as `Reason`
    recovery_lead: str  # who brings them back
    events: int  # how many there are
    recover_by: str | None  # the first of their deadlines, ISO 8601 in UTC


def list_quarantine(
    tx: Connection, selection: Selection, *, limit: int = 1000, after: int | None = None
) -> list[QuarantinedEvent]:
    """The selected events that are in quarantine now, the oldest first.

    With `after` those behind that place, as `place_in_quarantine` tells it.
    """
    statement = select(
        quarantine,
        payloads.c.amended.is_not(None).label("amended"),
        (quarantine.c.recover_by < now_ms()).label("overdue"),
    ).join(payloads, payloads.c.event_id == quarantine.c.event_id, isouter=True)
    ordered = narrowed(tx, statement, selection).order_by(quarantine.c.id).limit(limit)
    if after is not None:
        ordered = ordered.where(quarantine.c.id > after)
    rows = tx.execute(ordered).all()
    followers = followers_of(tx, [row.event_id for row in rows]) if rows else {}
    return [_quarantined(row, followers.get(row.event_id, 0)) for row in rows]


def place_in_quarantine(tx: Connection, event_id: str) -> int:
    """The place of an event in the list: later ones have higher ones."""
    place = select(func.max(quarantine.c.id)).where(quarantine.c.event_id == event_id, HAS_INDEX)
    return int(tx.execute(place).scalar_one())


def _quarantined(row: AnyRow, followers: int) -> QuarantinedEvent:
    violations = tuple(Violation(**one) for one in orjson.loads(row.violations))
    return QuarantinedEvent(
        id=row.event_id,
        client=row.client,
        workflow=row.workflow,
        stage=row.stage,
        reason=row.reason,
        detail=row.detail,
        violations=violations,
        hints=tuple(one.hint for one in violations if one.hint),
        owner=row.owner,
        recovery_lead=row.recovery_lead,
        since=iso_time(row.since),
        recover_by=iso_time(row.recover_by),
        overdue=bool(row.overdue),
        amended=bool(row.amended),
        incident=row.incident_id,
        followers=followers,
    )


def count_quarantine(tx: Connection, selection: Selection, *, discarded: bool = False) -> int:
    """How many events the selection has; with `discarded` of those that were given up."""
    counted = select(func.count()).select_from(quarantine)
    statement = narrowed(tx, counted, selection, discarded=discarded)
    return int(tx.execute(statement).scalar_one())


def count_reasons(tx: Connection, selection: Selection = EVERYTHING) -> list[QuarantineCount]:
    """What is in quarantine by workflow, stage and reason, the most first."""
    table = quarantine.c
    columns = (table.client, table.workflow, table.stage, table.reason, table.recovery_lead)
    counted = select(
        *columns, func.count().label("events"), func.min(table.recover_by).label("recover_by")
    ).group_by(*columns)
    rows = tx.execute(narrowed(tx, counted, selection).order_by(func.count().desc()))
    return [
        QuarantineCount(
            client=row.client,
            workflow=row.workflow,
            stage=row.stage,
            reason=row.reason,
            recovery_lead=row.recovery_lead,
            events=row.events,
            recover_by=iso_time(row.recover_by),
        )
        for row in rows
    ]

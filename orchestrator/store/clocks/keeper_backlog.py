"""What a keeper would have done by now. Where some of it is left, none runs."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, exists, func, select

from orchestrator.domain.incidents.incident import IncidentState
from orchestrator.store.clocks.alerts import AlertState
from orchestrator.store.clocks.deadlines import overdue
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import alerts, incidents


@dataclass(frozen=True, kw_only=True)
class Neglected:
    """How much of it there is. All of it is found among alerts and incidents, not events."""

    alerts: int  # due, and nobody claimed them
    untold: int  # incidents of which no alert was written
    clocks: int  # incidents that are late, and nobody recorded it


def count_neglected(tx: Connection, *, seconds: float) -> Neglected:
    """What a keeper has not done for longer than that."""
    table = incidents.c
    due = select(alerts.c.id).where(
        alerts.c.state == AlertState.WAITING, alerts.c.due_at < after(-seconds)
    )
    written = exists().where(alerts.c.incident_id == table.id, alerts.c.round == table.reopened)
    untold = select(table.id).where(
        table.state != IncidentState.RESOLVED,
        table.stopped_at.is_(None),  # nobody is told of a planned pause
        table.opened_at < after(-seconds),
        ~written,
    )
    counted = (
        select(func.count()).select_from(one.subquery())
        for one in (due, untold, overdue(after(-seconds)))
    )
    waiting, silent, late = (tx.execute(one).scalar_one() for one in counted)
    return Neglected(alerts=waiting, untold=silent, clocks=late)

"""What people do with alerts: one that failed for good is tried again."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, select, update

from orchestrator.store.clocks.alerts import AlertState
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import alerts
from orchestrator.store.database.schema import audit as audited
from orchestrator.store.views.values import iso_time


def retry_alert(tx: Connection, number: int, *, actor: str) -> bool:
    """Make an alert due now, as if it had never been tried; False where it did not fail.

    A keeper drops it where the incident is over meanwhile.
    """
    table = alerts.c
    failed = (table.id == number, table.state == AlertState.FAILED)
    seen = select(table.incident_id, table.recipient, table.error).where(*failed)
    row = tx.execute(seen.with_for_update()).one_or_none()
    if row is None:
        return False
    tx.execute(
        update(alerts)
        .where(table.id == number)
        .values(state=AlertState.WAITING, due_at=now_ms(), attempts=0, error=None)
    )
    detail = {"alert": number, "to": row.recipient, "error": row.error}
    if row.incident_id is None:
        audit.record(tx, actor=actor, action=RETRY, detail=detail)
    else:
        audit.record_incident(tx, row.incident_id, actor=actor, action=RETRY, detail=detail)
    return True


RETRY = "retry_alert"


def failed_alerts(tx: Connection, *, limit: int) -> list[int]:
    """The numbers of those whose last try failed, the oldest first."""
    table = alerts.c
    failed = select(table.id).where(table.state == AlertState.FAILED).order_by(table.id)
    return list(tx.execute(failed.limit(limit)).scalars())


def count_failed(tx: Connection) -> int:
    """How many failed for good."""
    failed = select(func.count()).where(alerts.c.state == AlertState.FAILED)
    return int(tx.execute(failed).scalar_one())


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """That somebody sent an alert again."""

    alert: int
    by: str  # an actor
    at: str  # ISO 8601 in UTC


def last_retry(tx: Connection, *, since: int) -> Retry | None:
    """Who sent an alert again last, since then in milliseconds; None where nobody did.

    The audit has no index by actions, so only its newest rows are looked at.
    """
    table = audited.c
    newest = select(func.max(table.id)).scalar_subquery()
    statement = (
        select(table.actor, table.at, table.detail)
        .where(table.id > newest - _LOOKED_BACK, table.action == RETRY, table.at >= since)
        .order_by(table.id.desc())
        .limit(1)
    )
    row = tx.execute(statement).one_or_none()
    if row is None:
        return None
    return Retry(alert=orjson.loads(row.detail)["alert"], by=row.actor, at=iso_time(row.at))


_LOOKED_BACK = 20_000  # rows of the audit


def state_of_alert(tx: Connection, number: int) -> AlertState | None:
    """The state of an alert; None where there is none."""
    state = tx.execute(select(alerts.c.state).where(alerts.c.id == number)).scalar_one_or_none()
    return AlertState(state) if state else None

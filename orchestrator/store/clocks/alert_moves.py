"""What people do with alerts: one that failed for good is tried again."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from orchestrator.store.clocks.alerts import AlertState
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import alerts


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


def failed_alerts(tx: Connection) -> list[int]:
    """The numbers of those whose last try failed, the oldest first."""
    table = alerts.c
    failed = select(table.id).where(table.state == AlertState.FAILED).order_by(table.id)
    return list(tx.execute(failed).scalars())


def state_of_alert(tx: Connection, number: int) -> AlertState | None:
    """The state of an alert; None where there is none."""
    state = tx.execute(select(alerts.c.state).where(alerts.c.id == number)).scalar_one_or_none()
    return AlertState(state) if state else None

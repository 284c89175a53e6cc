"""The one function by which people move an incident: its row, and the audit row beside it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select, update

from orchestrator.domain.incidents import IncidentMove, IncidentState, incident_target
from orchestrator.store import audit
from orchestrator.store.clock import now_ms
from orchestrator.store.prepared import storable
from orchestrator.store.schema import incidents


def move_incident(
    tx: Connection,
    incident: int,
    move: IncidentMove,
    *,
    actor: str,
    why: str | None = None,
    owner: str | None = None,
    reason: str | None = None,
) -> bool:
    """Move it, and keep how long it took; False where it was so before, or there is none.

    `owner` is the new one of an assignment. The seconds are from its opening to the
    acknowledgement, and to the resolution from the acknowledgement where there was one.

    Raises IllegalMove.
    """
    row = tx.execute(
        select(incidents, now_ms().label("now"))
        .where(incidents.c.id == incident)
        .with_for_update(of=incidents)
    ).one_or_none()
    if row is None:
        return False
    source = IncidentState(row.state)
    if move in _LEADS_TO and _LEADS_TO[move] is source:
        return False
    target = incident_target(move, source)
    if move is IncidentMove.ASSIGN and row.owner == owner:
        return False
    tx.execute(
        update(incidents)
        .where(incidents.c.id == incident)
        .values(state=target, updated_at=now_ms(), **_changed(move, actor, owner))
    )
    audit.record_incident(
        tx,
        incident,
        actor=actor,
        action=f"{move}_incident",
        source=source,
        target=target,
        reason=reason,
        detail=_told(row, move, why, owner),
    )
    return True


_LEADS_TO = {
    IncidentMove.ACKNOWLEDGE: IncidentState.ACKNOWLEDGED,
    IncidentMove.RESOLVE: IncidentState.RESOLVED,
}


def _changed(move: IncidentMove, actor: str, owner: str | None) -> dict[str, Any]:
    match move:
        case IncidentMove.ACKNOWLEDGE:
            return {"acknowledged_at": now_ms(), "acknowledged_by": actor}
        case IncidentMove.RESOLVE:
            return {"resolved_at": now_ms(), "resolved_by": actor}
        case IncidentMove.ASSIGN:
            return {"owner": owner}
    raise ValueError(f"{move} is not a person's move")


def _told(row: Any, move: IncidentMove, why: str | None, owner: str | None) -> dict[str, object]:
    told: dict[str, object] = {"why": storable(why)} if why else {}
    if move is IncidentMove.ASSIGN:
        return told | {"owner": owner, "before": row.owner}
    if move is IncidentMove.RESOLVE and row.acknowledged_at is not None:
        told["acknowledged_by"] = row.acknowledged_by
        return told | {"seconds": (row.now - row.acknowledged_at) // 1000}
    return told | {"seconds": (row.now - row.opened_at) // 1000}

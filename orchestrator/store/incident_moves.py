"""The functions that move an incident: its row, and the audit row beside it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from orchestrator.domain.incidents import IncidentMove, IncidentState, incident_target
from orchestrator.domain.outcomes import IncidentOutcome
from orchestrator.store import audit
from orchestrator.store.clock import now_ms
from orchestrator.store.outcomes import outcome_of
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
    acknowledgement, and to the resolution from the acknowledgement where there was one. It is
    resolved since the last of its events ended. `reason` stands for events that nobody counts.

    Raises IllegalMove.
    """
    row = _locked(tx, incident)
    if row is None:
        return False
    source = IncidentState(row.state)
    if move in _LEADS_TO and _LEADS_TO[move] is source:
        return False
    target = incident_target(move, source)
    if move is IncidentMove.ASSIGN and row.owner == owner:
        return False
    ended = IncidentOutcome()
    if move is IncidentMove.RESOLVE:
        ended = outcome_of(tx, incident, row.opened_at)
    changed = _changed(move, actor, owner, ended)
    _write(tx, incident, state=target, **changed)
    audit.record_incident(
        tx,
        incident,
        actor=actor,
        action=f"{move}_incident",
        source=source,
        target=target,
        reason=ended.ended or reason,
        detail=_told(row, move, why, owner, ended),
    )
    return True


def reopen_incident(tx: Connection, incident: int, *, actor: str, reason: str) -> bool:
    """Open a resolved incident again as it was: its owner, its escalation, its first deadline.

    False where it was not resolved. What recurs by itself opens it with a new deadline instead.
    """
    row = _locked(tx, incident)
    if row is None or row.state != IncidentState.RESOLVED:
        return False
    target = incident_target(IncidentMove.REOPEN, IncidentState.RESOLVED)
    cleared = ("resolved_at", "resolved_by", "outcome", "acknowledged_at", "acknowledged_by")
    _write(
        tx,
        incident,
        state=target,
        reopened=row.reopened + 1,
        notes=row.notes + 1,  # a keeper that saw nothing open does not resolve it
        **dict.fromkeys(cleared),
    )
    audit.record_incident(
        tx,
        incident,
        actor=actor,
        action="reopen_incident",
        source=IncidentState.RESOLVED,
        target=target,
        reason=reason,
        detail={"owner": row.owner},
    )
    return True


def _locked(tx: Connection, incident: int) -> Any:
    return tx.execute(
        select(incidents, now_ms().label("now"))
        .where(incidents.c.id == incident)
        .with_for_update(of=incidents)
    ).one_or_none()


def _write(tx: Connection, incident: int, **values: Any) -> None:
    written = {"updated_at": now_ms(), **values}
    tx.execute(update(incidents).where(incidents.c.id == incident).values(written))


_LEADS_TO = {
    IncidentMove.ACKNOWLEDGE: IncidentState.ACKNOWLEDGED,
    IncidentMove.RESOLVE: IncidentState.RESOLVED,
}


def _changed(
    move: IncidentMove, actor: str, owner: str | None, ended: IncidentOutcome
) -> dict[str, Any]:
    match move:
        case IncidentMove.ACKNOWLEDGE:
            return {"acknowledged_at": now_ms(), "acknowledged_by": actor}
        case IncidentMove.RESOLVE:
            return {
                "resolved_at": ended.last_at or now_ms(),
                "resolved_by": actor,
                "outcome": orjson.dumps(ended.as_json()).decode(),
            }
        case IncidentMove.ASSIGN:
            return {"owner": owner}
    raise ValueError(f"{move} is not a person's move")


def _told(
    row: Any, move: IncidentMove, why: str | None, owner: str | None, ended: IncidentOutcome
) -> dict[str, object]:
    told: dict[str, object] = {"why": storable(why)} if why else {}
    if move is IncidentMove.ASSIGN:
        return told | {"owner": owner, "before": row.owner}
    if ended.ended:
        told["outcome"] = ended.told()
    if move is IncidentMove.RESOLVE and row.acknowledged_at is not None:
        told["acknowledged_by"] = row.acknowledged_by
        return told | {"seconds": _seconds(row.acknowledged_at, ended.last_at or row.now)}
    return told | {"seconds": _seconds(row.opened_at, ended.last_at or row.now)}


def _seconds(since: int, until: int) -> int:
    """Never negative: who acknowledges what is over already took no time."""
    return max(0, until - since) // 1000

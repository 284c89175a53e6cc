"""The functions that move an incident: its row, and the audit row beside it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from orchestrator.domain.incidents.incident import IncidentMove, IncidentState, incident_target
from orchestrator.domain.incidents.outcomes import IncidentOutcome
from orchestrator.store.database import audit
from orchestrator.store.database.clock import in_iso, now_ms
from orchestrator.store.database.engine import emit_after_commit
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import incidents
from orchestrator.store.quarantine.locked_incidents import LockedIncident, lock_incident
from orchestrator.store.quarantine.outcomes import outcome_of
from orchestrator.telemetry import IncidentAcknowledged, IncidentReopened, IncidentResolved


def move_incident(
    tx: Connection,
    incident: int | LockedIncident,
    move: IncidentMove,
    *,
    actor: str,
    why: str | None = None,
    owner: str | None = None,
    reason: str | None = None,
    lasts_ms: int | None = None,
    changes: str | None = None,
) -> bool:
    """Move it, and keep how long it took; False where it was so before, or there is none.

    `owner` is the new one of an assignment. An acknowledgement ends after `lasts_ms`, where that is
    given; `changes` is what the diagnosis found by then, as a JSON list. The seconds are from its
    opening to the acknowledgement, and to the resolution from the acknowledgement where there was
    one. It is resolved since the last of its events ended. `reason` counts where none was counted.

    Raises IllegalMove.
    """
    held = lock_incident(tx, incident) if isinstance(incident, int) else incident
    if held is None or _is_so(held, move, actor, owner, lasts_ms):
        return False
    target = incident_target(move, held.state)
    ended = IncidentOutcome()
    changed: dict[str, object]
    match move:
        case IncidentMove.ACKNOWLEDGE:
            changed = _acknowledged(held, actor, lasts_ms, changes)
        case IncidentMove.RESOLVE:
            ended = outcome_of(tx, held.id, held.opened_at)
            changed = _resolved(ended, actor)
        case IncidentMove.ASSIGN:
            changed = {"owner": owner}
        case _:
            changed = dict.fromkeys(_ACKNOWLEDGEMENT)
    _write(tx, held.id, state=target, **changed)
    audit.record_incident(
        tx,
        held.id,
        actor=actor,
        action=f"{move}_incident",
        source=held.state,
        target=target,
        reason=ended.ended or reason,
        detail=_audit_detail(held, move, why, owner, ended) | _until(held.now, lasts_ms),
    )
    _emit(tx, held, move, ended)
    return True


def reopen_incident(tx: Connection, incident: int, *, actor: str, reason: str) -> bool:
    """Open a resolved incident again as it was: its owner, its escalation, its first deadline.

    False where it was not resolved. What recurs by itself opens it with a new deadline instead.
    """
    held = lock_incident(tx, incident)
    if held is None or held.state != IncidentState.RESOLVED:
        return False
    target = incident_target(IncidentMove.REOPEN, IncidentState.RESOLVED)
    cleared = ("resolved_at", "resolved_by", "outcome", *_ACKNOWLEDGEMENT)
    _write(
        tx,
        incident,
        state=target,
        reopened=held.reopened + 1,
        notes=held.notes + 1,  # a keeper that saw nothing open does not resolve it
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
        detail={"owner": held.owner},
    )
    emit_after_commit(tx, IncidentReopened(**_names(held), kind=held.kind, reason=held.reason))
    return True


def end_acknowledgements(tx: Connection, *, actor: str) -> list[int]:
    """Open the incidents whose acknowledgement is over, so that they climb on; their ids."""
    table = incidents.c
    over = (table.state == IncidentState.ACKNOWLEDGED, table.acknowledged_until <= now_ms())
    found = list(tx.execute(select(table.id).where(*over).order_by(table.id)).scalars())
    move = IncidentMove.UNACKNOWLEDGE
    return [one for one in found if move_incident(tx, one, move, actor=actor, reason="time_over")]


def _write(tx: Connection, incident: int, **values: object) -> None:
    written = {"updated_at": now_ms(), **values}
    tx.execute(update(incidents).where(incidents.c.id == incident).values(written))


_ACKNOWLEDGEMENT = ("acknowledged_at", "acknowledged_by", "acknowledged_until")


def _is_so(
    held: LockedIncident, move: IncidentMove, actor: str, owner: str | None, lasts_ms: int | None
) -> bool:
    """Whether it was so before; who acknowledged it may give their acknowledgement another end."""
    match move:
        case IncidentMove.ACKNOWLEDGE if held.state == IncidentState.ACKNOWLEDGED:
            return lasts_ms is None or held.acknowledged_by != actor
        case IncidentMove.UNACKNOWLEDGE:
            return held.acknowledged_until is None or held.acknowledged_until > held.now
        case IncidentMove.RESOLVE:
            return held.state == IncidentState.RESOLVED
        case IncidentMove.ASSIGN:
            return held.state != IncidentState.RESOLVED and held.owner == owner
    return False


def _acknowledged(
    held: LockedIncident, actor: str, lasts_ms: int | None, changes: str | None
) -> dict[str, object]:
    return {
        "acknowledged_at": held.acknowledged_at or held.now,
        "acknowledged_by": actor,
        "acknowledged_until": None if lasts_ms is None else held.now + lasts_ms,
        "told_events": held.events,
        "told_changes": changes,
    }


def _resolved(ended: IncidentOutcome, actor: str) -> dict[str, object]:
    return {
        "resolved_at": ended.last_at or now_ms(),
        "resolved_by": actor,
        "outcome": orjson.dumps(ended.as_json()).decode(),
    }


def _until(now: int, lasts_ms: int | None) -> dict[str, object]:
    return {} if lasts_ms is None else {"until": in_iso(now + lasts_ms)}


def _audit_detail(
    held: LockedIncident,
    move: IncidentMove,
    why: str | None,
    owner: str | None,
    ended: IncidentOutcome,
) -> dict[str, object]:
    told: dict[str, object] = {"why": storable(why)} if why else {}
    if move is IncidentMove.ASSIGN:
        return told | {"owner": owner, "before": held.owner}
    if move is IncidentMove.UNACKNOWLEDGE:
        return told | {"acknowledged_by": held.acknowledged_by}
    if ended.ended:
        told["outcome"] = ended.told()
    if move is IncidentMove.RESOLVE and held.acknowledged_at is not None:
        told["acknowledged_by"] = held.acknowledged_by
        return told | {"seconds": _seconds(held.acknowledged_at, ended.last_at or held.now)}
    return told | {"seconds": _seconds(held.opened_at, ended.last_at or held.now)}


def _emit(tx: Connection, held: LockedIncident, move: IncidentMove, ended: IncidentOutcome) -> None:
    """Say it of the moves that tell how long people and events took."""
    if move is IncidentMove.ACKNOWLEDGE and held.state == IncidentState.OPEN:
        seconds = _seconds(held.opened_at, held.now)
        emit_after_commit(tx, IncidentAcknowledged(**_names(held), seconds=seconds))
    elif move is IncidentMove.RESOLVE:
        seconds = _seconds(held.opened_at, ended.last_at or held.now)
        emit_after_commit(
            tx, IncidentResolved(**_names(held), outcome=ended.ended, seconds=seconds)
        )


def _names(held: LockedIncident) -> dict[str, Any]:
    return {"incident": held.id, "client": held.client, "workflow": held.workflow}


def _seconds(since: int, until: int) -> int:
    """Never negative: who acknowledges what is over already took no time."""
    return max(0, until - since) // 1000

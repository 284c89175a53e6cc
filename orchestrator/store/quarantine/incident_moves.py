"""The functions that move an incident: its row, and the audit row beside it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from orchestrator.domain.incidents.incident import IncidentMove, IncidentState, incident_target
from orchestrator.domain.incidents.outcomes import IncidentOutcome
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.due_times import in_iso
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import incidents
from orchestrator.store.quarantine.outcomes import outcome_of


def move_incident(
    tx: Connection,
    incident: int,
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
    one. It is resolved since the last of its events ended. `reason` stands where none was counted.

    Raises IllegalMove.
    """
    row = _locked(tx, incident)
    if row is None:
        return False
    source = IncidentState(row.state)
    if _is_so(row, move, actor, owner, lasts_ms):
        return False
    target = incident_target(move, source)
    ended = IncidentOutcome()
    match move:
        case IncidentMove.ACKNOWLEDGE:
            changed = _acknowledged(row, actor, lasts_ms, changes)
        case IncidentMove.RESOLVE:
            ended = outcome_of(tx, incident, row.opened_at)
            changed = _resolved(ended, actor)
        case IncidentMove.ASSIGN:
            changed = {"owner": owner}
        case _:
            changed = dict.fromkeys(_ACKNOWLEDGEMENT)
    _write(tx, incident, state=target, **changed)
    audit.record_incident(
        tx,
        incident,
        actor=actor,
        action=f"{move}_incident",
        source=source,
        target=target,
        reason=ended.ended or reason,
        detail=_told(row, move, why, owner, ended) | _until(row.now, lasts_ms),
    )
    return True


def hold_incident(tx: Connection, incident: int) -> bool:
    """Wait for an incident, and hold it until the transaction ends; False where there is none."""
    return _locked(tx, incident) is not None


def reopen_incident(tx: Connection, incident: int, *, actor: str, reason: str) -> bool:
    """Open a resolved incident again as it was: its owner, its escalation, its first deadline.

    False where it was not resolved. What recurs by itself opens it with a new deadline instead.
    """
    row = _locked(tx, incident)
    if row is None or row.state != IncidentState.RESOLVED:
        return False
    target = incident_target(IncidentMove.REOPEN, IncidentState.RESOLVED)
    cleared = ("resolved_at", "resolved_by", "outcome", *_ACKNOWLEDGEMENT)
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


def end_acknowledgements(tx: Connection, *, actor: str) -> list[int]:
    """Open the incidents whose acknowledgement is over, so that they climb on; their ids."""
    table = incidents.c
    over = (table.state == IncidentState.ACKNOWLEDGED, table.acknowledged_until <= now_ms())
    found = list(tx.execute(select(table.id).where(*over).order_by(table.id)).scalars())
    move = IncidentMove.UNACKNOWLEDGE
    return [one for one in found if move_incident(tx, one, move, actor=actor, reason="time_over")]


def _locked(tx: Connection, incident: int) -> Any:
    return tx.execute(
        select(incidents, now_ms().label("now"))
        .where(incidents.c.id == incident)
        .with_for_update(of=incidents)
    ).one_or_none()


def _write(tx: Connection, incident: int, **values: Any) -> None:
    written = {"updated_at": now_ms(), **values}
    tx.execute(update(incidents).where(incidents.c.id == incident).values(written))


_ACKNOWLEDGEMENT = ("acknowledged_at", "acknowledged_by", "acknowledged_until")


def _is_so(
    row: Any, move: IncidentMove, actor: str, owner: str | None, lasts_ms: int | None
) -> bool:
    """Whether it was so before; who acknowledged it may give their acknowledgement another end."""
    match move:
        case IncidentMove.ACKNOWLEDGE if row.state == IncidentState.ACKNOWLEDGED:
            return lasts_ms is None or row.acknowledged_by != actor
        case IncidentMove.UNACKNOWLEDGE:
            return row.acknowledged_until is None or row.acknowledged_until > row.now
        case IncidentMove.RESOLVE:
            return bool(row.state == IncidentState.RESOLVED)
        case IncidentMove.ASSIGN:
            return row.state != IncidentState.RESOLVED and bool(row.owner == owner)
    return False


def _acknowledged(
    row: Any, actor: str, lasts_ms: int | None, changes: str | None
) -> dict[str, Any]:
    return {
        "acknowledged_at": row.acknowledged_at or row.now,
        "acknowledged_by": actor,
        "acknowledged_until": None if lasts_ms is None else row.now + lasts_ms,
        "told_events": row.events,
        "told_changes": changes,
    }


def _resolved(ended: IncidentOutcome, actor: str) -> dict[str, Any]:
    return {
        "resolved_at": ended.last_at or now_ms(),
        "resolved_by": actor,
        "outcome": orjson.dumps(ended.as_json()).decode(),
    }


def _until(now: int, lasts_ms: int | None) -> dict[str, object]:
    return {} if lasts_ms is None else {"until": in_iso(now + lasts_ms)}


def _told(
    row: Any, move: IncidentMove, why: str | None, owner: str | None, ended: IncidentOutcome
) -> dict[str, object]:
    told: dict[str, object] = {"why": storable(why)} if why else {}
    if move is IncidentMove.ASSIGN:
        return told | {"owner": owner, "before": row.owner}
    if move is IncidentMove.UNACKNOWLEDGE:
        return told | {"acknowledged_by": row.acknowledged_by}
    if ended.ended:
        told["outcome"] = ended.told()
    if move is IncidentMove.RESOLVE and row.acknowledged_at is not None:
        told["acknowledged_by"] = row.acknowledged_by
        return told | {"seconds": _seconds(row.acknowledged_at, ended.last_at or row.now)}
    return told | {"seconds": _seconds(row.opened_at, ended.last_at or row.now)}


def _seconds(since: int, until: int) -> int:
    """Never negative: who acknowledges what is over already took no time."""
    return max(0, until - since) // 1000

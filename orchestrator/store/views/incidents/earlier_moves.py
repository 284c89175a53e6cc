"""Who moved an incident before somebody else wanted to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.domain.incidents.incident import IncidentMove, IncidentState
from orchestrator.store.database.schema import audit
from orchestrator.store.quarantine.locked_incidents import LockedIncident
from orchestrator.store.views.values import iso


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierMove:
    """Who brought an incident to where a move leads, and when."""

    incident: int
    was: str  # acknowledged, assigned or resolved
    by: str | None  # an actor; None where nobody did: it is the recovery lead's from the beginning
    at: str | None  # as `iso`
    until: str | None  # the end of an acknowledgement, as `iso`; None: it has none
    owner: str  # an e-mail address


def who_moved(tx: Connection, held: LockedIncident, move: IncidentMove) -> EarlierMove:
    """Who moved an incident before somebody else wanted to; `held` is as it was then."""
    was, by, at = "acknowledged", held.acknowledged_by, held.acknowledged_at
    until = held.acknowledged_until
    if move is IncidentMove.RESOLVE or held.state is IncidentState.RESOLVED:
        was, by, at, until = "resolved", held.resolved_by, held.resolved_at, None
    elif move is IncidentMove.ASSIGN:
        was, until = "assigned", None
        by, at = _last_assigned(tx, held)
    return EarlierMove(
        incident=held.id, was=was, by=by, at=iso(at), until=iso(until), owner=held.owner
    )


def _last_assigned(tx: Connection, held: LockedIncident) -> tuple[str | None, int | None]:
    """By whom and when, since it was opened the last time."""
    assigned = (audit.c.incident_id == held.id, audit.c.action == "assign_incident")
    newest = select(audit.c.actor, audit.c.at).where(*assigned).order_by(audit.c.id.desc())
    last = tx.execute(newest.limit(1)).one_or_none()
    return (last.actor, last.at) if last and last.at >= held.opened_at else (None, None)


_DID = {
    "acknowledge_incident": "acknowledged",
    "unacknowledge_incident": "ended the acknowledgement of",
    "assign_incident": "assigned",
    "resolve_incident": "resolved",
    "reopen_incident": "reopened",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The last that somebody decided about an incident."""

    by: str  # an actor
    did: str  # in words, such as `acknowledged`
    at: str | None  # as `iso`


def last_decision(tx: Connection, incident: int) -> Decision | None:
    """The last decision about an incident; None where there is none."""
    decided = (audit.c.incident_id == incident, audit.c.action.in_(_DID))
    newest = select(audit.c.actor, audit.c.action, audit.c.at).where(*decided)
    row = tx.execute(newest.order_by(audit.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else Decision(by=row.actor, did=_DID[row.action], at=iso(row.at))

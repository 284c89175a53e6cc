"""The incident of a producer's spool in which events wait too long: the steward's.

Nobody knows which workflows the events in it are for, so it has none. A door opens it by what a
producer says, and any door may end it: which are open is read from the rows.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from orchestrator.domain.incidents.causes import Cause
from orchestrator.domain.incidents.incident import (
    MOST_NEW_INCIDENTS,
    OLD_SPOOL,
    IncidentMove,
    IncidentState,
)
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import audit, incidents
from orchestrator.store.quarantine.dead_letters import NOBODY, PLATFORM, RECOVER_SECONDS
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.incidents import note_events

_HOUR_SECONDS = 3_600.0

SPOOLS = "(spools)"
"""The workflow of their incidents, beside the client of what is nobody's; none can be named so."""


def open_spools(tx: Connection, causes: Collection[Cause]) -> dict[str, int]:
    """Which of these spools have an incident that is not resolved: its id, by the cause's key."""
    table = incidents.c
    rows = tx.execute(
        select(table.cause, table.id).where(
            table.client == PLATFORM,
            table.workflow == SPOOLS,
            table.cause.in_([one.key for one in causes]),
            table.state != IncidentState.RESOLVED,
        )
    )
    return {row.cause: row.id for row in rows}


def open_spool(
    tx: Connection, cause: Cause, waiting: int, *, steward: str | None, actor: str
) -> bool:
    """Open the incident of a spool, or open it again; False where too many opened in this hour.

    `actor` is the producer's key. A producer makes up the name of its spool, so what it says may
    not open as many as it likes; what another one says counts for itself.
    """
    if not _was_opened(tx, cause) and _opened_by(tx, actor) >= MOST_NEW_INCIDENTS:
        return False
    note_events(
        tx,
        PLATFORM,
        SPOOLS,
        cause,
        waiting,
        owner=steward or NOBODY,
        recover_ms=RECOVER_SECONDS * 1_000,
        actor=actor,
    )
    return True


def _was_opened(tx: Connection, cause: Cause) -> bool:
    table = incidents.c
    mine = (table.client == PLATFORM, table.workflow == SPOOLS, table.cause == cause.key)
    return tx.execute(select(table.id).where(*mine)).first() is not None


def _opened_by(tx: Connection, actor: str) -> int:
    """How many incidents of spools an actor opened in the last hour for the first time."""
    table = audit.c
    found = select(func.count()).where(
        table.workflow == SPOOLS,
        table.event_id.is_(None),
        table.actor == actor,
        table.action == "open_incident",
        table.at > after(-_HOUR_SECONDS),
    )
    return int(tx.execute(found).scalar_one())


def close_spool(tx: Connection, incident: int, *, actor: str) -> bool:
    """Resolve the incident of a spool whose producer says that nothing old waits in it."""
    return move_incident(tx, incident, IncidentMove.RESOLVE, actor=actor, reason="healed")


def list_old_spools(tx: Connection) -> list[str]:
    """The titles of the incidents of spools that are not resolved, the oldest first."""
    table = incidents.c
    found = select(table.title).where(
        table.client == PLATFORM,
        table.workflow == SPOOLS,
        table.reason == OLD_SPOOL,
        table.state != IncidentState.RESOLVED,
    )
    return list(tx.execute(found.order_by(table.opened_at, table.id)).scalars())

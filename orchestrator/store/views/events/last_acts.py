"""Who did what to events last, and when: from the audit, in one statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, or_, select

from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.database.schema import audit, quarantine
from orchestrator.store.quarantine.outcomes import HAS_INDEX
from orchestrator.store.views.values import iso_time

PEOPLES_MOVES: Mapping[str, str] = {
    Move.AMEND: "amended",
    Move.REPLAY: "replayed",
    Move.DISCARD: "discarded",
    Move.RESTORE: "restored",
}
"""What people do to events in quarantine, and the word for it afterwards."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """What somebody did to one event."""

    done: str  # amended, reset, replayed, discarded
    by: str  # the actor, as the audit has it
    at: str  # ISO 8601 in UTC

    def as_json(self) -> dict[str, object]:
        """The act as it is shown beside an event."""
        return {"done": self.done, "by": self.by, "at": self.at}


def last_acts(
    tx: Connection, ids: Sequence[str], moves: Iterable[str] = tuple(PEOPLES_MOVES)
) -> dict[str, Act]:
    """The last of these moves of each event that had one."""
    if not ids:
        return {}
    table = audit.c
    newest = (
        select(func.max(table.id))
        .where(
            table.event_id.in_(ids),
            table.action.in_(list(moves)),
            # A workflow's own amendment is not a person's; it is made before the quarantine.
            or_(table.action != Move.AMEND.value, table.source == State.QUARANTINED.value),
        )
        .group_by(table.event_id)
    )
    rows = tx.execute(
        select(table.event_id, table.action, table.actor, table.at, table.detail).where(
            table.id.in_(newest)
        )
    )
    return {
        row.event_id: Act(done=_done(row.action, row.detail), by=row.actor, at=iso_time(row.at))
        for row in rows
    }


def last_act_of_incident(tx: Connection, incident: int, *, since: int) -> Act | None:
    """The last of these moves of any event of an incident since a time in milliseconds."""
    table = audit.c
    statement = (
        select(table.action, table.actor, table.at, table.detail)
        .join(quarantine, quarantine.c.event_id == table.event_id)
        .where(
            quarantine.c.incident_id == incident,
            HAS_INDEX,
            table.at >= since,
            table.action.in_(list(PEOPLES_MOVES)),
        )
        .order_by(table.id.desc())
        .limit(1)
    )
    row = tx.execute(statement).one_or_none()
    if row is None:
        return None
    return Act(done=_done(row.action, row.detail), by=row.actor, at=iso_time(row.at))


def _done(action: str, detail: str | None) -> str:
    if action == Move.AMEND and detail and orjson.loads(detail).get("reset") is True:
        return "reset"
    return PEOPLES_MOVES[action]

"""What approvers said of a change, round by round."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from orchestrator.domain.changes.deciding import Decision, Grade
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import change_decisions

_T = change_decisions.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """One decision."""

    id: int
    round: int
    decision: Decision
    person: int  # its row in `people`
    by: str  # an actor
    grade: Grade
    subject: str  # that it is about: 64 hex digits
    why: str | None
    at: int  # in milliseconds since 1970
    stands_in_for: str | None = None  # mail of the approver who was away


def add_decision(
    tx: Connection,
    change: LockedChange,
    decision: Decision,
    *,
    person: int,
    by: str,
    grade: Grade,
    why: str | None,
    stands_in_for: str | None = None,
) -> int:
    """Keep what a person said of this round of a change; its number."""
    number: int = tx.execute(
        insert(change_decisions)
        .values(
            change_id=change.id,
            round=change.round,
            decision=decision.value,
            person_id=person,
            by=by,
            grade=grade.value,
            subject=change.subject,
            why=None if why is None else storable(why),
            at=now_ms(),
            stands_in_for=stands_in_for,
        )
        .returning(_T.id)
    ).scalar_one()
    return number


def list_decisions(tx: Connection, change: int) -> tuple[Decided, ...]:
    """Every decision about a change, the oldest first."""
    rows = tx.execute(select(change_decisions).where(_T.change_id == change).order_by(_T.id))
    return tuple(
        Decided(
            id=row.id,
            round=row.round,
            decision=Decision(row.decision),
            person=row.person_id,
            by=row.by,
            grade=Grade(row.grade),
            subject=row.subject,
            why=row.why,
            at=row.at,
            stands_in_for=row.stands_in_for,
        )
        for row in rows
    )

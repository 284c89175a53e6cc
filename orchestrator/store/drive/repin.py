"""Events that nothing was routed of yet, and whose version was rolled back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Connection, bindparam, case, func, select

from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import events
from orchestrator.store.quarantine.moves import ColumnChange, move_events

_EARLY = (State.ACCEPTED, State.VALIDATED)

_REPINNED = ColumnChange(
    values={
        # What waits for its turn in a line goes on waiting.
        "due_at": case((events.c.due_at.is_(None), None), else_=now_ms()),
        "workflow_id": bindparam("workflow_id", type_=BigInteger),
        "epoch": 0,  # no message from before fits it any more
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Repinned:
    """Versions by the ids of their rows."""

    source: int
    target: int
    version: int  # the number of the target, for the audit
    ordered: bool = True  # its events may wait for a turn


def count_early(tx: Connection, workflow_id: int, *, ordered: bool = True) -> int:
    """How many events of a version are not routed yet."""
    early = events.c.state.in_([one.value for one in _EARLY])
    found = select(func.count()).where(*_of(workflow_id, ordered=ordered), early)
    return int(tx.execute(found).scalar_one())


def _of(workflow_id: int, *, ordered: bool) -> tuple[ColumnElement[bool], ...]:
    """Events of a version that are under way; by the index of what is due, where all of it is."""
    mine = events.c.workflow_id == workflow_id
    return (mine,) if ordered else (mine, events.c.due_at.is_not(None))


def repin_some(tx: Connection, repinned: Repinned, *, actor: str, most: int) -> int:
    """Let the target version decide about some of them, from the beginning; how many moved.

    A group that has one at hand leaves it alone from then on: its epoch is another.
    """
    moved = 0
    detail = {"version": repinned.version}
    for source in _EARLY:
        mine = (
            *_of(repinned.source, ordered=repinned.ordered),
            events.c.state == source.value,
        )
        ids = tx.execute(select(events.c.id).where(*mine).limit(most - moved)).scalars().all()
        moved += len(
            move_events(
                tx,
                ids,
                move=Move.REPIN,
                source=source,
                actor=actor,
                change=_REPINNED,
                detail=detail,
                workflow_id=repinned.target,
            )
        )
    return moved

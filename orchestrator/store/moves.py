"""The one function that moves events: a compare-and-set, and the audit row beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, update

from orchestrator.domain import lifecycle
from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.audit import Detail, record_moves
from orchestrator.store.clock import now_ms
from orchestrator.store.schema import events
from orchestrator.store.sets import id_set


def move_events(
    tx: Connection,
    ids: Sequence[str],
    *,
    move: Move,
    source: State,
    actor: str,
    epoch: int | None = None,
    due_at: Any = None,
    reason: str | None = None,
    detail: Detail | None = None,
    **values: Any,
) -> list[str]:
    """Move the events that still stand at `source`, and under `epoch` where one is given.

    What does not match was taken by a later group, or by the same message delivered twice: it is
    left alone. Answers the ids that moved. `due_at` is an SQL expression or None (a person's
    turn, or the end); `values` are other columns to set. Progress clears `starts` and `attempt`.

    Raises IllegalMove.
    """
    if not ids:
        return []
    target = lifecycle.target(move, source)
    fresh: dict[str, Any] = {"starts": 0, "attempt": 0, **values}
    statement = (
        update(events)
        .where(events.c.id.in_(id_set(tx, ids)), events.c.state == source)
        .values(state=target, due_at=due_at, updated_at=now_ms(), **fresh)
        .returning(events.c.id)
    )
    if epoch is not None:
        statement = statement.where(events.c.epoch == epoch)
    moved = list(tx.execute(statement).scalars())
    record_moves(
        tx,
        moved,
        actor=actor,
        action=move,
        source=source,
        target=target,
        reason=reason,
        detail=detail,
    )
    return moved

"""The one function that moves events: a compare-and-set, and the audit row beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, update

from orchestrator.domain import lifecycle
from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.audit import Detail, record_moves
from orchestrator.store.clock import now_ms
from orchestrator.store.prepared import Prepared, among
from orchestrator.store.schema import events


@dataclass(frozen=True, eq=False, kw_only=True)
class Change:
    """What a move sets beside the state: SQL by column, with parameters of their own names.

    One object a kind of move, made once: its statement is compiled for it. Progress clears `starts`
    and `attempt` unless it says otherwise.
    """

    due_at: Any = None  # null: finished, or a person's turn
    others: Mapping[str, Any] = field(default_factory=dict)


LEASED = Change(due_at=now_ms() + bindparam("lease_ms", type_=BigInteger))
"""The event goes on under its group's lease, of `lease_ms` from now."""

STANDING = Change()
"""The event is at its end, or waits for a person."""


def move_events(
    tx: Connection,
    ids: Sequence[str],
    *,
    move: Move,
    source: State,
    actor: str,
    change: Change = STANDING,
    epoch: int | None = None,
    reason: str | None = None,
    detail: Detail | None = None,
    **values: Any,
) -> list[str]:
    """Move the events that still stand at `source`, and under `epoch` where one is given.

    What does not match was taken by a later group, or by the same message delivered twice: it is
    left alone. Answers the ids that moved. `values` are the parameters of `change`.

    Raises IllegalMove.
    """
    if not ids:
        return []
    target = lifecycle.target(move, source)
    if epoch is not None:
        values["epoch"] = epoch
    rows = _statement(change, epoch is not None).run(
        tx, ids=list(ids), was=source, becomes=target, **values
    )
    moved = list(rows.scalars())
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


@functools.cache
def _statement(change: Change, fenced: bool) -> Prepared:  # noqa: FBT001 - part of the cache's key
    def build(dialect: str) -> Any:
        statement = (
            update(events)
            .where(among(dialect, events.c.id), events.c.state == bindparam("was"))
            .values(
                state=bindparam("becomes"),
                due_at=change.due_at,
                updated_at=now_ms(),
                **{"starts": 0, "attempt": 0, **change.others},
            )
            .returning(events.c.id)
        )
        return statement.where(events.c.epoch == bindparam("epoch")) if fenced else statement

    return Prepared(build)

"""The one function that moves events: a compare-and-set, and the audit row beside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, select, update

from orchestrator.domain.commitments import Detail, as_json, has_values
from orchestrator.domain.lifecycle import TARGETS, Move, State
from orchestrator.store.database.audit import TELL_MOVES, record_moves, telling
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import events


@dataclass(frozen=True, eq=False, kw_only=True)
class ColumnChange:
    """What a move sets beside the state: SQL by column, with parameters of their own names.

    One object a kind of move, made once: its statement is compiled for it. Progress clears `starts`
    and `attempt` unless it says otherwise; `due_at` null is an end, or a person's turn.
    """

    values: Mapping[str, object] = field(default_factory=dict)
    only: tuple[ColumnElement[bool], ...] = ()  # what an event has to be beside state and epoch


GOING_ON = ColumnChange()
"""The event goes on under the lease of its claim: a column with an index stays as it is, so that
PostgreSQL need not touch any index, and SQLite not this one."""

AT_REST = ColumnChange(values={"due_at": None})
"""The event is at its end, or waits for a person."""


def move_events(
    tx: Connection,
    ids: Sequence[str],
    *,
    move: Move,
    source: State,
    actor: str,
    change: ColumnChange = AT_REST,
    epoch: int | None = None,
    reason: str | None = None,
    detail: Detail | None = None,
    **values: object,
) -> list[str]:
    """Move the events that are still at `source`, and under `epoch` where one is given.

    What does not match was taken by a later group, or by the same message delivered twice: it is
    left alone. Answers the ids that moved. `values` are the parameters of `change`.

    Raises IllegalMove.
    """
    if not ids:
        return []
    target = TARGETS[move, source]
    if epoch is not None:
        values["epoch"] = epoch
    told = _Told(actor, move, source, target, reason)._asdict()
    valued = detail is not None and has_values(detail)
    alone = valued or tx.dialect.name == "sqlite"  # else one statement writes both
    told["detail"] = None if detail is None or valued else as_json(detail)
    statement = _statement(change, epoch is not None, "alone" if alone else "told")
    with_it = {} if alone else told
    rows = statement.run(tx, ids=list(ids), was=source, becomes=target, **with_it, **values)
    moved = list(rows.scalars())
    if valued:
        record_moves(tx, moved, **told | {"detail": detail})
    elif alone and moved:
        TELL_MOVES.run(tx, ids=moved, **told)
    return moved


class _Told(NamedTuple):
    """What the audit says of a move."""

    actor: str
    action: str
    source: str
    target: str
    reason: str | None


@functools.cache
def _statement(change: ColumnChange, fenced: bool, how: str) -> Prepared:  # noqa: FBT001 - the cache's key
    def build(dialect: str) -> Any:
        statement = (
            update(events)
            .where(among(dialect, events.c.id), events.c.state == bindparam("was"), *change.only)
            .values(
                state=bindparam("becomes"),
                updated_at=now_ms(),
                **{"starts": 0, "attempt": 0, **change.values},
            )
        )
        if fenced:
            statement = statement.where(events.c.epoch == bindparam("epoch"))
        if how == "alone":
            return statement.returning(events.c.id)
        # One round trip for both, and no second look at the events.
        moved = statement.returning(events.c.id, events.c.client, events.c.workflow).cte("moved")
        return select(moved.c.id).add_cte(telling(moved).cte("told"))

    return Prepared(build)

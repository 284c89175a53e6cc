"""Turns: the first event of a line that waits goes when no other of the line has the turn.

All turns are given under one lock of the database, so that two relays never give two of one line.
A unique index says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    FromClause,
    bindparam,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from orchestrator.domain.lifecycle import State
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import ring_after_commit
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import events, line_looks, ordered_events
from orchestrator.store.ordering.lines import ASLEEP, Stand

MOST_LOOKS = 1_000
"""Looks that one transaction takes; the bell calls a relay for the rest."""

_TURNS = 0x6D66  # the number of our advisory lock of this kind


def give_turns(tx: Connection) -> int:
    """Look at the lines that were asked for; answers how many events were made due.

    Where nothing was asked for, as in a store without ordering keys, it is one look at no row.
    """
    if not _ANY_LOOKS.run(tx).scalar_one():
        return 0
    hold_turns(tx)
    # What is asked for after this statement is found by the next look: nothing is missed.
    looks = list(_TAKE_LOOKS.run(tx, most=MOST_LOOKS).scalars())
    if len(looks) == MOST_LOOKS:
        ring_after_commit(tx)  # nobody will ring for the rest
    return len(go_on(tx, sorted(set(looks))))


def hold_turns(tx: Connection) -> None:
    """Be the only one that gives turns until the transaction ends."""
    if tx.dialect.name != "sqlite":  # where a writer is alone already
        tx.execute(select(func.pg_advisory_xact_lock(_TURNS, 0)))


def go_on(tx: Connection, lines: Sequence[str]) -> list[str]:
    """Give the turns that are free in these lines, and wake whose turn it is; their ids.

    Whoever calls it is the only one that gives turns.
    """
    rows = _FIRST.run(tx, **row_values(tx, ["line"], [(one,) for one in lines])).all()
    if not rows:
        return []
    hold_events(tx, sorted(row[0] for row in rows))  # before their places, as everywhere
    _GIVE.run(tx, ids=[row[0] for row in rows])
    return sorted(_WAKE.run(tx, ids=[row[0] for row in rows]).scalars())


def _take_looks(_: str) -> Any:
    some = select(line_looks.c.id).order_by(line_looks.c.id)
    some = some.limit(bindparam("most", type_=BigInteger))
    return (
        delete(line_looks)
        .where(line_looks.c.id.in_(some.scalar_subquery()))
        .returning(line_looks.c.line)
    )


def _first(dialect: str) -> Any:
    """Of each line whose turn is free, the first that waits; of others, who has it and sleeps."""
    given = rows_of(dialect, line=str)
    turn = _one_of(given, Stand.TURN)
    whose = select(turn.label("has"), _one_of(given, Stand.WAITING, first=True).label("next"))
    found = whose.select_from(given).subquery("found").c
    whose_turn = events.c.id == func.coalesce(found.has, found.next)
    return select(events.c.id).where(
        whose_turn, or_(found.has.is_(None), events.c.due_at == ASLEEP)
    )


def _one_of(given: FromClause, stand: Stand, *, first: bool = False) -> Any:
    table = ordered_events.c
    # Spelt out, not a parameter: so the planner sees that an index of these rows will do.
    stands = table.stand == literal_column(f"'{stand.value}'")
    found = select(table.event_id).where(table.line == given.c.line, stands)
    return (found.order_by(table.place).limit(1) if first else found).scalar_subquery()


def _give(dialect: str) -> Any:
    table = ordered_events.c
    return (
        update(ordered_events)
        .where(among(dialect, table.event_id), table.stand == Stand.WAITING.value)
        .values(stand=Stand.TURN.value)
    )


def _wake(dialect: str) -> Any:
    """Due at once, where it has the turn still: who is in quarantine has it, and stays."""
    has = select(ordered_events.c.event_id).where(
        ordered_events.c.event_id == events.c.id, ordered_events.c.stand == Stand.TURN.value
    )
    return (
        update(events)
        .where(
            among(dialect, events.c.id),
            events.c.state == State.ACCEPTED.value,
            events.c.due_at == ASLEEP,
            has.exists(),
        )
        .values(due_at=now_ms())
        .returning(events.c.id)
    )


_ANY_LOOKS = Prepared(lambda _: select(exists(select(line_looks.c.id))))
_TAKE_LOOKS, _FIRST = Prepared(_take_looks), Prepared(_first)
_GIVE, _WAKE = Prepared(_give), Prepared(_wake)

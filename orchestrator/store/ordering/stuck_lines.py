"""Lines that nobody goes on with: a fault of ours, found and mended by any relay.

Whoever changes an event's state in a line asks for a look at it. Where somebody did not, those who
wait would sleep for ever. So a relay walks through the lines, a bounded part at a time, and gives
the turns that are free. The audit and the log name each event that it woke.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)

from orchestrator.domain.lifecycle import AT_END, State
from orchestrator.store.database.audit import record_moves
from orchestrator.store.database.engine import Store
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import events, line_looks, ordered_events
from orchestrator.store.ordering.lines import ASLEEP, Stand
from orchestrator.store.ordering.turns import go_on, hold_turns

log = logging.getLogger(__name__)

MOST_LINES = 1_000
"""Lines that one look takes in, of each kind; the next look goes on behind them."""

_TURN = ordered_events.c.stand == literal_column(f"'{Stand.TURN.value}'")
_WAITS = ordered_events.c.stand == literal_column(f"'{Stand.WAITING.value}'")
_AT_END = events.c.state.in_([literal_column(f"'{one.value}'") for one in sorted(AT_END)])


class LineSearch:
    """One relay's search: each look goes on where the one before it ended, and begins anew."""

    def __init__(self) -> None:
        self._taken = self._waiting = ""

    def wake_stuck(self, store: Store) -> list[str]:
        """Look once; the ids of the events that were made due by it."""
        with store.read() as tx:
            found, self._taken = _stuck(_TAKEN.run(tx, since=self._taken, most=MOST_LINES).all())
            free, self._waiting = _stuck(
                _WAITED_FOR.run(tx, since=self._waiting, most=MOST_LINES).all()
            )
        if not found and not free:
            return []
        with store.write(ring=True) as tx:
            return wake_stuck_lines(tx, sorted({*found, *free}))


def wake_stuck_lines(tx: Connection, lines: Sequence[str]) -> list[str]:
    """Go on with those of these lines that nobody was asked to look at; who was woken by it."""
    hold_turns(tx)
    asked = set(_ASKED.run(tx, ids=list(lines)).scalars())
    forgotten = [one for one in lines if one not in asked]
    if not forgotten:
        return []
    _END_GONE.run(tx, ids=forgotten)
    woken = go_on(tx, forgotten)
    record_moves(
        tx, woken, actor="relay", action="wake", source=None, target=None,
        detail={"detail": "nobody went on with the line of its ordering key"},
    )  # fmt: skip
    for one in woken:
        log.error("event %s waited in a line that nobody went on with: woken", one)
    return woken


def _stuck(rows: Sequence[Any]) -> tuple[list[str], str]:
    """The lines of a walk that are stuck, and behind which the next walk begins."""
    end = rows[-1][0] if len(rows) == MOST_LINES else ""
    return [row[0] for row in rows if row[1]], end


def _taken(_: str) -> Any:
    """Lines in which an event has the turn, and whether it is at its end or sleeps."""
    sleeps = and_(events.c.state == State.ACCEPTED.value, events.c.due_at == ASLEEP)
    return (
        select(ordered_events.c.line, or_(_AT_END, sleeps))
        .join(events, events.c.id == ordered_events.c.event_id)
        .where(_TURN, ordered_events.c.line > bindparam("since", type_=Text))
        .order_by(ordered_events.c.line)
        .limit(bindparam("most", type_=BigInteger))
    )


def _waited_for(_: str) -> Any:
    """Lines in which events wait, found by one step through the index each; whether none goes."""
    least = select(func.min(ordered_events.c.line)).where(_WAITS)
    first = least.where(ordered_events.c.line > bindparam("since", type_=Text)).scalar_subquery()
    found = select(first.label("line")).cte("found", recursive=True)
    more = least.where(ordered_events.c.line > found.c.line).scalar_subquery()
    found = found.union_all(select(more).where(found.c.line.is_not(None)))
    taken = ordered_events.alias("taken").c
    has_turn = exists().where(
        taken.line == found.c.line, taken.stand == literal_column(f"'{Stand.TURN.value}'")
    )
    most = bindparam("most", type_=BigInteger)
    return select(found.c.line, ~has_turn).where(found.c.line.is_not(None)).limit(most)


def _end_gone(dialect: str) -> Any:
    """Those at their end do not have the turn any more."""
    gone = exists().where(events.c.id == ordered_events.c.event_id, _AT_END)
    return (
        update(ordered_events)
        .where(among(dialect, ordered_events.c.line), _TURN, gone)
        .values(stand=Stand.ENDED.value)
    )


_TAKEN, _WAITED_FOR, _END_GONE = Prepared(_taken), Prepared(_waited_for), Prepared(_end_gone)
_ASKED = Prepared(
    lambda dialect: select(line_looks.c.line).where(among(dialect, line_looks.c.line))
)

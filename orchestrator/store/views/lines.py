"""What people read of lines: for which event another waits, and how many wait behind one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    and_,
    func,
    literal,
    literal_column,
    select,
)

from orchestrator.domain.event import MOST_COUNTED
from orchestrator.store.database.schema import events, ordered_events, quarantine
from orchestrator.store.ordering.lines import Stand
from orchestrator.store.views.values import iso_time

_MINE, _AHEAD = ordered_events.alias("mine"), ordered_events.alias("ahead")

# Spelt out, not parameters: so the planner sees that an index of these rows will do.
_HAS_TURN = _AHEAD.c.stand == literal_column(f"'{Stand.TURN.value}'")
_WAITS = _AHEAD.c.stand == literal_column(f"'{Stand.WAITING.value}'")


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitsFor:
    """The event that another with the same ordering key waits for."""

    event: str  # its id
    state: str  # as `State`
    since: str  # when it last moved, or came into quarantine; ISO 8601 in UTC
    before: int  # how many go before the one that waits, with this one; up to MOST_COUNTED


def waits_for(tx: Connection, event_id: str) -> WaitsFor | None:
    """Whom an event waits for: who has the turn in its line, or goes before it; None: nobody."""
    earlier = and_(_WAITS, _AHEAD.c.place < _MINE.c.place)
    columns = (
        _ahead(_HAS_TURN).label("turn"), _ahead(earlier).label("first"), _count(earlier),
    )  # fmt: skip
    waits = and_(_MINE.c.event_id == event_id, _MINE.c.stand == Stand.WAITING.value)
    row = tx.execute(select(*columns).select_from(_MINE).where(waits)).one_or_none()
    if row is None or not (row.turn or row.first):
        return None
    ahead = row.turn or row.first
    now = tx.execute(_state_of(ahead)).one()
    before = min(MOST_COUNTED, row[2] + (row.turn is not None))
    return WaitsFor(event=ahead, state=now.state, since=iso_time(now.since), before=before)


def _state_of(event_id: str) -> Select[Any]:
    """Its state, and since when."""
    standing = and_(quarantine.c.event_id == events.c.id, quarantine.c.released_at.is_(None))
    return (
        select(
            events.c.state, func.coalesce(quarantine.c.since, events.c.updated_at).label("since")
        )
        .outerjoin(quarantine, standing)
        .where(events.c.id == event_id)
    )


def followers_of(tx: Connection, ids: Sequence[str]) -> dict[str, int]:
    """How many events wait behind each of these, of those that hold any; up to MOST_COUNTED."""
    counted = _count(_WAITS)
    rows = tx.execute(
        select(_MINE.c.event_id, counted.label("many")).where(
            _MINE.c.event_id.in_(ids), _MINE.c.stand == Stand.TURN.value
        )
    )
    return {row.event_id: row.many for row in rows if row.many}


def _ahead(which: ColumnElement[bool]) -> ScalarSelect[str]:
    """The first such event of its line."""
    found = select(_AHEAD.c.event_id).where(_AHEAD.c.line == _MINE.c.line, which)
    return found.order_by(_AHEAD.c.place).limit(1).scalar_subquery()


def _count(which: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many such events there are of its line, as far as they are counted."""
    some = select(literal(1)).where(_AHEAD.c.line == _MINE.c.line, which).limit(MOST_COUNTED)
    # Of itself it looks no further than into the statement around it.
    counted = some.correlate(_MINE).subquery("some")
    return select(func.count()).select_from(counted).scalar_subquery()

"""Which events of a plan may go now, where it keeps the order of those that belong together.

An event waits behind the one before it with the same fact, and goes when that one is at its end:
neither under way nor back in quarantine.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, exists, func, or_, select

from orchestrator.domain.lifecycle import State
from orchestrator.store.database.schema import events, plan_events

_BEFORE = plan_events.alias("before")
_AT_ITS_END = (State.DELIVERED.value, State.DISCARDED.value)


def ready_events(tx: Connection, plan: int, *, limit: int) -> list[tuple[int, str, str, str]]:
    """Place, event id, ground and effects of the events that may go, in order."""
    table = plan_events.c
    ended = and_(_BEFORE.c.done_at.is_not(None), events.c.state.in_(_AT_ITS_END))
    rows = tx.execute(
        select(table.place, table.event_id, table.ground, table.effects)
        .select_from(_with_those_before())
        .where(*_open(plan), or_(table.behind.is_(None), ended, _BEFORE.c.place.is_(None)))
        .order_by(table.place)
        .limit(limit)
    )
    return [(row.place, row.event_id, row.ground, row.effects) for row in rows]


def is_under_way(tx: Connection, plan: int) -> bool:
    """Whether an event that another of the plan waits for is on its way."""
    moving = and_(_BEFORE.c.done_at.is_not(None), events.c.due_at.is_not(None))
    found = select(plan_events.c.place).select_from(_with_those_before())
    return bool(tx.execute(select(exists(found.where(*_open(plan), moving)))).scalar_one())


def count_open(tx: Connection, plan: int) -> int:
    """How many events of the plan are still to be replayed."""
    return int(tx.execute(select(func.count()).where(*_open(plan))).scalar_one())


def _open(plan: int) -> tuple[Any, ...]:
    return plan_events.c.plan_id == plan, plan_events.c.done_at.is_(None)


def _with_those_before() -> Any:
    same_plan = _BEFORE.c.plan_id == plan_events.c.plan_id
    return plan_events.outerjoin(
        _BEFORE, and_(same_plan, _BEFORE.c.place == plan_events.c.behind)
    ).outerjoin(events, events.c.id == _BEFORE.c.event_id)

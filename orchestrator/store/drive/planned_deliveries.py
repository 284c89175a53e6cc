"""What a route sends: its deliveries are written once, and anew after a replay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, FromClause, and_, case, false, func, literal, select, true

from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, row_values, rows_of
from orchestrator.store.database.schema import deliveries
from orchestrator.store.database.upserts import upsert
from orchestrator.store.drive.abandoned import Abandoned, OfEvent, abandon_unplanned, load_abandoned
from orchestrator.store.drive.deliveries import FORGOTTEN, MAY_BE_THERE, NOT_MADE
from orchestrator.store.drive.item_names import Plan, named_deliveries
from orchestrator.store.drive.waiting import park


def plan_deliveries(
    tx: Connection, plans: Mapping[str, Sequence[PlannedDelivery]], *, again: Sequence[str]
) -> None:
    """Write the deliveries of routed events; those that were made before stay as they are.

    `again` names the events that were routed before: what the new plan leaves out is dropped, and
    where a call of it went out the audit says so.
    """
    before = load_abandoned(tx, again) if again else {}
    named = _named(tx, plans, again, before)
    if again:
        abandon_unplanned(tx, {one: list(named[one]) for one in again}, actor="worker:route")
    if again:
        rows_again = [
            (*row, *_going_on(before.get(event_id, {}).get(name)))
            for event_id, plan in named.items()
            for name, row in zip(plan, _rows(event_id, plan), strict=True)
        ]
        _REPLAN.run(tx, **row_values(tx, list(_PLANNED_AGAIN), rows_again))
    elif rows := [row for event_id, plan in named.items() for row in _rows(event_id, plan)]:
        _PLAN.run(tx, **row_values(tx, list(_PLANNED), rows))
    if any(one.after for plan in plans.values() for one in plan):
        park(tx, named)


def _named(
    tx: Connection,
    plans: Mapping[str, Sequence[PlannedDelivery]],
    again: Sequence[str],
    before: Mapping[str, OfEvent],
) -> dict[str, Plan]:
    """The planned deliveries by name; where no item is among them, that is the destination's."""
    if any(one.item is not None for plan in plans.values() for one in plan):
        return named_deliveries(tx, plans, again=again, abandoned=before)
    return {event_id: {one.destination: one for one in plan} for event_id, plan in plans.items()}


def _going_on(before: Abandoned | None) -> tuple[int, bool, int | None]:
    """What a delivery begins with that was left out before; else what each does."""
    return (before.generation, before.unknown, before.look_at) if before else (0, False, None)


_PLANNED: dict[str, type] = dict.fromkeys(
    ("event_id", "name", "destination", "connector", "action", "send", "confirm", "item"), str
)
_PLANNED_AGAIN: dict[str, type] = {**_PLANNED, "generation": int, "unknown": bool, "look_at": int}


def _insert_planned(dialect: str) -> Any:
    given = rows_of(dialect, **_PLANNED)
    return _insert(dialect, given, due_at=now_ms(), unknown=false())


def _insert(dialect: str, given: FromClause, **begins: Any) -> Any:
    fixed = {
        "state": literal(DeliveryState.PENDING.value),
        "attempt": literal(0),
        "updated_at": now_ms(),
        **begins,
    }
    insert: Any = upsert(dialect, deliveries)
    # SQLite needs the WHERE to tell an upsert from a join.
    planned = select(*(given.c[name] for name in _PLANNED), *fixed.values()).where(true())
    return insert.from_select([*_PLANNED, *fixed], planned)


def _replace_planned(dialect: str) -> Any:
    given = rows_of(dialect, **_PLANNED_AGAIN)
    insert = _insert(
        dialect,
        given,
        due_at=func.coalesce(given.c.look_at, now_ms()),
        unknown=given.c.unknown,
        generation=given.c.generation,
    )
    kept = ("connector", "action", "send", "confirm", "item", "state", "updated_at")
    table = deliveries.c
    undone = table.state == DeliveryState.UNDONE
    # A look-up is not to be believed before its time, whoever asks for it.
    due_at = case(
        (table.state == DeliveryState.SENDING, func.coalesce(table.run_until, now_ms())),
        (and_(table.unknown, table.due_at > now_ms()), table.due_at),
        else_=now_ms(),
    )
    return insert.on_conflict_do_update(
        index_elements=[deliveries.c.event_id, deliveries.c.name],
        set_={
            "attempt": 0,
            "due_at": due_at,
            "unknown": MAY_BE_THERE,
            "held_by": None,
            "failing_since": None,
            "undo": False,
            "comes_after": None,
            # What was taken back is made anew, under another key: a tool may remember the first.
            "record_id": case((undone, None), else_=table.record_id),
            **{name: case((undone, gone), else_=table[name]) for name, gone in FORGOTTEN.items()},
            "generation": table.generation + case((undone, 1), else_=0),
            **{name: insert.excluded[name] for name in kept},
        },
        where=NOT_MADE,
    )


_PLAN, _REPLAN = Prepared(_insert_planned), Prepared(_replace_planned)


def _rows(event_id: str, plan: Plan) -> Iterator[tuple[str | None, ...]]:
    for name, planned in plan.items():
        yield (
            event_id,
            name,
            planned.destination,
            planned.connector,
            planned.action,
            orjson.dumps(planned.send).decode(),
            orjson.dumps(planned.confirm).decode(),
            None if planned.item is None else orjson.dumps(planned.item).decode(),
        )

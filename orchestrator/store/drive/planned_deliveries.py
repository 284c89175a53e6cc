"""What a route sends: its deliveries are written once, and anew after a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    Connection,
    and_,
    case,
    delete,
    false,
    func,
    literal,
    select,
    true,
    tuple_,
)

from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, row_values, rows_of
from orchestrator.store.database.schema import deliveries
from orchestrator.store.database.upserts import upsert
from orchestrator.store.drive.deliveries import MAY_BE_THERE, NOT_MADE


def plan_deliveries(
    tx: Connection, plans: Mapping[str, Sequence[PlannedDelivery]], *, again: Sequence[str]
) -> None:
    """Write the deliveries of routed events; those that were made before stay as they are.

    `again` names the events that were routed before: what the new plan leaves out is dropped, and
    where its outcome was unknown the audit says so.
    """
    if again:
        _drop_unplanned(tx, {event_id: plans[event_id] for event_id in again})
    rows = [_row(event_id, one) for event_id, plan in plans.items() for one in plan]
    if rows:
        statement = _REPLAN if again else _PLAN
        statement.run(tx, **row_values(tx, list(_PLANNED), rows))


_PLANNED = dict.fromkeys(("event_id", "destination", "connector", "action", "send", "confirm"), str)


def _insert_planned(dialect: str) -> Any:
    given = rows_of(dialect, **_PLANNED)
    fixed = {
        "state": literal(DeliveryState.PENDING.value),
        "attempt": literal(0),
        "due_at": now_ms(),
        "unknown": false(),
        "updated_at": now_ms(),
    }
    insert: Any = upsert(dialect, deliveries)
    # SQLite needs the WHERE to tell an upsert from a join.
    planned = select(*given.c, *fixed.values()).where(true())
    return insert.from_select([*_PLANNED, *fixed], planned)


def _replace_planned(dialect: str) -> Any:
    insert = _insert_planned(dialect)
    kept = ("connector", "action", "send", "confirm", "state", "updated_at")
    table = deliveries.c
    undone = table.state == DeliveryState.UNDONE
    # A look-up is not to be believed before its time, whoever asks for it.
    due_at = case(
        (table.state == DeliveryState.SENDING, func.coalesce(table.run_until, now_ms())),
        (and_(table.unknown, table.due_at > now_ms()), table.due_at),
        else_=now_ms(),
    )
    return insert.on_conflict_do_update(
        index_elements=[deliveries.c.event_id, deliveries.c.destination],
        set_={
            "attempt": 0,
            "due_at": due_at,
            "unknown": MAY_BE_THERE,
            "held_by": None,
            "failing_since": None,
            "undo": False,
            # What was taken back is made anew, under another key: a tool may remember the first.
            "record_id": case((undone, None), else_=table.record_id),
            "generation": table.generation + case((undone, 1), else_=0),
            **{name: insert.excluded[name] for name in kept},
        },
        where=NOT_MADE,
    )


_PLAN, _REPLAN = Prepared(_insert_planned), Prepared(_replace_planned)


def _row(event_id: str, planned: PlannedDelivery) -> tuple[str, ...]:
    return (
        event_id,
        planned.destination,
        planned.connector,
        planned.action,
        orjson.dumps(planned.send).decode(),
        orjson.dumps(planned.confirm).decode(),
    )


def _drop_unplanned(tx: Connection, plans: Mapping[str, Sequence[PlannedDelivery]]) -> None:
    wanted = [(event_id, one.destination) for event_id, plan in plans.items() for one in plan]
    table = deliveries.c
    dropped = tx.execute(
        delete(deliveries)
        .where(
            table.event_id.in_(list(plans)),
            tuple_(table.event_id, table.destination).not_in(wanted),
            NOT_MADE,
        )
        .returning(table.event_id, table.destination, MAY_BE_THERE.label("unknown"))
    ).all()
    told = "the new plan does not send here; a call whose outcome is unknown went out before"
    record_deliveries(
        tx,
        [
            DeliveryNote(
                event_id=row.event_id,
                destination=row.destination,
                action="abandon",
                detail={"detail": told},
            )
            for row in dropped
            if row.unknown
        ],
        actor="worker:route",
    )

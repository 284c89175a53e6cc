"""Taking back what an event's other destinations have, where one of them failed for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, or_, update

from orchestrator.domain.commitments import Value
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import deliveries
from orchestrator.store.drive.deliveries import routed_under


def begin_undo(
    tx: Connection,
    ids: Sequence[str],
    destinations: Sequence[str],
    *,
    because: str,
    epoch: int,
    actor: str,
) -> None:
    """Plan to take back what these events have elsewhere, and send nothing else for them."""
    _STOP_OTHERS.run(tx, ids=list(ids), epoch=epoch)
    rows = _PLAN_UNDO.run(tx, ids=list(ids), destinations=list(destinations), epoch=epoch)
    notes = [
        DeliveryNote(
            event_id=row[0],
            name=row[1],
            action="plan_undo",
            target=DeliveryState.PENDING,
            detail={"because": because, "record_id": Value(value=row[2])},
        )
        for row in rows.all()
    ]
    record_deliveries(tx, notes, actor=actor)


def _stop_others(dialect: str) -> Any:
    table = deliveries.c
    waits = or_(table.state == DeliveryState.PENDING.value, table.state == DeliveryState.HELD.value)
    return (
        update(deliveries)
        .where(table.event_id.in_(routed_under(dialect)), waits, ~table.undo)
        .values(state=DeliveryState.PENDING, due_at=None, held_by=None, updated_at=now_ms())
    )


def _plan_undo(dialect: str) -> Any:
    table = deliveries.c
    return (
        update(deliveries)
        .where(
            table.event_id.in_(routed_under(dialect)),
            among(dialect, table.destination, "destinations"),
            and_(table.state == DeliveryState.CONFIRMED.value, table.record_id.is_not(None)),
        )
        .values(
            state=DeliveryState.PENDING,
            undo=True,
            attempt=0,
            failing_since=None,
            due_at=now_ms(),
            updated_at=now_ms(),
        )
        .returning(table.event_id, table.name, table.record_id)
    )


_STOP_OTHERS, _PLAN_UNDO = Prepared(_stop_others), Prepared(_plan_undo)

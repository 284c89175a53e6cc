"""Held deliveries: what they lead to is paused or has an open breaker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, exists, func, or_, select, update

from orchestrator.domain.delivery.breakers import FAILING
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import circuits, deliveries
from orchestrator.store.drive.deliveries import routed_under
from orchestrator.store.quarantine.incidents import Where, note_held

_NOBODY: Where = ("", "")


def one_to_try(
    tx: Connection, ids: Sequence[str], destinations: Sequence[str], *, epoch: int, circuit: str
) -> Where | None:
    """The one due delivery of these events that may try an open breaker now, if any may.

    Where something is held there, a relay has chosen who tries. Else it is the first that comes,
    rather one that never failed.
    """
    row = _ONE_TO_TRY.run(
        tx, ids=list(ids), destinations=list(destinations), epoch=epoch, circuit=circuit
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def hold_deliveries(
    tx: Connection,
    ids: Sequence[str],
    destinations: Sequence[str],
    *,
    workflow: Workflow,
    epoch: int,
    circuit: str,
    reason: str,
    actor: str,
    spare: Where | None = None,
) -> None:
    """Hold what is due there at `circuit`, except one that is spared to try it.

    At an open breaker those get their tries back that failed while nobody else got through. Each
    of the destinations is an incident of the workflow, for as long as something is held there.
    """
    event_id, name = spare or _NOBODY
    rows = _HOLD.run(
        tx,
        ids=list(ids),
        destinations=list(destinations),
        epoch=epoch,
        circuit=circuit,
        spare_event=event_id,
        spare_name=name,
    )
    notes = [
        DeliveryNote(
            event_id=row[0],
            name=row[1],
            action="hold",
            target=DeliveryState.HELD,
            reason=reason,
            detail={"by": circuit},
        )
        for row in rows.all()
    ]
    record_deliveries(tx, notes, actor=actor)
    note_held(tx, [(one.event_id, one.name) for one in notes], workflow, actor=actor)


_ORPHANED = and_(
    deliveries.c.state == DeliveryState.SENDING.value, deliveries.c.run_until <= now_ms()
)
_DUE = and_(deliveries.c.state == DeliveryState.PENDING.value, deliveries.c.due_at <= now_ms())


def _due_there(dialect: str) -> Any:
    return and_(
        deliveries.c.event_id.in_(routed_under(dialect)),
        among(dialect, deliveries.c.destination, "destinations"),
        or_(_DUE, _ORPHANED),
    )


def _select_one_to_try(dialect: str) -> Any:
    table, waiting = deliveries.c, deliveries.alias("waiting")
    name: Any = bindparam("circuit")
    chosen = exists().where(circuits.c.name == name, circuits.c.probe_event == table.event_id)
    nobody_chosen = ~exists().where(circuits.c.name == name, circuits.c.probe_event.is_not(None))
    nobody_waits = ~exists().where(waiting.c.held_by == name)
    return (
        select(table.event_id, table.name)
        .where(_due_there(dialect), or_(chosen, and_(nobody_chosen, nobody_waits)))
        .order_by(table.failing_since.is_not(None), table.event_id, table.name)
        .limit(1)
    )


def _hold(dialect: str) -> Any:
    table = deliveries.c
    spared = and_(
        table.event_id == bindparam("spare_event"),
        table.name == bindparam("spare_name"),
    )
    # An outage costs nobody a try, also of those that failed before the breaker opened. Who reads
    # an old `taken_at` gives back a try too many, and never takes one.
    taken_at = (
        select(func.coalesce(circuits.c.taken_at, 0))
        .where(circuits.c.name == bindparam("circuit"), circuits.c.reason == FAILING)
        .scalar_subquery()
    )
    blameless = table.failing_since >= taken_at
    return (
        update(deliveries)
        .where(_due_there(dialect), ~spared)
        .values(
            state=DeliveryState.HELD,
            held_by=bindparam("circuit"),
            attempt=case((blameless, 0), else_=table.attempt),
            run_id=None,
            run_until=None,
            unknown=or_(table.unknown, _ORPHANED),
            updated_at=now_ms(),
        )
        .returning(table.event_id, table.name)
    )


_ONE_TO_TRY, _HOLD = Prepared(_select_one_to_try), Prepared(_hold)

"""Taking back what destinations have: another failed for good, or a version was rolled back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, bindparam, literal_column, or_, update

from orchestrator.domain.commitments import Value
from orchestrator.domain.event import destination_of
from orchestrator.domain.lifecycle import DeliveryState, Move, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.sending.succession import Predecessors, rested_on
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import deliveries, events
from orchestrator.store.drive.deliveries import MISMATCHED, routed_under
from orchestrator.store.quarantine.actions import quarantine_events, recall
from orchestrator.store.quarantine.line_up import line_up_replayed
from orchestrator.store.quarantine.moves import ColumnChange, move_events
from orchestrator.store.quarantine.workflows import LiveWorkflow, live_workflow


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
    notes = [_undo_note(row[0], row[1], row[2], because=because) for row in rows.all()]
    record_deliveries(tx, notes, actor=actor)


def recall_events(
    tx: Connection,
    wanted: Mapping[str, Sequence[str]],
    *,
    stopped: Collection[str],
    live: LiveWorkflow,
    predecessors: Predecessors,
    is_ordered: bool = False,
    because: str,
    plan: str,
    actor: str,
) -> int:
    """Plan to take back these deliveries of events, by name; how many events moved.

    One that another to be taken back comes after, by `predecessors` of the version that made them,
    is not due before that other one is taken back. With `is_ordered` they take their old places in
    their lines, and are sent again when they have the turn; whoever asks is the only one that gives
    turns, see `hold_turns`.

    `stopped` are in quarantine; the others are delivered. A delivered event without any begins anew
    at once: something was not sent for it. Whoever asks holds the events.
    """
    told = {"plan": plan, "version": live.version}
    by_undo: dict[bool, list[str]] = {True: [], False: []}
    for event_id, names in wanted.items():
        if event_id not in stopped:
            by_undo[bool(names)].append(event_id)
    recalled = move_events(
        tx,
        by_undo[True],
        move=Move.RECALL,
        source=State.DELIVERED,
        actor=actor,
        change=_RECALLED,
        detail=told,
    )
    halted = [one for one in wanted if one in stopped]
    left = recall(tx, halted, change=_RECALLED, actor=actor, detail=told) if halted else []
    recalled += left
    rows = _plan_recall(tx, {one: wanted[one] for one in recalled}, because=because, actor=actor)
    _hold_back(tx, rows, predecessors)
    if left:  # what else they were to send waits for their new route
        _PARK.run(tx, ids=left)
    begun = move_events(
        tx,
        by_undo[False],
        move=Move.REPIN,
        source=State.DELIVERED,
        actor=actor,
        change=_ANEW,
        detail=told,
        workflow_id=live.id,
    )
    if is_ordered:  # from now on nobody of its line passes it
        line_up_replayed(tx, [*recalled, *begun], live)
    return len(recalled) + len(begun)


def _plan_recall(
    tx: Connection, wanted: Mapping[str, Sequence[str]], *, because: str, actor: str
) -> list[tuple[str, str]]:
    """Event id and name of those that are to be taken back."""
    names = [(event_id, name) for event_id, own in wanted.items() for name in own]
    if not names:
        return []
    rows = _PLAN_RECALL.run(tx, **row_values(tx, list(_NAMED), names)).all()
    notes = [_undo_note(row[0], row[1], row[2], because=because) for row in rows]
    record_deliveries(tx, notes, actor=actor)
    return [(row[0], row[1]) for row in rows]


def _hold_back(
    tx: Connection, planned: Sequence[tuple[str, str]], predecessors: Predecessors
) -> None:
    """Of what is to be taken back, let wait what another one rests on."""
    places: dict[str, list[str]] = {}
    for event_id, name in planned:
        places.setdefault(event_id, []).append(destination_of(name))
    before = {one: rested_on(own, predecessors) for one, own in places.items()}
    held = [(one, name) for one, name in planned if destination_of(name) in before[one]]
    if held:
        _HOLD_BACK.run(tx, **row_values(tx, list(_NAMED), held))


def begin_held_back(tx: Connection, names: Sequence[tuple[str, str]]) -> None:
    """Let these be taken back now, by event id and name. The caller holds their events."""
    if names:
        _BEGIN_HELD_BACK.run(tx, **row_values(tx, list(_NAMED), names))


def begin_anew(
    tx: Connection, ids: Sequence[str], workflow: Workflow, *, epoch: int, actor: str
) -> None:
    """Let the live version decide about events of which all that was planned is taken back.

    Where none is live any more they go to quarantine: nobody knows what to send.
    """
    if not ids:
        return
    live = live_workflow(tx, workflow.client, workflow.name)
    if live is None:
        quarantine_events(
            tx,
            ids,
            source=State.ROUTED,
            workflow=workflow,
            reason=Reason.NO_ROUTE,
            detail="what was made of it was taken back, and no version of its workflow is live",
            actor=actor,
            epoch=epoch,
        )
        return
    moved = move_events(
        tx,
        ids,
        move=Move.REPIN,
        source=State.ROUTED,
        actor=actor,
        epoch=epoch,
        change=_ANEW,
        detail={"version": live.version},
        workflow_id=live.id,
    )
    if workflow.ordering is not None:
        line_up_replayed(tx, moved, live)


def _undo_note(event_id: str, name: str, record_id: str | None, *, because: str) -> DeliveryNote:
    return DeliveryNote(
        event_id=event_id,
        name=name,
        action="plan_undo",
        target=DeliveryState.PENDING,
        detail={"because": because, "record_id": Value(value=record_id)},
    )


_RECALLED = ColumnChange(values={"due_at": now_ms(), "epoch": 0})
_BEGUN: Mapping[str, object] = {
    "due_at": now_ms(),
    "workflow_id": bindparam("workflow_id", type_=BigInteger),
    "replays": events.c.replays + 1,  # so that its route is planned upon what is there
    # No message from before fits it any more. Spelt out: `epoch` is a parameter of the move.
    "epoch": literal_column("0"),
}
_ANEW = ColumnChange(values=_BEGUN)
_NAMED = dict.fromkeys(("event_id", "name"), str)


def _recall(dialect: str) -> Any:
    given, table = rows_of(dialect, **_NAMED), deliveries.c
    return (
        update(deliveries)
        .where(
            table.event_id == given.c.event_id,
            table.name == given.c.name,
            or_(table.state == DeliveryState.CONFIRMED.value, MISMATCHED),
        )
        .values(**_TO_BE_UNDONE)
        .returning(table.event_id, table.name, table.record_id)
    )


def _due(dialect: str, *, due_at: Any) -> Any:
    given, table = rows_of(dialect, **_NAMED), deliveries.c
    return (
        update(deliveries)
        .where(
            table.event_id == given.c.event_id,
            table.name == given.c.name,
            table.state == DeliveryState.PENDING.value,
            table.undo,
        )
        .values(due_at=due_at, updated_at=now_ms())
    )


def _stop_others(dialect: str) -> Any:
    table = deliveries.c
    waits = or_(table.state == DeliveryState.PENDING.value, table.state == DeliveryState.HELD.value)
    return (
        update(deliveries)
        .where(table.event_id.in_(routed_under(dialect)), waits, ~table.undo)
        .values(state=DeliveryState.PENDING, due_at=None, held_by=None, updated_at=now_ms())
    )


def _park(dialect: str) -> Any:
    table = deliveries.c
    open_states = (
        DeliveryState.PENDING,
        DeliveryState.HELD,
        DeliveryState.WAITING,
        DeliveryState.FAILED,
    )
    waits = or_(*(table.state == one.value for one in open_states))
    return (
        update(deliveries)
        .where(among(dialect, table.event_id), waits, ~table.undo)
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
        .values(**_TO_BE_UNDONE)
        .returning(table.event_id, table.name, table.record_id)
    )


_TO_BE_UNDONE: Mapping[str, Any] = {
    "state": DeliveryState.PENDING,
    "undo": True,
    "attempt": 0,
    "failing_since": None,
    "due_at": now_ms(),
    "updated_at": now_ms(),
}

_STOP_OTHERS, _PLAN_UNDO = Prepared(_stop_others), Prepared(_plan_undo)
_HOLD_BACK = Prepared(partial(_due, due_at=None))
_BEGIN_HELD_BACK = Prepared(partial(_due, due_at=now_ms()))
_PLAN_RECALL, _PARK = Prepared(_recall), Prepared(_park)

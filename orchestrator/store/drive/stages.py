"""What a stage loads, and how its outcomes are saved: one commit for the whole group."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, bindparam, case, func, select, update

from orchestrator.domain.commitments import Detail
from orchestrator.domain.delivery.verdicts import Amended, Rejected, Routed
from orchestrator.domain.event import TIME_DIGITS
from orchestrator.domain.lifecycle import Move, State
from orchestrator.domain.recipes.steps import Step
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import events, payloads
from orchestrator.store.drive.deliveries import earliest_due
from orchestrator.store.drive.late_deliveries import record_late_deliveries
from orchestrator.store.drive.planned_deliveries import plan_deliveries
from orchestrator.store.drive.superseding import supersede
from orchestrator.store.ordering import lines
from orchestrator.store.quarantine.actions import Verdict, keep_amended, quarantine_rejected
from orchestrator.store.quarantine.moves import GOING_ON, ColumnChange, move_events
from orchestrator.store.quarantine.workflows import WorkflowShelf, version_of


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The events of a group that still are this chain's to drive."""

    workflow: CompiledWorkflow
    bodies: dict[str, str]  # payloads by event id, as JSON; amended where they were amended
    replayed: frozenset[str]
    attempts: dict[str, int]  # failed tries of this stage


def load_group(
    tx: Connection, ids: Sequence[str], *, epoch: int, state: State, shelf: WorkflowShelf
) -> Loaded | None:
    """Read a group's events at `state`; None when none of them is this epoch's any more."""
    rows = _LOAD.run(tx, ids=list(ids), epoch=epoch, state=state).all()
    if not rows:
        return None
    return Loaded(
        workflow=shelf.take(tx, rows[0].workflow_id),
        bodies={row[0]: row[4] for row in rows},
        replayed=frozenset(row[0] for row in rows if row[2]),
        attempts={row[0]: row[3] for row in rows},
    )


_LOAD = Prepared(
    lambda dialect: (
        select(
            events.c.id,
            events.c.workflow_id,
            events.c.replays,
            events.c.attempt,
            func.coalesce(payloads.c.amended, payloads.c.body),
        )
        .join(payloads, payloads.c.event_id == events.c.id)
        .where(
            among(dialect, events.c.id),
            events.c.state == bindparam("state"),
            events.c.epoch == bindparam("epoch"),
        )
    )
)


def workflow_id_of(tx: Connection, event_id: str) -> int:
    """The workflow version that an event runs under."""
    found: int = _WORKFLOW_OF.run(tx, id=event_id).scalar_one()
    return found


_WORKFLOW_OF = Prepared(
    lambda _: select(events.c.workflow_id).where(events.c.id == bindparam("id"))
)


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Who saves, under which epoch, and how long a sign of life lets the group's lease run."""

    actor: str
    epoch: int
    lease_seconds: float


def save_valid(tx: Connection, ids: Sequence[str], saving: Saving) -> list[str]:
    """Move events on to be routed; answers those that moved."""
    return move_events(
        tx,
        ids,
        move=Move.VALIDATE,
        source=State.ACCEPTED,
        actor=saving.actor,
        epoch=saving.epoch,
        change=GOING_ON,
    )


def save_amended(
    tx: Connection, amended: Mapping[str, Amended], workflow: Workflow, saving: Saving
) -> list[str]:
    """Keep what an amendment made beside what came; answers those that still are at hand.

    They have to be moved on after it, in the same transaction.
    """
    by_steps: dict[tuple[int, ...], list[str]] = {}
    for event_id, verdict in amended.items():
        by_steps.setdefault(verdict.steps, []).append(event_id)
    kept: list[str] = []
    for steps, ids in by_steps.items():
        version = version_of(tx, workflow_id_of(tx, ids[0]))
        detail = {"version": version, "steps": [_named(workflow.amend[one]) for one in steps]}
        kept += move_events(
            tx,
            ids,
            move=Move.AMEND,
            source=State.ACCEPTED,
            actor=f"workflow:{workflow.name}",
            epoch=saving.epoch,
            change=GOING_ON,
            detail=detail,
        )
    keep_amended(tx, {one: amended[one].payload for one in kept})
    return kept


_IN_THE_VERSION = ("value", "values", "reason", "if")


def _named(step: Step) -> dict[str, object]:
    """A step without its values: the version that the row names has them for good."""
    return {name: one for name, one in step.describe().items() if name not in _IN_THE_VERSION}


def save_routed(
    tx: Connection, routed: Mapping[str, Routed], loaded: Loaded, saving: Saving
) -> list[str]:
    """Move events on to be dispatched and write their deliveries; answers those that moved."""
    by_route: dict[tuple[int, tuple[str, ...]], list[str]] = {}
    for event_id, verdict in routed.items():
        by_route.setdefault((verdict.route, verdict.defaulted), []).append(event_id)
    moved: list[str] = []
    for (route, defaulted), ids in by_route.items():
        rule = loaded.workflow.workflow.routes[route]
        detail = {"route": route + 1, "when": rule.when, "to": list(rule.to)}
        if defaulted:
            detail["defaulted"] = list(defaulted)
        moved += move_events(
            tx,
            ids,
            move=Move.ROUTE,
            source=State.VALIDATED,
            actor=saving.actor,
            epoch=saving.epoch,
            change=GOING_ON,
            detail=detail,
        )
    plans = {event_id: routed[event_id].deliveries for event_id in moved}
    plan_deliveries(tx, plans, again=[one for one in moved if one in loaded.replayed])
    ordering = loaded.workflow.workflow.ordering
    if moved and ordering and ordering.latest:
        items = any(one.item is not None for plan in plans.values() for one in plan)
        supersede(tx, moved, items=items, actor=saving.actor)
    return moved


def save_rejected(
    tx: Connection,
    rejected: Mapping[str, Rejected],
    workflow: CompiledWorkflow,
    *,
    source: State,
    saving: Saving,
) -> list[str]:
    """Put events in quarantine, each with all that is wrong with it; answers those that moved."""
    by_verdict: dict[Verdict, list[str]] = {}
    for event_id, verdict in rejected.items():
        by_verdict.setdefault((verdict, None), []).append(event_id)
    return quarantine_rejected(
        tx,
        by_verdict,
        source=source,
        workflow=workflow.workflow,
        actor=saving.actor,
        epoch=saving.epoch,
    )


def save_delivered(
    tx: Connection, ids: Sequence[str], workflow: Workflow, saving: Saving
) -> list[str]:
    """Every delivery of these events is made: they are at their end, in time or late."""
    moved = move_events(
        tx,
        ids,
        move=Move.DELIVER,
        source=State.ROUTED,
        actor=saving.actor,
        epoch=saving.epoch,
    )
    if moved and workflow.ordering:
        lines.end(tx, moved)
    # Of an event in time, as nearly all are, its id says so: that costs no statement.
    suspected = time.time() + _CLOCKS_APART - workflow.deliver_within_seconds
    if moved and min(moved) < f"{int(suspected * 1000):0{TIME_DIGITS}x}":
        record_late_deliveries(tx, moved, workflow, actor=saving.actor)
    return moved


_CLOCKS_APART = 5.0  # seconds between this machine's clock and the one that gave an id


_WHEN_A_DELIVERY_IS = ColumnChange(values={"due_at": earliest_due()})

_LATER = ColumnChange(
    values={
        "due_at": now_ms() + bindparam("wait_ms", type_=BigInteger),
        "attempt": events.c.attempt + 1,
    },
    only=(events.c.attempt == bindparam("failed"),),
)


def save_retry(tx: Connection, ids: Sequence[str], saving: Saving, *, detail: Detail) -> None:
    """A delivery of these events failed and is to come again; they are due when it is."""
    hold_events(tx, ids)  # before a statement of its own looks at their deliveries
    move_events(
        tx,
        ids,
        move=Move.RETRY,
        source=State.ROUTED,
        actor=saving.actor,
        epoch=saving.epoch,
        change=_WHEN_A_DELIVERY_IS,
        detail=detail,
    )


def save_stage_retry(
    tx: Connection,
    event_id: str,
    saving: Saving,
    *,
    source: State,
    failed: int,
    wait: float,
    error: str,
) -> None:
    """A stage failed on this event for a reason that may pass, after it `failed` so many times."""
    move_events(
        tx,
        [event_id],
        move=Move.RETRY,
        source=source,
        actor=saving.actor,
        epoch=saving.epoch,
        change=_LATER,
        failed=failed,
        wait_ms=int(wait * 1000),
        detail={"detail": error},
    )


def hand_back(tx: Connection, ids: Sequence[str], epoch: int) -> None:
    """Give events of a dispatch back that it did not get to; no failure, so no attempt."""
    if ids:
        hold_events(tx, ids)  # before a statement of its own looks at their deliveries
        _HAND_BACK.run(tx, ids=list(ids), epoch=epoch)


_HAND_BACK = Prepared(
    lambda dialect: (
        update(events)
        .where(
            among(dialect, events.c.id),
            events.c.state == State.ROUTED,
            events.c.epoch == bindparam("epoch"),
        )
        # Only its own claim's start is taken back: what kills its worker must still be found.
        .values(
            due_at=earliest_due(),
            starts=case((events.c.starts > 0, events.c.starts - 1), else_=0),
        )
    )
)

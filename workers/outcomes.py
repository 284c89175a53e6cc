"""What came of a turn's calls: judged before the store is asked, saved in one transaction."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.handoff import NotStarted
from orchestrator.domain.compiled import CompiledWorkflow
from orchestrator.domain.handoff import Action, Outcome
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.retries import RetryPolicy
from orchestrator.pipeline.settle import (
    Delivered,
    Done,
    GiveUp,
    Settlement,
    Standing,
    Stuck,
    TryAgain,
    settle,
    settle_event,
)
from orchestrator.store.audit import DeliveryNote, record_deliveries
from orchestrator.store.deliveries import Taken, Undone, save_done, save_undone, standing_deliveries
from orchestrator.store.engine import Tx
from orchestrator.store.prepared import storable
from orchestrator.store.quarantine import quarantine_events
from orchestrator.store.stages import Saving, hand_back, save_delivered, save_retry

Where = tuple[str, str]
"""A delivery: event id and destination."""


@dataclass(kw_only=True)
class Outcomes:
    """The settled deliveries of a turn, ready to be written, and those that had no turn yet."""

    done: list[tuple[str, str, str, str]] = field(default_factory=list)
    undone: list[Undone] = field(default_factory=list)
    notes: dict[Where, DeliveryNote] = field(default_factory=dict)
    failed: dict[str, Where] = field(default_factory=dict)  # event id: destination and error
    open: dict[str, int] = field(default_factory=dict)  # event id: deliveries it had to be made
    not_begun: list[Taken] = field(default_factory=list)

    def save(
        self,
        tx: Tx,
        ids: Sequence[str],
        *,
        workflow: CompiledWorkflow,
        run_id: str,
        saving: Saving,
    ) -> None:
        """Write the deliveries, and move the events `ids` accordingly."""
        made = save_done(tx, run_id, self.done)
        mine = made | save_undone(tx, run_id, self.undone)
        told = [note for where, note in self.notes.items() if where in mine]
        record_deliveries(tx, told, actor=saving.actor)
        # Where all that was to be made was made just now, nobody needs to look how it stands.
        counted = Counter(event_id for event_id, _ in made)
        complete = [one for one in ids if counted[one] and counted[one] == self.open[one]]
        save_delivered(tx, complete, saving)
        if len(complete) < len(ids):
            known = set(complete)
            rest = [one for one in ids if one not in known]
            failed = {one: how for one, how in self.failed.items() if (one, how[0]) in mine}
            _settle_events(tx, rest, failed, workflow, saving)

    def give_up(self, tx: Tx, *, run_id: str) -> None:
        """Give back what had no turn: nothing was sent."""
        back = [
            Undone(
                event_id=one.event_id,
                destination=one.destination,
                state=DeliveryState.PENDING,
                after_ms=0,
                unknown=one.unknown,
                began=False,
            )
            for one in self.not_begun
        ]
        save_undone(tx, run_id, back)


def judge(
    taken: Sequence[Taken],
    answers: Mapping[str, Outcome | NotStarted],
    *,
    find: Callable[[Taken], Action | None],
    policy: RetryPolicy,
) -> Outcomes:
    """Decide on each delivery after its call."""
    found = Outcomes()
    for one in taken:
        settled = _settle(one, answers.get(one.key), find(one), policy)
        if settled is None:
            found.not_begun.append(one)
        else:
            found.open[one.event_id] = one.open
            _add(found, one, settled)
    return found


def _settle(
    one: Taken,
    answer: Outcome | NotStarted | None,
    action: Action | None,
    policy: RetryPolicy,
) -> Settlement | None:
    if action is None:
        known = f"connector {one.connector!r} with action {one.action!r}"
        return GiveUp(reason=Reason.CONNECTOR_MISSING, error=f"this worker has no {known}")
    if answer is None or isinstance(answer, NotStarted):
        return None
    return settle(answer, attempt=one.attempt, action=action, policy=policy, jitter=random.random())


def _add(found: Outcomes, one: Taken, settled: Settlement) -> None:
    where = one.event_id, one.destination
    match settled:
        case Done():
            found.done.append((*where, settled.state.value, storable(settled.record_id)))
            found.notes[where] = _told_done(where, settled)
        case GiveUp():
            found.undone.append(_given_up(where, settled))
            found.notes[where] = _told_failure(where, settled)
        case TryAgain():
            found.undone.append(_to_try_again(where, settled))
            found.failed[one.event_id] = one.destination, settled.error


def _settle_events(
    tx: Tx,
    ids: Sequence[str],
    failed: Mapping[str, Where],
    workflow: CompiledWorkflow,
    saving: Saving,
) -> None:
    """Look how all deliveries of these events stand, and move the events accordingly."""
    delivered: list[str] = []
    idle: list[str] = []
    stuck: dict[Stuck, list[str]] = {}
    retried: dict[Where, list[str]] = {}
    for event_id, rows in standing_deliveries(tx, ids, saving.epoch).items():
        verdict = settle_event([_standing(row) for row in rows if row.destination])
        if isinstance(verdict, Delivered):
            delivered.append(event_id)
        elif isinstance(verdict, Stuck):
            stuck.setdefault(verdict, []).append(event_id)
        elif event_id in failed:
            retried.setdefault(failed[event_id], []).append(event_id)
        else:
            idle.append(event_id)
    save_delivered(tx, delivered, saving)
    for verdict, events in stuck.items():
        quarantine_events(
            tx,
            events,
            source=State.ROUTED,
            workflow=workflow.workflow,
            reason=verdict.reason,
            detail=verdict.detail,
            actor=saving.actor,
            epoch=saving.epoch,
        )
    for (destination, error), events in retried.items():
        save_retry(tx, events, saving, detail={"destination": destination, "detail": error})
    hand_back(tx, idle, saving.epoch)


def _standing(row: Any) -> Standing:
    return Standing(
        destination=row.destination,
        state=DeliveryState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        error=row.error,
    )


def _to_try_again(where: Where, one: TryAgain) -> Undone:
    return Undone(
        event_id=where[0],
        destination=where[1],
        state=DeliveryState.PENDING,
        after_ms=int(one.after_seconds * 1000),
        unknown=one.unknown,
        error=storable(one.error),
    )


def _given_up(where: Where, one: GiveUp) -> Undone:
    return Undone(
        event_id=where[0],
        destination=where[1],
        state=DeliveryState.FAILED,
        after_ms=int(one.settle_seconds * 1000),
        unknown=one.unknown,
        reason=one.reason,
        error=storable(one.error),
        record_id=one.record_id,
    )


def _told_done(where: Where, one: Done) -> DeliveryNote:
    detail: dict[str, object] = {"record_id": one.record_id}
    if one.found:
        detail["found"] = "an earlier call had made it"
    return DeliveryNote(
        event_id=where[0],
        destination=where[1],
        action="confirm" if one.state is DeliveryState.CONFIRMED else "receipt",
        target=one.state,
        detail=detail,
    )


def _told_failure(where: Where, one: GiveUp) -> DeliveryNote:
    return DeliveryNote(
        event_id=where[0],
        destination=where[1],
        action="fail",
        target=DeliveryState.FAILED,
        reason=one.reason,
        detail={"detail": one.error, "record_id": one.record_id},
    )

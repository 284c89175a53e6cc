"""Settle a run: what came of its calls, for each delivery and then for each event.

Decided before the store is asked, and saved in one transaction.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from orchestrator.domain.commitments import Detail, Value, repeats
from orchestrator.domain.delivery.handoff import Action, NotStarted, Outcome, Seen
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.dispatch.admit_deliveries import Actions, Run, not_begun
from orchestrator.operations.dispatch.note_health import SystemFindings
from orchestrator.operations.dispatch.release_waiting import release_undos, release_waiting
from orchestrator.pipeline.settle import Done, GiveUp, Hold, Settlement, TryAgain, settle
from orchestrator.pipeline.settle_event import (
    Delivered,
    DeliveryStatus,
    Stuck,
    TakeBack,
    TakenBack,
    settle_event,
)
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.engine import Tx
from orchestrator.store.drive.deliveries import (
    COUNTED,
    DeliveryStanding,
    NotMade,
    Taken,
    load_deliveries,
    save_done,
    save_not_made,
)
from orchestrator.store.drive.stages import hand_back, save_delivered, save_retry
from orchestrator.store.drive.take_back import begin_anew, begin_undo
from orchestrator.store.quarantine.actions import quarantine_rejected
from orchestrator.store.quarantine.incidents import Where, note_held

_DONE_AS = {
    DeliveryState.CONFIRMED: "confirm",
    DeliveryState.RECEIPTED: "receipt",
    DeliveryState.UNDONE: "undo",
}


class LastFailure(NamedTuple):
    """Why an event goes no further for now."""

    name: str  # of the delivery
    error: str  # for people, secrets masked


@dataclass(kw_only=True)
class Outcomes:
    """The settled deliveries of a turn, ready to be written, and those that had no turn yet."""

    done: list[tuple[str, str, str, str]] = field(default_factory=list)
    seen: dict[Where, Seen] = field(default_factory=dict)  # of the records of what is done
    not_made: list[NotMade] = field(default_factory=list)
    notes: dict[Where, DeliveryNote] = field(default_factory=dict)
    failed: dict[str, LastFailure] = field(default_factory=dict)  # by event id
    open: dict[str, int] = field(default_factory=dict)  # event id: deliveries it had to be made
    not_begun: list[Taken] = field(default_factory=list)
    saved: set[Where] = field(default_factory=set)  # deliveries that `save_outcomes` wrote
    # Events of which `save_outcomes` released a delivery that waited: the caller goes on with them.
    going_on: list[str] = field(default_factory=list)

    def counts(self) -> Counter[str]:
        """How many of the deliveries that were written are in which state now."""
        states = {where[:2]: where[2] for where in self.done}
        states |= {(one.event_id, one.name): one.state.value for one in self.not_made}
        return Counter(states[where] for where in self.saved)


def settle_calls(
    run: Run,
    taken: Sequence[Taken],
    answers: Mapping[str, Outcome | NotStarted],
    actions: Actions,
    findings: SystemFindings | None = None,
) -> Outcomes:
    """Decide on each delivery after its call, and after what is known of its system.

    `answers` are by the deliveries' keys.
    """
    found, findings = Outcomes(), findings or SystemFindings()
    for one in taken:
        action = actions.get((one.connector, one.action))
        settled = _settle_one(run, one, answers.get(one.key), action, findings)
        if settled is None:
            found.not_begun.append(one)
        else:
            found.open[one.event_id] = one.open
            _add(found, one, settled, findings)
    return found


def _settle_one(
    run: Run,
    one: Taken,
    answer: Outcome | NotStarted | None,
    action: Action | None,
    findings: SystemFindings,
) -> Settlement | None:
    if action is None:
        known = f"connector {one.connector!r} with action {one.action!r}"
        return GiveUp(reason=Reason.CONNECTOR_MISSING, error=f"this worker has no {known}")
    if answer is None or isinstance(answer, NotStarted):
        return None
    settled = settle(
        answer,
        attempt=one.attempt,
        action=action,
        policy=run.workflow.workflow.retry_policy,
        jitter=random.random(),
        breaker_open=one.key in findings.held_by,
        own_fault=one.key in findings.own_fault,
        pause=findings.pauses.get(one.connector, 0.0),
    )
    if one.undo and isinstance(settled, GiveUp):
        return replace(settled, reason=Reason.UNDO_FAILED)
    return settled


def _add(found: Outcomes, one: Taken, settled: Settlement, findings: SystemFindings) -> None:
    where, since = (one.event_id, one.name), findings.failing_since.get(one.key)
    match settled:
        case Done():
            found.done.append((*where, settled.state.value, settled.record_id))
            found.seen[where] = settled.seen
            found.notes[where] = _done_note(one, settled)
        case GiveUp(reason=reason):
            found.not_made.append(_not_made(one, settled, DeliveryState.FAILED, reason=reason))
            found.notes[where] = _failure_note(one, settled)
        case TryAgain():
            found.not_made.append(
                _not_made(
                    one, settled, DeliveryState.PENDING, began=settled.counts, failing_since=since
                )
            )
            found.failed[one.event_id] = LastFailure(one.name, settled.error)
        case Hold():
            circuit = findings.held_by[one.key]
            found.not_made.append(
                _not_made(
                    one, settled, DeliveryState.HELD, began=False, failing_since=since,
                    held_by=circuit, blameless=settled.blameless,
                )
            )  # fmt: skip
            found.notes[where] = _held_note(one, settled, circuit)


def _not_made(
    one: Taken, settled: TryAgain | Hold | GiveUp, state: DeliveryState, **how: Any
) -> NotMade:
    waits = settled.after_seconds if isinstance(settled, TryAgain) else settled.settle_seconds
    return NotMade(
        event_id=one.event_id,
        name=one.name,
        state=state,
        after_ms=int(waits * 1000),
        unknown=settled.unknown,
        error=settled.error,
        record_id=settled.record_id,
        seen=settled.seen,
        **how,
    )


def _done_note(one: Taken, done: Done) -> DeliveryNote:
    detail: dict[str, object] = {"record_id": done.record_id}
    if repeats(done.record_id, one.fields):  # an address, say: not a name that may stay for ever
        detail["record_id"] = Value(value=done.record_id)
    if done.found:
        detail["found"] = "an earlier call had made it"
    if done.seen.updated and done.state is not DeliveryState.UNDONE:
        detail["found"] = "it was there already"
    return _note(one, _DONE_AS[done.state], done.state, detail)


def _held_note(one: Taken, hold: Hold, circuit: str) -> DeliveryNote:
    return _note(one, "hold", DeliveryState.HELD, {"by": circuit, "detail": hold.error})


def _failure_note(one: Taken, failure: GiveUp) -> DeliveryNote:
    detail = {"detail": failure.error, "record_id": Value(value=failure.record_id)}
    return _note(one, "fail", DeliveryState.FAILED, detail, reason=failure.reason)


def _note(
    one: Taken, action: str, target: DeliveryState, detail: Detail, reason: str | None = None
) -> DeliveryNote:
    return DeliveryNote(
        event_id=one.event_id,
        name=one.name,
        action=action,
        target=target,
        reason=reason,
        detail=detail,
    )


def save_outcomes(
    tx: Tx, run: Run, ids: Sequence[str], outcomes: Outcomes, actions: Actions
) -> set[str]:
    """Write the deliveries, and move the events `ids` accordingly, which the caller holds.

    Answers those of `ids` that are not this epoch's any more: they were not moved. The caller goes
    on with the events that `outcomes.going_on` names then, or hands them back.
    """
    workflow, saving = run.workflow.workflow, run.saving
    made = save_done(tx, run.id, outcomes.done, outcomes.seen)
    mine = outcomes.saved = made | save_not_made(tx, run.id, outcomes.not_made)
    notes = [note for where, note in outcomes.notes.items() if where in mine]
    record_deliveries(tx, notes, actor=saving.actor)
    # Where all that was to be made was made just now, nobody needs to look at its state.
    taken_back = {where[:2] for where in outcomes.done if where[2] == DeliveryState.UNDONE}
    counted = Counter(event_id for event_id, _ in made - taken_back)
    complete = [one for one in ids if counted[one] and counted[one] == outcomes.open[one] < COUNTED]
    known = set(complete)
    gone = known.difference(save_delivered(tx, complete, workflow, saving))
    if len(complete) < len(ids):
        rest = [one for one in ids if one not in known]
        failed = {one: how for one, how in outcomes.failed.items() if (one, how[0]) in mine}
        gone |= _move_events(tx, run, rest, failed, _undoable(run, actions), outcomes.going_on)
    held = [(one.event_id, one.name) for one in notes if one.target is DeliveryState.HELD]
    if held:  # after the quarantine's incidents, as everywhere: two runs never wait for each other
        note_held(tx, held, workflow, actor=saving.actor)
    return gone


def _undoable(run: Run, actions: Actions) -> frozenset[str]:
    """The destinations that the workflow takes back where another fails for good."""
    workflow = run.workflow.workflow
    if workflow.on_failure != "undo":
        return frozenset()
    return frozenset(
        name
        for name, one in workflow.destinations.items()
        if (action := actions.get((one.connector, one.action))) and action.can_undo
    )


def give_up(tx: Tx, run: Run, taken: Sequence[Taken]) -> None:
    """Give back what had no turn: nothing was sent."""
    save_not_made(tx, run.id, [not_begun(one) for one in taken])


def _move_events(
    tx: Tx,
    run: Run,
    ids: Sequence[str],
    failed: Mapping[str, LastFailure],
    undoable: Collection[str],
    going_on: list[str],
) -> set[str]:
    """Look at the states of all deliveries of these events, and move the events accordingly.

    Answers those that are not this epoch's any more. Those whose next delivery may go out at once
    are added to `going_on`.
    """
    saving = run.saving
    delivered: list[str] = []
    idle: list[str] = []
    anew: list[str] = []
    stuck: dict[Stuck, list[str]] = {}
    unwound: dict[TakeBack, list[str]] = {}
    retried: dict[LastFailure, list[str]] = {}
    found = load_deliveries(tx, ids, saving.epoch)
    standing = {event_id: [_status(row) for row in rows] for event_id, rows in found.items()}
    released: set[str] = set()
    if run.workflow.predecessors:
        released = release_waiting(tx, run, standing) | release_undos(tx, run, standing)
    for event_id, deliveries in standing.items():
        match settle_event(deliveries, undoable=undoable, predecessors=run.workflow.predecessors):
            case Delivered():
                delivered.append(event_id)
            case Stuck() as verdict:
                stuck.setdefault(verdict, []).append(event_id)
            case TakeBack() as verdict:
                unwound.setdefault(verdict, []).append(event_id)
            case TakenBack():
                anew.append(event_id)
            case _ if event_id in failed:
                retried.setdefault(failed[event_id], []).append(event_id)
            case _:
                (going_on if event_id in released else idle).append(event_id)
    save_delivered(tx, delivered, run.workflow.workflow, saving)
    _quarantine(tx, run, stuck)
    begin_anew(tx, anew, run.workflow.workflow, epoch=saving.epoch, actor=saving.actor)
    for verdict, events in unwound.items():
        begin_undo(
            tx, events, verdict.destinations,
            because=verdict.because, epoch=saving.epoch, actor=saving.actor,
        )  # fmt: skip
        idle += events
    for (name, error), events in retried.items():
        save_retry(tx, events, saving, detail={"destination": name, "detail": error})
    hand_back(tx, idle, saving.epoch)
    return set(ids) - found.keys()


def _quarantine(tx: Tx, run: Run, stuck: Mapping[Stuck, Sequence[str]]) -> None:
    quarantine_rejected(
        tx,
        {
            (Rejected(reason=one.reason, detail=one.detail), one.destination): ids
            for one, ids in stuck.items()
        },
        source=State.ROUTED,
        workflow=run.workflow.workflow,
        actor=run.saving.actor,
        epoch=run.saving.epoch,
    )


def _status(row: DeliveryStanding) -> DeliveryStatus:
    return DeliveryStatus(
        name=row.name,
        state=DeliveryState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        error=row.error,
        undo=row.undo,
        unknown=row.unknown,
        parked=row.parked,
        held_back=row.held_back,
    )

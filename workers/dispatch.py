"""The last link: take deliveries, call, prove, save; by turns, within a time budget."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from connectors.handoff.concurrent import Job, hand_over_many
from orchestrator.domain.delivery.handoff import NotStarted, Outcome, Outgoing, Timing
from orchestrator.operations.dispatch.admit_deliveries import Admitted, Run
from orchestrator.operations.dispatch.note_health import note_health
from orchestrator.operations.dispatch.settle_run import (
    Outcomes,
    give_up,
    save_outcomes,
    settle_calls,
)
from orchestrator.store.database.engine import Tx, ring_after_commit
from orchestrator.store.database.locks import hold_events, hold_group
from orchestrator.store.drive.claim import finish_group, others_wait, renew_group
from orchestrator.store.drive.deliveries import Taken
from orchestrator.store.drive.lost_answers import still_in_hand
from orchestrator.store.drive.overlooked import catch_up
from orchestrator.store.drive.stages import Saving, hand_back
from orchestrator.telemetry import CallEnded, StageSaved, read_kinds
from workers.app import Process
from workers.stopping import stop_sign
from workers.telemetry import emit_calls, emit_turn


def dispatch_group(process: Process, ids: Sequence[str], saving: Saving) -> None:
    """Make what is due of these events' deliveries, one turn of calls after the other."""
    run, store = _Dispatch(process, ids, saving), process.store
    hand: _Hand | None = store.write_patiently(run.begin, until=time.monotonic() + run.budget)
    while hand:
        turn = run.call(hand)
        # The calls are made: to lose their answers would turn each into an unknown outcome.
        until = time.monotonic() + run.patience
        outcomes, following = store.write_patiently(partial(run.save, turn), until=until)
        if StageSaved in read_kinds:
            emit_turn(run.run.workflow.workflow, outcomes, since=hand.since)
        hand = following
        if hand:  # else the process is free for tasks, and so for the worker's own beat
            process.pulse.beat("it saved what calls brought")


@dataclass(frozen=True, kw_only=True)
class _Hand:
    """What a run took for its next turn of calls."""

    admitted: Admitted
    open: Sequence[str]  # the events whose deliveries these are
    rest: Sequence[str]  # the events that come after them, and those of which more is to be taken
    since: float  # of `time.monotonic`


@dataclass(frozen=True, kw_only=True)
class _Turn:
    """A turn whose calls are over."""

    hand: _Hand
    answers: Mapping[str, Outcome | NotStarted]  # by the deliveries' keys
    timing: Timing


class _Dispatch:
    """One delivery of one dispatch message: its run id, its deadline, its steps."""

    workflow_id: int
    run: Run

    def __init__(self, process: Process, ids: Sequence[str], saving: Saving) -> None:
        config = process.config
        self.process = process
        self.saving = saving
        self._id = uuid.uuid4().hex
        self._ids = ids
        self.budget = config.dispatch_budget_seconds
        self.patience = (config.task_time_limit_seconds - self.budget) / 2
        self._size = config.slice_size
        self._turn_seconds = config.dispatch_turn_seconds
        self._saved: _Turn | None = None  # the turn that `save` was last asked to write
        self._began = time.monotonic()
        self._deadline = self._began + self.budget

    def begin(self, tx: Tx) -> _Hand:
        """Take the first slice."""
        some = self._ids[: self._size]
        self.workflow_id = hold_group(tx, some)
        workflow = self.process.shelf.take(tx, self.workflow_id)
        self.run = Run(
            id=self._id,
            workflow=workflow,
            saving=self.saving,
            call_seconds=self.budget,
            turn_seconds=self._turn_seconds,
            most=self._size if workflow.has_items else None,
        )
        admitted = self.process.admission.admit(tx, some, self.run)
        rest = [*admitted.left, *self._ids[len(some) :]]
        return _Hand(admitted=admitted, open=some, rest=rest, since=time.monotonic())

    def call(self, hand: _Hand) -> _Turn:
        """Hand over what is in hand, many at once, as far as this turn goes."""
        timing = Timing(calls=[] if CallEnded in read_kinds else None)
        jobs = [job for one in hand.admitted.taken if (job := self._job(one, hand.admitted))]
        if not jobs:
            return _Turn(hand=hand, answers={}, timing=timing)
        # No call may take more than half the budget, so that there is time for one to begin.
        answers = self.process.loop.run(
            hand_over_many(
                jobs,
                timing=timing,
                finish_by=self._deadline,
                start_by=time.monotonic() + (0 if stop_sign[0] else self._turn_seconds),
                longest=self.budget / 2,
            )
        )
        if timing.calls:
            emit_calls(timing.calls)
        return _Turn(hand=hand, answers=answers, timing=timing)

    def save(self, turn: _Turn, tx: Tx) -> tuple[Outcomes, _Hand | None]:
        """Write what came of the calls, and take what is left, or hand it back.

        Answers the outcomes, and what the next turn has in hand; None where the run is over. It is
        over, too, where the answer to the commit was lost: what is left is claimed anew.
        """
        admission, hand, rest = self.process.admission, turn.hand, turn.hand.rest
        # First of all, and all that it may touch: whoever changes a delivery holds its event.
        hold_events(tx, [*hand.open, *rest])
        repeated, self._saved = turn is self._saved, turn
        outcomes = self._settle(tx, self._still_to_settle(tx, turn) if repeated else turn)
        waiting = {one.event_id for one in outcomes.not_begun}
        unsettled = waiting.union(rest)
        settled = [one for one in hand.open if one not in unsettled]
        gone = save_outcomes(tx, self.run, settled, outcomes, admission.actions)
        rest = [*outcomes.going_on, *rest]
        following = None
        if repeated or _none_began(turn.answers) or self._must_end(tx, outcomes.not_begun, rest):
            self._end(tx, outcomes.not_begun, rest)
            gone |= unsettled.intersection(hand.open)
        else:
            renew_group(tx, self.saving.epoch, self.saving.lease_seconds)
            # Of an event that waits for its turn nothing else is taken: it is in hand already.
            free = [one for one in rest if one not in waiting]
            some = free[: max(0, self._size - len(waiting))]
            later = [*waiting.intersection(rest), *free[len(some) :]]
            admitted = admission.admit(tx, some, self.run, again=outcomes.not_begun)
            following = _Hand(
                admitted=admitted,
                open=[*waiting, *some],
                rest=[*admitted.left, *later],
                since=time.monotonic(),
            )
        if gone:  # what came of their deliveries may let another go on sooner
            catch_up(tx, sorted(gone))
        return outcomes, following

    def _still_to_settle(self, tx: Tx, turn: _Turn) -> _Turn:
        """The turn without what was saved already; what was taken beside it is given back."""
        hand = turn.hand
        ids, admitted = [*hand.open, *hand.rest], hand.admitted
        kept = still_in_hand(tx, ids, self.run.id, admitted.taken)
        return replace(turn, hand=replace(hand, admitted=replace(admitted, taken=kept)))

    def _settle(self, tx: Tx, turn: _Turn) -> Outcomes:
        """Decide on each delivery, after what its call and all others say of their systems."""
        admission, taken, answers = self.process.admission, turn.hand.admitted.taken, turn.answers
        admission.took |= turn.timing.taken
        circuits, findings = admission.circuits(tx), None
        if circuits or turn.timing.failed:  # else all is well, and was before
            findings = note_health(
                tx, self.run, taken, answers, turn.timing, admission, circuits=circuits
            )
        return settle_calls(self.run, taken, answers, admission.actions, findings)

    def _must_end(self, tx: Tx, not_begun: Sequence[Taken], rest: Sequence[str]) -> bool:
        """Whether this run is over: nothing is left, its time is up, or others are due."""
        now = time.monotonic()
        if not (rest or not_begun) or now > self._deadline or stop_sign[0]:
            return True
        return now - self._began > self._turn_seconds and others_wait(tx, self.workflow_id)

    def _end(self, tx: Tx, taken: Sequence[Taken], rest: Sequence[str]) -> None:
        """Give back what was taken and not called, and what was not taken; the group is over."""
        left = [*{one.event_id for one in taken}, *rest]
        if left:
            give_up(tx, self.run, taken)
            hand_back(tx, left, self.saving.epoch)
        finish_group(tx, self.saving.epoch)
        ring_after_commit(tx)

    def _job(self, one: Taken, admitted: Admitted) -> Job | None:
        action = self.process.admission.actions.get((one.connector, one.action))
        if action is None:
            return None
        return Job(
            id=one.key,
            connector=self.process.connectors[one.connector],
            call=Outgoing(
                key=one.key,
                action=one.action,
                fields=one.fields,
                seen=one.seen,
                trace=one.trace.headers_of(one.key) if one.trace else {},
            ),
            confirm=one.confirm,
            look_first=one.unknown,
            known=one.record_id,
            undo=one.undo,
            not_before=admitted.moments.get(one.key, 0.0),
            alone=one.failing_since is not None,
            action=action,
        )


def _none_began(answers: Mapping[str, Outcome | NotStarted]) -> bool:
    """Whether the time that is left is too short for any of the calls: no turn would mend that."""
    return bool(answers) and all(isinstance(one, NotStarted) for one in answers.values())

"""The last link: take deliveries, call, prove, save; by turns, within a time budget."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from functools import partial

from connectors.handoff.concurrent import Job, hand_over_many
from orchestrator.domain.delivery.handoff import NotStarted, Outcome, Outgoing, Timing
from orchestrator.operations.admit_deliveries import Admitted, Run
from orchestrator.operations.note_health import note_health
from orchestrator.operations.settle_run import give_up, save_outcomes, settle_calls
from orchestrator.store.database.engine import Tx
from orchestrator.store.database.locks import hold_events, hold_group
from orchestrator.store.drive.claim import finish_group, others_wait, renew_group
from orchestrator.store.drive.deliveries import Taken
from orchestrator.store.drive.overlooked import catch_up
from orchestrator.store.drive.stages import Saving, hand_back
from orchestrator.telemetry import CallEnded, StageSaved, read_kinds
from workers.app import Process
from workers.stopping import stop_asked
from workers.telemetry import emit_calls, emit_turn


def dispatch_group(process: Process, ids: Sequence[str], saving: Saving) -> None:
    """Make what is due of these events' deliveries, one turn of calls after the other."""
    run = _Dispatch(process, ids, saving)
    process.store.patiently(run.begin, seconds=run.budget)
    while not run.over:
        answers = run.call()
        # The calls are made: to lose their answers would turn each into an unknown outcome.
        process.store.patiently(partial(run.save, answers), seconds=run.patience)
        process.pulse.beat("it saved what calls brought")


class _Dispatch:
    """One delivery of one dispatch message: its run id, its deadline, its steps."""

    workflow_id: int
    run: Run

    def __init__(self, process: Process, ids: Sequence[str], saving: Saving) -> None:
        config = process.config
        self.process = process
        self.saving = saving
        self._id = uuid.uuid4().hex
        self.budget = config.dispatch_budget_seconds
        self.patience = (config.task_time_limit_seconds - self.budget) / 2
        self.over = False
        self._hand = Admitted(taken=[], moments={})
        self._timing = Timing()
        self._size = config.slice_size
        self._turn = config.dispatch_turn_seconds
        self._began = self._turn_began = time.monotonic()
        self._deadline = self._began + self.budget
        self._open: list[str] = []  # events whose deliveries are in hand
        self._rest = list(ids)

    def begin(self) -> None:
        """Take the first slice."""
        with self.process.store.write() as tx:
            some = self._rest[: self._size]
            self.workflow_id = hold_group(tx, some)
            self.run = Run(
                id=self._id,
                workflow=self.process.shelf.take(tx, self.workflow_id),
                saving=self.saving,
                call_seconds=self.budget,
                turn_seconds=self._turn,
            )
            in_hand = self.process.admission.admit(tx, some, self.run)
        self._hold(in_hand, some, self._rest[len(some) :])

    def call(self) -> Mapping[str, Outcome | NotStarted]:
        """Hand over what is in hand, many at once, as far as this turn goes."""
        jobs = [job for one in self._hand.taken if (job := self._job(one))]
        self._timing = Timing(calls=[] if CallEnded in read_kinds else None)
        if not jobs:
            return {}
        # No call may take more than half the budget, so that there is time for one to begin.
        answers = self.process.loop.run(
            hand_over_many(
                jobs,
                timing=self._timing,
                finish_by=self._deadline,
                start_by=time.monotonic() + (0 if stop_asked() else self._turn),
                longest=self.budget / 2,
            )
        )
        if self._timing.calls:
            emit_calls(self._timing.calls)
        return answers

    def save(self, answers: Mapping[str, Outcome | NotStarted]) -> None:
        """Write what came of the calls, and go on with what is left, or hand it back."""
        store, admission = self.process.store, self.process.admission
        taken, rest = self._hand.taken, list(self._rest)
        with store.write() as tx:
            # First of all, and all that it may touch: whoever changes a delivery holds its event.
            hold_events(tx, [*self._open, *rest])
            findings = note_health(tx, self.run, taken, answers, self._timing, admission)
            outcomes = settle_calls(self.run, taken, answers, admission.actions, findings)
            waiting = {one.event_id for one in outcomes.not_begun}
            settled = [one for one in self._open if one not in waiting]
            gone = save_outcomes(tx, self.run, settled, outcomes, admission.actions)
            over = _none_began(answers) or self._must_end(tx, outcomes.not_begun)
            if over:
                self._end(tx, outcomes.not_begun)
                gone |= waiting
            else:
                renew_group(tx, self.saving.epoch, self.saving.lease_seconds)
                some = rest[: self._size - len(waiting)]
                going = admission.admit(tx, some, self.run, again=outcomes.not_begun)
            if gone:  # what came of their deliveries may let another go on sooner
                catch_up(tx, sorted(gone))
        self.over = over
        if StageSaved in read_kinds:
            emit_turn(self.run.workflow.workflow, outcomes, since=self._turn_began)
        if over:
            store.bell.ring()
        else:
            self._hold(going, [*waiting, *some], rest[len(some) :])

    def _must_end(self, tx: Tx, not_begun: Sequence[Taken]) -> bool:
        """Whether this run is over: nothing is left, its time is up, or others are due."""
        now = time.monotonic()
        if stop_asked() or now > self._deadline or not (self._rest or not_begun):
            return True
        return now - self._began > self._turn and others_wait(tx, self.workflow_id)

    def _end(self, tx: Tx, taken: Sequence[Taken]) -> None:
        """Give back what was taken and not called, and what was not taken; the group is over."""
        left = [*{one.event_id for one in taken}, *self._rest]
        if left:
            give_up(tx, self.run, taken)
            hand_back(tx, left, self.saving.epoch)
        finish_group(tx, self.saving.epoch)
        self.process.store.bell.ring_with(tx)

    def _hold(self, in_hand: Admitted, ids: Sequence[str], rest: Sequence[str]) -> None:
        self._hand = in_hand
        self._turn_began = time.monotonic()
        self._open = list(ids)
        self._rest = list(rest)

    def _job(self, one: Taken) -> Job | None:
        action = self.process.admission.actions.get((one.connector, one.action))
        if action is None:
            return None
        return Job(
            id=one.key,
            connector=self.process.connectors[one.connector],
            call=Outgoing(key=one.key, action=one.action, fields=one.fields),
            confirm=one.confirm,
            look_first=one.unknown,
            known=one.record_id,
            undo=one.undo,
            not_before=self._hand.moments.get(one.key, 0.0),
            alone=one.failing_since is not None,
            action=action,
        )


def _none_began(answers: Mapping[str, Outcome | NotStarted]) -> bool:
    """Whether the time that is left is too short for any of the calls: no turn would mend that."""
    return bool(answers) and all(isinstance(one, NotStarted) for one in answers.values())

"""The last link: take deliveries, call, prove, save; by turns, within a time budget."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from connectors.handoff.concurrent import Job, NotStarted, Timing, hand_over_many
from orchestrator.domain.delivery.handoff import Action, Outcome, Outgoing
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.store.database.engine import Tx
from orchestrator.store.database.locks import hold_events, hold_group
from orchestrator.store.drive.claim import finish_group, others_wait, renew_group
from orchestrator.store.drive.deliveries import Taken, take_deliveries
from orchestrator.store.drive.overlooked import catch_up
from orchestrator.store.drive.stages import Saving, hand_back
from orchestrator.telemetry import CallEnded, StageSaved, read_kinds
from workers.app import Process
from workers.health import note_health
from workers.outcomes import Outcomes
from workers.settle_calls import settle_calls
from workers.stopping import stop_asked
from workers.telemetry import emit_calls, emit_turn


def dispatch_group(process: Process, ids: Sequence[str], saving: Saving) -> None:
    """Make what is due of these events' deliveries, one turn of calls after the other."""
    run = _Run(process, ids, saving)
    process.store.patiently(run.begin, seconds=run.budget)
    while not run.over:
        answers = run.call()
        # The calls are made: to lose their answers would turn each into an unknown outcome.
        process.store.patiently(partial(run.save, answers), seconds=run.patience)
        process.pulse.beat("it saved what calls brought")


@dataclass(frozen=True, kw_only=True)
class _Hand:
    """Deliveries that this run took."""

    taken: Sequence[Taken]
    moments: Mapping[str, float]  # by key: not to be called before, in `time.monotonic`


class _Run:
    """One delivery of one dispatch message: its run id, its deadline, its steps."""

    workflow_id: int
    workflow: CompiledWorkflow

    def __init__(self, process: Process, ids: Sequence[str], saving: Saving) -> None:
        config = process.config
        self.process = process
        self.saving = saving
        self.id = uuid.uuid4().hex
        self.budget = config.dispatch_budget_seconds
        self.patience = (config.task_time_limit_seconds - self.budget) / 2
        self.over = False
        self._hand = _Hand(taken=[], moments={})
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
            self.workflow = self.process.shelf.take(tx, self.workflow_id)
            in_hand = self._paced(tx, self._take(tx, some))
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
        store, rest = self.process.store, list(self._rest)
        with store.write() as tx:
            # First of all, and all that it may touch: whoever changes a delivery holds its event.
            hold_events(tx, [*self._open, *rest])
            outcomes = self._settle_calls(tx, answers)
            waiting = {one.event_id for one in outcomes.not_begun}
            gone = outcomes.save(
                tx,
                [one for one in self._open if one not in waiting],
                workflow=self.workflow,
                run_id=self.id,
                saving=self.saving,
                undoable=self._undoable,
            )
            over = _none_began(answers) or self._must_end(tx, outcomes.not_begun)
            if over:
                outcomes.give_up(tx, run_id=self.id)
                hand_back(tx, [*waiting, *rest], self.saving.epoch)
                finish_group(tx, self.saving.epoch)
                store.bell.ring_with(tx)
                gone |= waiting
            else:
                renew_group(tx, self.saving.epoch, self.saving.lease_seconds)
                some = rest[: self._size - len(waiting)]
                going = self._paced(tx, [*outcomes.not_begun, *self._take(tx, some)])
            if gone:  # what came of their deliveries may let another go on sooner
                catch_up(tx, sorted(gone))
        self.over = over
        if StageSaved in read_kinds:
            emit_turn(self.workflow.workflow, outcomes, since=self._turn_began)
        if over:
            store.bell.ring()
        else:
            self._hold(going, [*waiting, *some], rest[len(some) :])

    def action_of(self, one: Taken) -> Action | None:
        """The action that a delivery needs; None where this worker does not know it."""
        connector = self.process.connectors.get(one.connector)
        return connector.actions.get(one.action) if connector else None

    def _must_end(self, tx: Tx, not_begun: Sequence[Taken]) -> bool:
        """Whether this run is over: nothing is left, its time is up, or others are due."""
        now = time.monotonic()
        if stop_asked() or now > self._deadline or not (self._rest or not_begun):
            return True
        return now - self._began > self._turn and others_wait(tx, self.workflow_id)

    def _settle_calls(self, tx: Tx, answers: Mapping[str, Outcome | NotStarted]) -> Outcomes:
        """Decide on each delivery, knowing which systems are to be left alone from now on."""
        process = self.process
        policy = self.workflow.workflow.retry_policy
        findings = note_health(
            tx,
            self._hand.taken,
            answers,
            self._timing,
            retries=policy,
            admission=process.admission,
            actor=self.saving.actor,
        )
        return settle_calls(
            self._hand.taken, answers, find=self.action_of, policy=policy, findings=findings
        )

    def _take(self, tx: Tx, ids: Sequence[str]) -> list[Taken]:
        """Move due deliveries to `sending`, in the name of this run; what is closed is held."""
        epoch = self.saving.epoch
        self.process.admission.hold(tx, ids, self.workflow, epoch=epoch, actor=self.saving.actor)
        # Only when the calls' time and the slowest settle time are over may another run believe a
        # look-up that finds nothing.
        run_seconds = self.budget + max(self._settle_times(), default=0.0)
        return take_deliveries(tx, ids, epoch=epoch, run_id=self.id, run_seconds=run_seconds)

    def _paced(self, tx: Tx, taken: Sequence[Taken]) -> _Hand:
        """Those that their systems' rate budgets allow in this turn."""
        going, moments = self.process.admission.pace(tx, taken, run_id=self.id, seconds=self._turn)
        return _Hand(taken=going, moments=moments)

    def _hold(self, in_hand: _Hand, ids: Sequence[str], rest: Sequence[str]) -> None:
        self._hand = in_hand
        self._turn_began = time.monotonic()
        self._open = list(ids)
        self._rest = list(rest)

    def _job(self, one: Taken) -> Job | None:
        connector = self.process.connectors.get(one.connector)
        if connector is None or one.action not in connector.actions:
            return None
        return Job(
            id=one.key,
            connector=connector,
            call=Outgoing(key=one.key, action=one.action, fields=one.fields),
            confirm=one.confirm,
            look_first=one.unknown,
            known=one.record_id,
            undo=one.undo,
            not_before=self._hand.moments.get(one.key, 0.0),
            alone=one.failing_since is not None,
        )

    @property
    def _undoable(self) -> frozenset[str]:
        """The destinations that this workflow takes back where another fails for good."""
        workflow = self.workflow.workflow
        if workflow.on_failure != "undo":
            return frozenset()
        return frozenset(
            name
            for name, one in workflow.destinations.items()
            if (connector := self.process.connectors.get(one.connector))
            and one.action in connector.actions
            and connector.actions[one.action].can_undo
        )

    def _settle_times(self) -> list[float]:
        return [
            connector.actions[one.action].settle_seconds
            for one in self.workflow.workflow.destinations.values()
            if (connector := self.process.connectors.get(one.connector))
            and one.action in connector.actions
        ]


def _none_began(answers: Mapping[str, Outcome | NotStarted]) -> bool:
    """Whether the time that is left is too short for any of the calls: no turn would mend that."""
    return bool(answers) and all(isinstance(one, NotStarted) for one in answers.values())

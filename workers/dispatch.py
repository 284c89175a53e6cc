"""The last link: take deliveries, call, prove, save; by turns, within a time budget."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from functools import partial

from connectors.handoff import Job, NotStarted, hand_over_many
from orchestrator.domain.compiled import CompiledWorkflow
from orchestrator.domain.handoff import Action, Outcome, Outgoing
from orchestrator.store.claim import finish_group, others_wait, renew_group
from orchestrator.store.deliveries import Taken, take_deliveries
from orchestrator.store.engine import Tx
from orchestrator.store.stages import Saving, hand_back, workflow_id_of
from workers.app import Process
from workers.outcomes import Outcomes, judge
from workers.stopping import stop_asked


def dispatch_group(process: Process, ids: Sequence[str], saving: Saving) -> None:
    """Make what is due of these events' deliveries, one turn of calls after the other."""
    run = _Run(process, ids, saving)
    process.store.patiently(run.begin, seconds=run.budget)
    while not run.over:
        outcomes = judge(
            run.taken, run.call(), find=run.action_of, policy=run.workflow.workflow.retry_policy
        )
        # The calls are made: to lose their answers would turn each into an unknown outcome.
        process.store.patiently(partial(run.save, outcomes), seconds=run.patience)


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
        self.taken: list[Taken] = []
        self._size = config.slice_size
        self._turn = config.dispatch_turn_seconds
        self._began = time.monotonic()
        self._deadline = self._began + self.budget
        self._open: list[str] = []  # events whose deliveries are in hand
        self._rest = list(ids)

    def begin(self) -> None:
        """Take the first slice."""
        with self.process.store.write() as tx:
            self.workflow_id = workflow_id_of(tx, self._rest[0])
            self.workflow = self.process.shelf.take(tx, self.workflow_id)
            taken = self._take(tx, self._rest[: self._size])
        self._hold(taken, self._rest[: self._size])

    def call(self) -> Mapping[str, Outcome | NotStarted]:
        """Hand over what is in hand, many at once, as far as this turn goes."""
        jobs = [job for one in self.taken if (job := self._job(one))]
        if not jobs:
            return {}
        # No call may take more than half the budget, so that there is time for one to begin.
        return self.process.loop.run(
            hand_over_many(
                jobs,
                finish_by=self._deadline,
                start_by=time.monotonic() + (0 if stop_asked() else self._turn),
                longest=self.budget / 2,
            )
        )

    def save(self, outcomes: Outcomes) -> None:
        """Write what came of the calls, and go on with what is left, or hand it back."""
        store = self.process.store
        in_hand = {one.event_id for one in outcomes.not_begun}
        settled = [one for one in self._open if one not in in_hand]
        with store.write() as tx:
            outcomes.save(tx, settled, workflow=self.workflow, run_id=self.id, saving=self.saving)
            over = self._must_end(tx, outcomes.not_begun)
            if over:
                outcomes.give_up(tx, run_id=self.id)
                hand_back(tx, [*in_hand, *self._rest], self.saving.epoch)
                finish_group(tx, self.saving.epoch)
                store.bell.ring_with(tx)
            else:
                renew_group(tx, self.saving.epoch, self.saving.lease_seconds)
                room = self._size - len(in_hand)
                more = self._take(tx, self._rest[:room])
        self.over = over
        if over:
            store.bell.ring()
        else:
            self._open = list(in_hand)
            self._hold([*outcomes.not_begun, *more], self._rest[:room])

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

    def _take(self, tx: Tx, ids: Sequence[str]) -> list[Taken]:
        """Move due deliveries to `sending`, in the name of this run."""
        # Only when the calls' time and the slowest settle time are over may another run believe a
        # look-up that finds nothing.
        run_seconds = self.budget + max(self._settle_times(), default=0.0)
        return take_deliveries(
            tx, ids, epoch=self.saving.epoch, run_id=self.id, run_seconds=run_seconds
        )

    def _hold(self, taken: list[Taken], ids: Sequence[str]) -> None:
        self.taken = taken
        self._open += ids
        del self._rest[: len(ids)]

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
        )

    def _settle_times(self) -> list[float]:
        return [
            connector.actions[one.action].settle_seconds
            for one in self.workflow.workflow.destinations.values()
            if (connector := self.process.connectors.get(one.connector))
            and one.action in connector.actions
        ]

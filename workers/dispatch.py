"""The last link: take deliveries, call, prove, save; in slices, within a time budget."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.handoff import Job, NotStarted, hand_over_many
from orchestrator.domain.compiled import CompiledWorkflow
from orchestrator.domain.handoff import Action, Outcome, Outgoing
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
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
from orchestrator.store.claim import finish_group
from orchestrator.store.deliveries import (
    Taken,
    save_done,
    save_undone,
    standing_deliveries,
    take_deliveries,
)
from orchestrator.store.engine import Tx
from orchestrator.store.prepared import storable
from orchestrator.store.quarantine import quarantine_events
from orchestrator.store.stages import Saving, hand_back, save_delivered, save_retry, workflow_of
from workers.app import Process


def dispatch_group(process: Process, ids: Sequence[str], saving: Saving) -> None:
    """Make what is due of these events' deliveries, one slice of events after the other."""
    run = _Run(process, saving)
    size = process.config.slice_size
    slices = [ids[at : at + size] for at in range(0, len(ids), size)]
    with process.store.write() as tx:
        run.drive(workflow_of(tx, ids[0], process.shelf))
        taken = run.take(tx, slices[0])
    for at, part in enumerate(slices):
        outcomes = run.call(taken)
        rest = slices[at + 1 :]
        goes_on = bool(rest) and time.monotonic() < run.deadline
        with process.store.write(ring=not goes_on) as tx:
            run.save(tx, part, taken, outcomes)
            if goes_on:
                taken = run.take(tx, rest[0])
                continue
            hand_back(tx, [one for part in rest for one in part], saving.epoch)
            finish_group(tx, saving.epoch)
        return


class _Run:
    """One delivery of one dispatch message: its run id, its deadline, its steps."""

    workflow: CompiledWorkflow

    def __init__(self, process: Process, saving: Saving) -> None:
        self.process = process
        self.saving = saving
        self.id = uuid.uuid4().hex
        self.budget = process.config.dispatch_budget_seconds
        self.deadline = time.monotonic() + self.budget

    def drive(self, workflow: CompiledWorkflow) -> None:
        """Say which workflow version the events run under."""
        self.workflow = workflow
        self.policy = workflow.workflow.retry_policy

    def take(self, tx: Tx, ids: Sequence[str]) -> list[Taken]:
        """Move due deliveries to `sending`, in the name of this run."""
        # Only when the calls' time and the slowest settle time are over may another run believe a
        # look-up that finds nothing.
        settles = [action.settle_seconds for action in self._actions()]
        run_seconds = self.budget + max(settles, default=0.0)
        return take_deliveries(
            tx, ids, epoch=self.saving.epoch, run_id=self.id, run_seconds=run_seconds
        )

    def call(self, taken: Sequence[Taken]) -> Mapping[str, Outcome | NotStarted]:
        """Hand all of them over, many at once."""
        jobs = [self._job(one) for one in taken if self._action(one)]
        if not jobs:
            return {}
        # No call may take more than half the budget, so that there is time for one to begin.
        return self.process.loop.run(
            hand_over_many(jobs, finish_by=self.deadline, longest=self.budget / 2)
        )

    def save(
        self,
        tx: Tx,
        ids: Sequence[str],
        taken: Sequence[Taken],
        outcomes: Mapping[str, Outcome | NotStarted],
    ) -> None:
        """Write what came of the calls, and move the events accordingly."""
        settled = {one.key: self._settle(one, outcomes.get(one.key, NotStarted())) for one in taken}
        self._save_deliveries(tx, taken, settled)
        failed = {
            one.event_id: (one.destination, again.error)
            for one in taken
            if isinstance(again := settled[one.key], TryAgain)
        }
        standing = standing_deliveries(tx, ids, self.saving.epoch)
        delivered, idle = [], []
        stuck: dict[Stuck, list[str]] = {}
        retried: dict[tuple[str, str], list[str]] = {}
        for event_id, rows in standing.items():
            verdict = settle_event([_standing(row) for row in rows if row.destination])
            if isinstance(verdict, Delivered):
                delivered.append(event_id)
            elif isinstance(verdict, Stuck):
                stuck.setdefault(verdict, []).append(event_id)
            elif event_id in failed:
                retried.setdefault(failed[event_id], []).append(event_id)
            else:
                idle.append(event_id)
        save_delivered(tx, delivered, self.saving)
        self._quarantine(tx, stuck)
        for (destination, error), events in retried.items():
            detail = {"destination": destination, "detail": error}
            save_retry(tx, events, self.saving, detail=detail)
        hand_back(tx, idle, self.saving.epoch)

    def _settle(self, one: Taken, outcome: Outcome | NotStarted) -> Settlement | NotStarted:
        action = self._action(one)
        if action is None:
            known = f"connector {one.connector!r} with action {one.action!r}"
            return GiveUp(reason=Reason.CONNECTOR_MISSING, error=f"this worker has no {known}")
        if isinstance(outcome, NotStarted):
            return outcome
        return settle(
            outcome, attempt=one.attempt, action=action, policy=self.policy, jitter=random.random()
        )

    def _save_deliveries(
        self,
        tx: Tx,
        taken: Sequence[Taken],
        settled: Mapping[str, Settlement | NotStarted],
    ) -> None:
        done: list[tuple[str, str, str, str]] = []
        undone: list[dict[str, Any]] = []
        told: list[DeliveryNote] = []
        for delivery in taken:
            where = delivery.event_id, delivery.destination
            row = {"event_id": where[0], "destination": where[1]}
            match one := settled[delivery.key]:
                case Done():
                    done.append((*where, one.state.value, storable(one.record_id)))
                    told.append(_told_done(*where, one))
                case GiveUp():
                    undone.append(row | _undone(one))
                    told.append(_told_failure(*where, one))
                case TryAgain():
                    undone.append(row | _undone(one))
                case NotStarted():
                    undone.append(row | _not_begun(delivery))
        save_done(tx, self.id, done)
        save_undone(tx, self.id, undone)
        record_deliveries(tx, told, actor=self.saving.actor)

    def _quarantine(self, tx: Tx, stuck: Mapping[Stuck, Sequence[str]]) -> None:
        for verdict, ids in stuck.items():
            quarantine_events(
                tx,
                ids,
                source=State.ROUTED,
                workflow=self.workflow.workflow,
                reason=verdict.reason,
                detail=verdict.detail,
                actor=self.saving.actor,
                epoch=self.saving.epoch,
            )

    def _job(self, one: Taken) -> Job:
        return Job(
            id=one.key,
            connector=self.process.connectors[one.connector],
            call=Outgoing(key=one.key, action=one.action, fields=one.fields),
            confirm=one.confirm,
            look_first=one.unknown,
        )

    def _action(self, one: Taken) -> Action | None:
        connector = self.process.connectors.get(one.connector)
        return connector.actions.get(one.action) if connector else None

    def _actions(self) -> list[Action]:
        found = []
        for destination in self.workflow.workflow.destinations.values():
            connector = self.process.connectors.get(destination.connector)
            if connector and destination.action in connector.actions:
                found.append(connector.actions[destination.action])
        return found


def _standing(row: Any) -> Standing:
    return Standing(
        destination=row.destination,
        state=DeliveryState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        error=row.error,
    )


def _told_done(event_id: str, destination: str, one: Done) -> DeliveryNote:
    detail: dict[str, object] = {"record_id": one.record_id}
    if one.found:
        detail["found"] = "an earlier call had made it"
    return DeliveryNote(
        event_id=event_id,
        destination=destination,
        action="confirm" if one.state is DeliveryState.CONFIRMED else "receipt",
        target=one.state,
        detail=detail,
    )


def _told_failure(event_id: str, destination: str, one: GiveUp) -> DeliveryNote:
    return DeliveryNote(
        event_id=event_id,
        destination=destination,
        action="fail",
        target=DeliveryState.FAILED,
        reason=one.reason,
        detail={"detail": one.error, "record_id": one.record_id},
    )


def _undone(one: TryAgain | GiveUp) -> dict[str, Any]:
    row: dict[str, Any] = {"unknown": one.unknown, "error": storable(one.error), "began": True}
    match one:
        case TryAgain():
            after_ms = int(one.after_seconds * 1000)
            fate = {"state": DeliveryState.PENDING, "after_ms": after_ms}
            return row | fate | {"reason": None, "record_id": None}
        case GiveUp():
            after_ms = int(one.settle_seconds * 1000)
            fate = {"state": DeliveryState.FAILED, "after_ms": after_ms}
            return row | fate | {"reason": one.reason, "record_id": one.record_id}


def _not_begun(one: Taken) -> dict[str, Any]:
    return {
        "state": DeliveryState.PENDING,
        "after_ms": 0,
        "unknown": one.unknown,
        "reason": None,
        "error": None,
        "record_id": None,
        "began": False,
    }

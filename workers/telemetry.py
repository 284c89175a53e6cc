"""What a worker says of stages and calls to whoever reads telemetry."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from orchestrator.domain.delivery.handoff import (
    Call,
    Confirmed,
    Failed,
    Mismatched,
    NotStarted,
    Outcome,
    Receipted,
    TakenBack,
)
from orchestrator.domain.lifecycle import Stage
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.dispatch.settle_run import Outcomes
from orchestrator.store.drive.stages import Loaded
from orchestrator.telemetry import CallEnded, StageSaved, emit

_NAMES: dict[type, str] = {
    Confirmed: "confirmed",
    Receipted: "receipted",
    Mismatched: "mismatched",
    TakenBack: "taken_back",
    NotStarted: "not_started",
}


def emit_stage(
    stage: Stage, loaded: Loaded | None, outcomes: Mapping[str, int], *, since: float
) -> None:
    """Say what a stage made of its group, once it is committed; `since` is when it began."""
    found = {outcome: count for outcome, count in outcomes.items() if count}
    if loaded and found:
        _emit_saved(stage, loaded.workflow.workflow, found, since)


def emit_calls(calls: Sequence[Call]) -> None:
    """Say of each call how it ended; they are made, whatever becomes of the commit after them."""
    for call in calls:
        outcomes = Counter(map(_name, call.outcomes))
        emit(
            CallEnded(
                connector=call.connector,
                action=call.action,
                outcomes=outcomes,
                seconds=call.seconds,
            )
        )


def _name(outcome: Outcome | NotStarted) -> str:
    if isinstance(outcome, Failed):
        return f"failed_{outcome.blame}"
    return _NAMES[type(outcome)]


def emit_turn(workflow: Workflow, outcomes: Outcomes, *, since: float) -> None:
    """Say how the deliveries of a turn are now, once that is committed.

    `since` is when they were taken, in `time.monotonic`.
    """
    if outcomes.saved:
        _emit_saved(Stage.DISPATCH, workflow, outcomes.counts(), since)


def _emit_saved(
    stage: Stage, workflow: Workflow, outcomes: Mapping[str, int], since: float
) -> None:
    """Emit the seconds since `since`, a moment of `time.monotonic`."""
    emit(
        StageSaved(
            stage=stage,
            client=workflow.client,
            workflow=workflow.name,
            outcomes=outcomes,
            seconds=time.monotonic() - since,
        )
    )

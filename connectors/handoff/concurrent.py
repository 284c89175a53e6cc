"""Many deliveries at once: each action of a connector in a lane of its own."""

from __future__ import annotations

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.handoff.batched import hand_over_together
from connectors.handoff.single import hand_over
from orchestrator.domain.delivery.handoff import (
    Action,
    Batching,
    Blame,
    Call,
    Connector,
    Failed,
    FailedCall,
    NotStarted,
    Outcome,
    Outgoing,
    Timing,
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One delivery to be handed over."""

    id: str
    connector: Connector
    call: Outgoing
    confirm: tuple[str, ...]
    look_first: bool = False  # an earlier call's outcome is unknown
    known: str | None = None  # the record that an earlier call made
    undo: bool = False  # the record is to be taken back
    not_before: float = 0.0  # its turn in the system's rate budget, in `time.monotonic`
    alone: bool = False  # it failed before: it is not to spoil a request for others
    action: Action | None = None  # of the call, where whoever asks knows it already


async def hand_over_many(
    jobs: Sequence[Job],
    *,
    timing: Timing | None = None,
    finish_by: float,
    start_by: float = math.inf,
    longest: float = math.inf,
) -> dict[str, Outcome | NotStarted]:
    """Hand over many deliveries at once; the answers by the jobs' ids.

    Each action of a connector has its own lane of `max_in_flight` calls, so that a slow destination
    keeps nobody else waiting. No call starts after `start_by`, nor one that could last beyond
    `finish_by` (both in seconds of `time.monotonic`). None may last longer than `longest` seconds,
    whatever its action allows: else one slower than the whole budget would never be called. When a
    system wants a pause, or refuses the login, no further call to it starts. `timing` is filled.
    """
    timing = Timing() if timing is None else timing
    # A worker's loop does not run between two groups. One turn lets it see which connections the
    # other side has closed meanwhile, before one of them is used (over TLS this was needed).
    await asyncio.sleep(0)
    answers: dict[str, Outcome | NotStarted] = {job.id: NotStarted() for job in jobs}
    lanes: defaultdict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in jobs:
        lanes[job.connector.name, job.call.action].append(job)
    async with asyncio.TaskGroup() as group:
        for lane in lanes.values():
            first = lane[0]
            action = first.action or first.connector.actions.get(first.call.action)
            lots = _lots(lane, action.batch_size if action else 1)
            waiting = iter(lots)
            for _ in range(min(len(lots), action.max_in_flight if action else 1)):
                seconds = min(longest, action.timeout_seconds) if action else 0.0
                last_start = min(start_by, finish_by - seconds)
                group.create_task(_work_off(waiting, answers, last_start, longest, action, timing))
    return answers


def _lots(lane: Sequence[Job], most: int) -> list[list[Job]]:
    """What goes out by one request: one delivery, or several that were never tried before."""
    if most == 1:
        return [[job] for job in lane]
    tried = [job for job in lane if _was_tried(job)]
    fresh = [job for job in lane if not _was_tried(job)]
    together = [fresh[start : start + most] for start in range(0, len(fresh), most)]
    return [*together, *([job] for job in tried)]


def _was_tried(job: Job) -> bool:
    return job.look_first or job.known is not None or job.undo or job.alone


async def _work_off(
    waiting: Iterator[list[Job]],
    answers: dict[str, Outcome | NotStarted],
    last_start: float,
    longest: float,
    action: Action | None,
    timing: Timing,
) -> None:
    for lot in waiting:
        if lot[0].connector.name in timing.halted:
            return
        begins = max(job.not_before for job in lot)
        if max(begins, time.monotonic()) > last_start:
            return
        if begins:
            await asyncio.sleep(max(0.0, begins - time.monotonic()))
        connector, began = lot[0].connector, time.monotonic()
        if len(lot) > 1 and action and isinstance(connector, Batching):
            calls = [(job.call, job.confirm) for job in lot]
            found = await hand_over_together(connector, action, calls, longest=longest)
            answers.update(zip((job.id for job in lot), found, strict=True))
        else:
            await _hand_over_each(lot, action, answers, longest)
        _note(lot, answers, began, timing)


def _note(
    lot: Sequence[Job], answers: dict[str, Outcome | NotStarted], began: float, timing: Timing
) -> None:
    """Write down when the calls of a lot were out, which was one request."""
    ended, failed = time.monotonic(), None
    for job in lot:
        answer = answers[job.id]
        if not isinstance(answer, Failed) or answer.blame is Blame.CALL:
            timing.taken[job.connector.name, job.call.action] = ended
        elif answer.blame is not Blame.OURS:
            failed = failed or FailedCall(began=began, ended=ended)
            timing.failed[job.id] = failed
            if answer.blame is not Blame.SYSTEM:
                timing.halted.add(job.connector.name)
    if timing.calls is not None:
        found = [answers[job.id] for job in lot]
        first = lot[0]
        timing.calls.append(
            Call(
                connector=first.connector.name,
                action=first.call.action,
                outcomes=found,
                seconds=ended - began,
            )
        )


async def _hand_over_each(
    lot: Sequence[Job],
    action: Action | None,
    answers: dict[str, Outcome | NotStarted],
    longest: float,
) -> None:
    for job in lot:
        answers[job.id] = await hand_over(
            job.connector,
            job.call,
            confirm=job.confirm,
            look_first=job.look_first,
            known=job.known,
            undo=job.undo,
            longest=longest,
            action=action,
        )

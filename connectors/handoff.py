"""One delivery to its proof, and many at once: the order of look-up, create and read-back.

Whatever a connector does, the answer is an Outcome; what may have been stored is never taken for
not stored.
"""

from __future__ import annotations

import asyncio
import math
import time
import types
from collections import defaultdict
from collections.abc import Coroutine, Generator, Iterator, Sequence
from dataclasses import dataclass
from traceback import extract_tb

from orchestrator.domain.errors import (
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    RateLimited,
)
from orchestrator.domain.handoff import (
    Action,
    Confirmed,
    Connector,
    Failed,
    Idempotency,
    Mismatched,
    Outcome,
    Outgoing,
    Proof,
    Receipted,
    differences,
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One delivery to be handed over."""

    id: str
    connector: Connector
    call: Outgoing
    confirm: tuple[str, ...]
    look_first: bool = False  # an earlier call's outcome is unknown


@dataclass(frozen=True, kw_only=True)
class NotStarted:
    """The time ran out before the call began: nothing was sent."""


async def hand_over_many(
    jobs: Sequence[Job],
    *,
    finish_by: float,
    start_by: float = math.inf,
    longest: float = math.inf,
) -> dict[str, Outcome | NotStarted]:
    """Hand over many deliveries at once; the answers by the jobs' ids.

    Each action of a connector has its own lane of `max_in_flight` calls, so that a slow destination
    keeps nobody else waiting. No call starts after `start_by`, nor one that could last beyond
    `finish_by` (both in seconds of `time.monotonic`). None may last longer than `longest` seconds,
    whatever its action allows: else one slower than the whole budget would never be called.
    """
    # A worker's loop stands still between two groups. One turn lets it see which connections the
    # other side has closed meanwhile, before one of them is used (over TLS this was needed).
    await asyncio.sleep(0)
    answers: dict[str, Outcome | NotStarted] = {job.id: NotStarted() for job in jobs}
    lanes: defaultdict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in jobs:
        lanes[job.connector.name, job.call.action].append(job)
    async with asyncio.TaskGroup() as group:
        for lane in lanes.values():
            action = lane[0].connector.actions.get(lane[0].call.action)
            waiting = iter(lane)
            for _ in range(min(len(lane), action.max_in_flight if action else 1)):
                seconds = min(longest, action.timeout_seconds) if action else 0.0
                last_start = min(start_by, finish_by - seconds)
                group.create_task(_work_off(waiting, answers, last_start, longest))
    return answers


async def _work_off(
    waiting: Iterator[Job],
    answers: dict[str, Outcome | NotStarted],
    last_start: float,
    longest: float,
) -> None:
    for job in waiting:
        if time.monotonic() > last_start:
            return
        answers[job.id] = await hand_over(
            job.connector,
            job.call,
            confirm=job.confirm,
            look_first=job.look_first,
            longest=longest,
        )


async def hand_over(
    connector: Connector,
    call: Outgoing,
    *,
    confirm: tuple[str, ...],
    look_first: bool,
    longest: float = math.inf,
) -> Outcome:
    """Hand over one delivery within its action's time; never raises but for a cancellation.

    `look_first` says that an earlier call's outcome is unknown: it is looked up, or sent again with
    the tool's own key, or, where there is neither, left to a person.
    """
    action = connector.actions.get(call.action)
    if action is None:
        return Failed(error=f"{connector.name} has no action {call.action}", permanent=True)
    seconds = min(longest, action.timeout_seconds)
    last_moment = time.monotonic() + seconds
    handoff = _Handoff(connector, action, call, may_be_there=look_first, last_moment=last_moment)
    if look_first and action.idempotency is Idempotency.NONE:
        return handoff.failed("an earlier call got no answer, and there is no way to look it up")
    misfit = _misfit(action, call, confirm)
    if misfit:
        return handoff.failed(misfit, permanent=True)
    try:
        return await _within(seconds, handoff.run(confirm, look_first=look_first))
    except ConnectorError as error:
        wait = error.retry_after if isinstance(error, RateLimited) else None
        return handoff.failed(str(error), permanent=error.permanent, retry_after=wait)
    except TimeoutError:
        return handoff.failed(f"it took longer than {seconds:g} s")
    except Exception as error:  # noqa: BLE001 -- a fault in a connector must not become a lost delivery
        return handoff.failed(_where(error))


async def _within(seconds: float, work: Coroutine[object, object, Outcome]) -> Outcome:
    """Await `work` for at most so long. Raises TimeoutError.

    The clock is started only when the work first waits: a timer costs more than a whole handoff
    that does no I/O.
    """
    try:
        waiting_for = work.send(None)
    except StopIteration as done:
        outcome: Outcome = done.value
        return outcome
    async with asyncio.timeout(seconds):
        return await _resumed(work, waiting_for)


@types.coroutine
def _resumed(
    work: Coroutine[object, object, Outcome], waiting_for: object
) -> Generator[object, object, Outcome]:
    """Go on with a coroutine that was begun by hand, in the task that began it."""
    try:
        while True:
            try:
                value = yield waiting_for
            except BaseException as error:  # noqa: BLE001 -- a cancellation is the work's to see
                waiting_for = work.throw(error)
            else:
                waiting_for = work.send(value)
    except StopIteration as done:
        outcome: Outcome = done.value
        return outcome


class _Handoff:
    """One delivery under way; it knows at every moment whether the record may be there."""

    def __init__(
        self,
        connector: Connector,
        action: Action,
        call: Outgoing,
        *,
        may_be_there: bool,
        last_moment: float,
    ) -> None:
        self._connector = connector
        self._action = action
        self._call = call
        self._may_be_there = may_be_there
        self._last_moment = last_moment  # of `time.monotonic`

    async def run(self, confirm: tuple[str, ...], *, look_first: bool) -> Outcome:
        found = await self._look_up() if look_first else None
        record_id = found if found is not None else await self._create()
        if self._action.proof is Proof.RECEIPT:
            return Receipted(receipt_id=record_id)
        record = await self._connector.read(self._call, record_id)
        if record is None:
            return self.failed(f"record {record_id} was made but is not there to be read")
        differing = differences(self._call.fields, record.fields, confirm)
        if differing:
            return Mismatched(record_id=record_id, differences=differing)
        return Confirmed(record_id=record_id, found=found is not None)

    async def _look_up(self) -> str | None:
        if self._action.idempotency is not Idempotency.LOOKUP:
            return None
        found = await self._connector.lookup(self._call)
        self._may_be_there = found is not None
        return found

    async def _create(self) -> str:
        # A process that was frozen, or a machine that slept, wakes up here: by now another run may
        # have made the record.
        if time.monotonic() > self._last_moment:
            raise TimeoutError
        before = self._may_be_there
        self._may_be_there = True
        try:
            return await self._connector.create(self._call)
        except (DestinationRefused, DestinationUnavailable):
            self._may_be_there = before
            raise

    def failed(
        self, error: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> Failed:
        """What stands after an error; without look-up or native key an unknown outcome is final."""
        unknown = self._may_be_there
        if unknown:
            permanent = permanent or self._action.idempotency is Idempotency.NONE
            # Before its settle time a look-up cannot be believed.
            retry_after = max(retry_after or 0.0, self._action.settle_seconds) or None
        text = f"{self._connector.name}: {error}"
        return Failed(error=text, permanent=permanent, unknown=unknown, retry_after=retry_after)


def _misfit(action: Action, call: Outgoing, confirm: tuple[str, ...]) -> str | None:
    """Why a call should not even go out."""
    missing = action.required - call.fields.keys()
    if missing:
        return f"{call.action} needs {', '.join(sorted(missing))}"
    unknown = call.fields.keys() - action.required - action.optional
    if unknown and not action.open_fields:
        return f"{call.action} does not take {', '.join(sorted(unknown))}"
    if action.proof is Proof.READ_BACK and call.fields.keys().isdisjoint(confirm):
        return f"nothing of what is sent to {call.action} would be confirmed"
    return None


def _where(error: Exception) -> str:
    """An unexpected error by type and place; its text may hold a secret."""
    frames = extract_tb(error.__traceback__)
    place = f" at {frames[-1].name}, line {frames[-1].lineno}" if frames else ""
    return f"the connector failed with {type(error).__name__}{place}"

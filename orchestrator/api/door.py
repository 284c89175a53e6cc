"""Group commit: requests that come together are written in one transaction, then answered."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

from orchestrator.api.aside import Aside
from orchestrator.api.problems import DoorFull
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.operations.accept_triggers import RefusedAt, TriggerBatch, accept_batches
from orchestrator.store.database.engine import Store
from orchestrator.telemetry import TriggersCommitted, emit

log = logging.getLogger(__name__)

Answer = list[Accepted] | Exception


@dataclass(frozen=True, kw_only=True)
class DoorLimits:
    """How much waits, and how much goes into one commit."""

    most_waiting: int = 20_000  # events
    most_in_a_commit: int = 2_000  # events; one batch may be larger
    bytes_in_a_commit: int = 16 * 1024 * 1024
    commit_seconds: float = 2.0  # how long a commit is waited for


@dataclass(eq=False)
class _Waiting:
    batch: TriggerBatch
    answer: asyncio.Future[list[Accepted]]
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = sum(len(one.payload) for one in self.batch.triggers)


class Door:
    """One writer thread, and what waits for it. Belongs to one event loop, between start and stop.

    A request whose sender has gone away is written all the same: it may have been the answer that
    got lost, and the sender's next try finds the event by its key. So is one that was answered that
    the store does not respond while its commit was on its way.
    """

    def __init__(self, store: Store, limits: DoorLimits | None = None) -> None:
        self._store = store
        self._limits = limits or DoorLimits()
        seconds = self._limits.commit_seconds
        self._thread = Aside("door-writer", StoreUnavailable, seconds=seconds)
        self._waiting: deque[_Waiting] = deque()
        self.waiting = 0  # triggers
        self._wake = asyncio.Event()
        self._stopping = False

    @property
    def hangs(self) -> bool:
        """Whether a commit is overdue: nothing is accepted until it has come back."""
        return self._thread.hangs

    async def start(self) -> None:
        """Begin to write."""
        self._writer = asyncio.create_task(self._write(), name="door-writer")

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        self._wake.set()
        await self._writer
        self._thread.close()

    def accept(self, triggers: Sequence[Trigger], *, actor: str) -> asyncio.Future[list[Accepted]]:
        """The answer, there when the triggers are committed, in their order: all of them, or none.

        Of none the answer is there at once. Raises DoorFull; the answer raises RefusedAt,
        StoreUnavailable.
        """
        more = self.waiting + len(triggers)
        # One batch alone is always taken in: it could never come at a better time.
        if self._stopping or (self.waiting and more > self._limits.most_waiting):
            raise DoorFull("too much waits to be written", fix="send it again in a moment")
        batch = TriggerBatch(triggers=triggers, actor=actor)
        one = _Waiting(batch, asyncio.get_running_loop().create_future())
        if not triggers:
            one.answer.set_result([])
            return one.answer
        self._waiting.append(one)
        self.waiting += len(triggers)
        self._wake.set()
        return one.answer

    async def _write(self) -> None:
        while self._waiting or not self._stopping:
            if not self._waiting:
                self._wake.clear()
                await self._wake.wait()
                continue
            group = self._take()
            try:
                answers = await self._thread.run(self._commit, group)
            except StoreUnavailable as error:
                # Nor would the next in line be better served by another wait for it.
                group.extend(self._waiting)
                self._waiting.clear()
                answers = [StoreUnavailable(str(error), reason=error.reason) for _ in group]
            for one, answer in zip(group, answers, strict=True):
                self.waiting -= len(one.batch.triggers)
                _give(one.answer, answer)

    def _take(self) -> list[_Waiting]:
        """The oldest request, and those after it as far as one commit goes."""
        group = [self._waiting.popleft()]
        events, size = len(group[0].batch.triggers), group[0].size
        while self._waiting:
            events += len(self._waiting[0].batch.triggers)
            size += self._waiting[0].size
            if events > self._limits.most_in_a_commit or size > self._limits.bytes_in_a_commit:
                break
            group.append(self._waiting.popleft())
        return group

    def _commit(self, group: Sequence[_Waiting]) -> list[Answer]:
        """Runs in the writer thread. Raises StoreUnavailable; any other error is an answer."""
        began = perf_counter()
        try:
            found = accept_batches(self._store, [one.batch for one in group])
        except StoreUnavailable:
            raise
        except Exception as error:
            if len(group) == 1:
                return [error]
            # What nobody foresaw in one request must not cost the others theirs.
            log.exception("a commit of %d requests failed; writing them in halves", len(group))
            middle = len(group) // 2
            return self._commit(group[:middle]) + self._commit(group[middle:])
        _tell(found, perf_counter() - began)
        return list(found)


def _tell(answers: Sequence[list[Accepted] | RefusedAt], seconds: float) -> None:
    """Say what one commit wrote, where it wrote anything."""
    every = [one for answer in answers if not isinstance(answer, RefusedAt) for one in answer]
    if every:
        duplicates = sum(one.duplicate for one in every)
        emit(
            TriggersCommitted(
                accepted=len(every) - duplicates, duplicates=duplicates, seconds=seconds
            )
        )


def _give(future: asyncio.Future[list[Accepted]], answer: Answer) -> None:
    if future.done():  # the server has given the request up
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)

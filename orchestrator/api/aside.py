"""Asking what may not answer: calls in threads of their own, and answers kept for a while.

Nobody waits long for a call that hangs, and nobody asks again what was answered a moment ago.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from time import monotonic
from typing import Any, Generic, TypeVar

from orchestrator.domain.errors import BrokerUnavailable, MeshlineError, Refused, StoreUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")

_Call = tuple[asyncio.Future[Any], Callable[..., Any], tuple[object, ...]]

_LESS = 10  # who was let down a moment ago waits for so much less


class Aside:
    """Threads for the calls to one thing that may not answer. Belongs to one event loop.

    While a call is overdue nobody waits behind it: whoever asks is refused at once. When it has
    come back the next one tries, for a tenth of the time until one succeeds.
    """

    def __init__(
        self,
        name: str,
        late: type[StoreUnavailable | BrokerUnavailable],
        *,
        seconds: float,
        threads: int = 1,
    ) -> None:
        self._name = name
        self._late = late
        self._seconds = seconds
        self._most_threads = threads
        self._threads: list[threading.Thread] = []
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._unanswered = 0
        self._overdue = 0
        self._let_down = False

    @property
    def hangs(self) -> bool:
        """Whether a call is overdue."""
        return self._overdue > 0

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """What `function` answers, or raises; `late` when it takes too long."""
        if self._overdue:
            raise self._late(f"{self._name}: an earlier call still hangs")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        future.add_done_callback(self._learn)
        self._begin((future, function, arguments))
        patience = self._seconds / _LESS if self._let_down else self._seconds
        done, _ = await asyncio.wait([future], timeout=patience)
        if done:
            return future.result()
        self._overdue += 1
        future.add_done_callback(self._come_back)
        late = self._late(f"{self._name}: no answer within {patience:g} s")
        self._warn_once(late)
        raise late

    def close(self) -> None:
        """End the threads; one whose call hangs ends with the process."""
        for _ in self._threads:
            self._calls.put(None)
        self._threads.clear()

    def _begin(self, call: _Call) -> None:
        self._unanswered += 1
        self._calls.put(call)
        if len(self._threads) < min(self._unanswered, self._most_threads):
            # A daemon: a process that is to end does not wait for a call that hangs.
            thread = threading.Thread(target=_work, args=(self._calls,), name=self._name)
            thread.daemon = True
            thread.start()
            self._threads.append(thread)

    def _learn(self, future: asyncio.Future[Any]) -> None:
        self._unanswered -= 1
        error = None if future.cancelled() else future.exception()
        if isinstance(error, MeshlineError) and not isinstance(error, Refused):
            self._warn_once(error)
        elif self._let_down:
            self._let_down = False
            log.warning("%s: it answers again", self._name)

    def _come_back(self, _: asyncio.Future[Any]) -> None:
        self._overdue -= 1

    def _warn_once(self, error: MeshlineError) -> None:
        if not self._let_down:  # once, not for everybody who asks meanwhile
            log.warning("%s", error)
        self._let_down = True


def _work(calls: SimpleQueue[_Call | None]) -> None:
    while call := calls.get():
        future, function, arguments = call
        try:
            give = partial(future.set_result, function(*arguments))
        except Exception as error:  # noqa: BLE001 - it is raised again where the call is awaited
            give = partial(future.set_exception, error)
        with suppress(RuntimeError):  # the loop has ended meanwhile
            future.get_loop().call_soon_threadsafe(give)
        del call, future, function, arguments, give  # or they would live until the next call


class Remembered(Generic[T]):
    """What `find` answered, at most `seconds` ago: found by one asker for all.

    A failure is an answer too: a store that is down is asked once in those seconds, not once per
    request. Nor does an asker who goes away take the answer from the others. Caches that are
    shipped for asyncio ask again after a failure.
    """

    def __init__(self, find: Callable[[], Awaitable[T]], *, seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._until = 0.0
        self._asked_at = 0.0  # seconds of the clock, when the last answer was begun
        self._asking: asyncio.Task[T] | None = None

    @property
    def age(self) -> float:
        """Seconds since the last answer was asked for: it may be as old as that."""
        return monotonic() - self._asked_at

    async def get(self) -> T:
        """The answer; raises what `find` raises."""
        if self._asking is None or (self._asking.done() and monotonic() > self._until):
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def get_within(self, seconds: float) -> T:
        """An answer that is not older than `seconds`, as far as it comes in that time.

        Whoever needs to know looks at `age` after it. Raises what `find` raises.
        """
        found = await self.get()
        if self.age > seconds:  # a process that was stopped for a while goes on with old answers
            self._until = 0.0
            found = await self.get()
        return found

    async def _ask(self) -> T:
        self._asked_at = monotonic()
        try:
            return await self._find()
        finally:
            self._until = monotonic() + self._seconds

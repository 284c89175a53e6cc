"""Long bodies are read aside and in turns: no key waits for more than one turn of another."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from starlette.requests import ClientDisconnect

from orchestrator.starting import trim_memory

T = TypeVar("T")

Reading = Generator[None, None, T]
"""Work that pauses after each turn, and returns what was read."""

_TRIM_SECONDS = 1.0  # after a large body

TURN_BYTES = 64 * 1024
"""About how much of a body is read in one turn: some milliseconds."""


class Parsers:
    """One thread, and the keys that wait for it. Belongs to one event loop.

    A second thread would gain nothing: the parsers hold the interpreter's lock, and the requests
    that are short would wait for two of them.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "door-parser")
        self._key: str | None = None  # whose turn it is
        self._order: deque[str] = deque()  # the other keys that wait
        self._trimming: asyncio.TimerHandle | None = None
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def run(self, reading: Reading[T], *, key: str, gone: Callable[[], Awaitable[bool]]) -> T:
        """What was read, or the error that ended it.

        `gone` tells whether the sender has left; nothing is read for who has. Raises
        ClientDisconnect then.
        """
        loop = asyncio.get_running_loop()
        while True:
            await self._wait_for_turn(key)
            try:
                if await gone():
                    raise ClientDisconnect
                finished, value = await loop.run_in_executor(self._thread, _take_turn, reading)
            finally:
                self._pass_on()
            if finished:
                return value[0]

    def trim_soon(self) -> None:
        """Give memory back to the system in a moment, once for all who ask until then."""
        if self._trimming is None:
            loop = asyncio.get_running_loop()
            self._trimming = loop.call_later(_TRIM_SECONDS, self._trim)

    def _trim(self) -> None:
        self._trimming = None
        with suppress(RuntimeError):  # the door has closed meanwhile
            self._thread.submit(trim_memory)

    def close(self) -> None:
        """End the thread when its turn is over."""
        self._thread.shutdown(cancel_futures=True)

    async def _wait_for_turn(self, key: str) -> None:
        if self._key is None:
            self._key = key
            return
        mine = asyncio.get_running_loop().create_future()
        queue = self._waiting.setdefault(key, deque())
        if not queue and key != self._key:
            self._order.append(key)
        queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the turn to the key that has waited longest; who had it goes to the end."""
        if self._key in self._waiting:
            self._order.append(self._key)
        while self._order:
            self._key = self._order.popleft()
            queue = self._waiting[self._key]
            while queue:
                mine = queue.popleft()
                if not queue:
                    del self._waiting[self._key]
                if not mine.done():
                    mine.set_result(None)
                    return
        self._key = None


def _take_turn(reading: Reading[T]) -> tuple[bool, tuple[T, ...]]:
    """Whether the reading is finished, and with what."""
    try:
        next(reading)
    except StopIteration as end:  # it may not leave a thread: a future cannot carry it
        return True, (end.value,)
    return False, ()

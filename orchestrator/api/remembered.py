"""An answer that is good for a few seconds, found by one asker for all.

A failure is an answer too: a store that is down is asked once in those seconds, not once per
request. Nor does an asker who goes away take the answer from the others. Caches that are shipped
for asyncio ask again after a failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """What `find` answered, at most `seconds` ago."""

    def __init__(self, find: Callable[[], Awaitable[T]], *, seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._until = 0.0
        self._asking: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """The answer; raises what `find` raises."""
        if self._asking is None or (self._asking.done() and monotonic() > self._until):
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> T:
        try:
            return await self._find()
        finally:
            self._until = monotonic() + self._seconds

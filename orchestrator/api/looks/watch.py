"""Waiting until an event changes: one look at the store for all who wait, and no thread for one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from orchestrator.api.problems import DoorFull, KeyBusy
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.store.views.events.marks import Mark

MOST_SECONDS = 30
"""The longest time that a request may wait."""

MOST_WAITING = 500
"""Requests that wait at once, at one door."""

SHARE = 50
"""Of them, those of one key."""

_LOOK_SECONDS = 0.25  # between two looks at the store

Marks = Callable[[Collection[str]], Awaitable[Mapping[str, Mark]]]


@dataclass(eq=False)
class _Waiting:
    event: str
    mark: Mark | None
    changed: asyncio.Future[None]


class Watch:
    """Who waits, and for which event. Belongs to one event loop."""

    def __init__(self, marks: Marks, *, most: int = MOST_WAITING, share: int = SHARE) -> None:
        self._marks = marks
        self._most = most
        self._share = share
        self._held: Counter[str] = Counter()  # places by key
        self._waiting: set[_Waiting] = set()
        self._looking: asyncio.Task[None] | None = None
        self.released = False

    @contextmanager
    def place(self, key: str) -> Iterator[None]:
        """A place among those who wait. Raises KeyBusy, DoorFull."""
        if self._held[key] >= self._share:
            raise KeyBusy("too many requests of this key wait", fix="ask again without `wait`")
        if self._held.total() >= self._most:
            raise DoorFull("too many requests wait", fix="ask again without `wait`")
        self._held[key] += 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]

    async def change(self, event: str, mark: Mark | None, *, seconds: float) -> None:
        """Return once the event's mark is another one, or the time is over."""
        if self.released:
            return
        one = _Waiting(event, mark, asyncio.get_running_loop().create_future())
        self._waiting.add(one)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="door-watch")
        try:
            await asyncio.wait([one.changed], timeout=seconds)
        finally:
            self._waiting.discard(one)

    def release(self) -> None:
        """Let nobody wait any longer: the door is about to stop."""
        self.released = True
        for one in self._waiting:
            _wake(one)

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(_LOOK_SECONDS)
            asked = list(self._waiting)  # who comes during the look is of the next one
            with suppress(StoreUnavailable):  # whoever waits to the end hears of it then
                marks = await self._marks({one.event for one in asked})
                for one in asked:
                    if marks.get(one.event) != one.mark:
                        _wake(one)


def _wake(one: _Waiting) -> None:
    if not one.changed.done():
        one.changed.set_result(None)

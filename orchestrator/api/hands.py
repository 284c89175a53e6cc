"""Threads in which people's requests meet the store: one caller never has all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from orchestrator.api.aside import Aside
from orchestrator.api.problems import DoorFull, KeyBusy
from orchestrator.domain.errors import StoreUnavailable

T = TypeVar("T")


class Hands:
    """`most` calls at once, `share` of them of one caller. Belongs to one event loop.

    Each has an `Aside` of its own, so a call that hangs keeps one hand, and nobody waits behind it.
    """

    def __init__(self, *, most: int, share: int, seconds: float) -> None:
        self._share = share
        self._asides = [
            Aside(f"door-hand-{place}", StoreUnavailable, seconds=seconds) for place in range(most)
        ]
        self._held: dict[Aside, str] = {}  # by whom; one whose call hangs is held until it answers
        self._running: set[Aside] = set()

    async def run(self, caller: str, function: Callable[..., T], *arguments: object) -> T:
        """What `function` answers, or raises. Raises KeyBusy, DoorFull, StoreUnavailable."""
        self._let_go()
        if list(self._held.values()).count(caller) >= self._share:
            raise KeyBusy(
                "too many requests of this caller are under way", fix="send it again in a moment"
            )
        free = next((one for one in self._asides if one not in self._held), None)
        if free is None:
            raise DoorFull("too many requests are under way", fix="send it again in a moment")
        self._held[free] = caller
        self._running.add(free)
        try:
            return await free.run(function, *arguments)
        finally:
            self._running.discard(free)

    def close(self) -> None:
        """End the threads; one whose call hangs ends with the process."""
        for one in self._asides:
            one.close()

    def _let_go(self) -> None:
        for one in [one for one in self._held if one not in self._running and not one.hangs]:
            del self._held[one]

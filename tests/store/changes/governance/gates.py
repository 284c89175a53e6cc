"""A store with gates around transactions, where a process dies or somebody else comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import Connection

from orchestrator.store.database.engine import Store


class Crash(BaseException):
    """The process is dead from here on; nothing of ours may catch it."""


class Then(Enum):
    """What happens at the gate."""

    CRASH = "dies"
    ABANDON = "dies, and leaves its connection open"
    OTHERS = "is overtaken"


@dataclass(frozen=True, kw_only=True)
class Stop:
    """At which gate of an act something happens, and what."""

    gate: int
    then: Then


class GatedStore(Store):
    """A store whose transactions are gates, and are looked at as soon as they are committed."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._left: int | None = None
        self._then = Then.CRASH
        self._others: Callable[[], None] = lambda: None
        self.committed: Callable[[], None] = lambda: None

    def expect(self, stop: Stop | None, others: Callable[[], None]) -> None:
        """Let the next transactions pass up to a gate; None: all of them."""
        self._left, self._then = (stop.gate, stop.then) if stop else (None, Then.CRASH)
        self._others = others

    @contextmanager
    def write(self, *, ring: bool = False, large: bool = False) -> Iterator[Connection]:
        """One transaction."""
        self._pass()
        with super().write(ring=ring, large=large) as tx:
            yield tx
            self._pass(tx)
        self.committed()
        self._pass(alone=False)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A look."""
        self._pass()
        with super().read() as tx:
            yield tx

    def _pass(self, tx: Connection | None = None, *, alone: bool = True) -> None:
        if self._left is None:
            return
        if self._left > 0:
            self._left -= 1
            return
        if self._then is Then.OTHERS and (tx is not None or not alone):
            return  # SQLite has one writer, and what was committed is not overtaken any more
        self._left = None
        if self._then is Then.OTHERS:
            others, self._others = self._others, lambda: None
            others()
            return
        if self._then is Then.ABANDON and tx is not None:
            tx.invalidate()  # nobody rolls back: the database finds out by itself
        raise Crash

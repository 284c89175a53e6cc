"""What every system under measure can do, as the works that are timed see it."""

from __future__ import annotations

from typing import Protocol

from benchmarks.stand import Session
from orchestrator.embedded.child import Child


class System(Protocol):
    """One system with its processes running. Events are known by their number, from 0."""

    @property
    def session(self) -> Session:
        """Its processes, and its folder."""

    @property
    def workers(self) -> tuple[Child, ...]:
        """What is held while work piles up."""

    def accept(self, first: int, count: int) -> None:
        """Take events in, the cheapest way there is for many."""

    def wait_until_done(self, first: int, count: int) -> None:
        """Wait until these events, and so all before them, are done."""

    def time_one(self, number: int) -> float:
        """Seconds from before one event is taken in until it is seen done."""

    def check(self, count: int) -> None:
        """Raise RuntimeError unless this many events were taken in, and all of them are done."""

    def commits(self) -> int:
        """Transactions that wrote to its store, since some beginning."""

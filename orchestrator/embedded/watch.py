"""A child that has to stay: started again when it ends, and what is said of that."""

from __future__ import annotations

import time
from collections.abc import Callable

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.child import Child

LONG_LIFE = 60.0
"""Seconds after its last start: then a child has kept running, and its next end is a first one."""

_LONGEST_PAUSE = 30.0  # seconds between two attempts
_TOLD_ONE_BY_ONE = 5  # in a row; after that only at 8, 16, 32, …


class Watch:
    """Looks after one child. Nothing that goes wrong with it ends whoever looks after it."""

    def __init__(
        self,
        child: Child,
        say: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._child = child
        self._name = child.program.name
        self._say = say
        self._clock = clock
        self._ends = 0  # in a row
        self._refusals = 0  # in a row: attempts to start it that failed
        self._due: float | None = None  # when it is started again, once it has ended
        self._started_at = 0.0
        self._log_failures = 0  # in a row
        self._log_due = 0.0  # when its log is looked at again

    def turn(self) -> None:
        """Look once, and do what is due now."""
        now = self._clock()
        if now >= self._log_due:
            self._put_log_aside(now)
        if self._child.running:
            self._see_it_run(now)
        elif self._due is None:
            self._ends += 1
            self._due = now + pause_after(self._ends)
        elif now >= self._due:
            self._start_again(now)

    def _see_it_run(self, now: float) -> None:
        if self._ends and now - self._started_at >= LONG_LIFE:
            self._say(f"over: {self._name} has kept running for {LONG_LIFE:g} s")
            self._ends = 0

    def _start_again(self, now: float) -> None:
        told = self._told_end()  # before its log goes on
        self._child.kill()  # what it had started may still be there
        try:
            self._child.spawn()
        except StartupFailed as error:
            self._refusals += 1
            pause = pause_after(self._ends + self._refusals)
            self._due = now + pause
            if is_told(self._refusals):
                self._say(f"trouble: {error}; it is tried again in {pause:g} s")
            return
        if self._refusals or is_told(self._ends):
            self._say(told)
        self._due, self._refusals, self._started_at = None, 0, now

    def _told_end(self) -> str:
        """How it ended, how often by now, and what it said last."""
        often = f", {self._ends} times in a row" if self._ends > 1 else ""
        told = f"trouble: {self._name} ended ({self._child.ending}){often}; started again"
        if self._ends > _TOLD_ONE_BY_ONE:
            return f"{told}, as every {_LONGEST_PAUSE:g} s; see {self._child.log}"
        return told + self._child.last_words()

    def _put_log_aside(self, now: float) -> None:
        try:
            self._child.log_file.rotate()
        except OSError as error:
            self._log_failures += 1
            self._log_due = now + pause_after(self._log_failures)
            if self._log_failures == 1:
                self._say(f"trouble: {self._child.log} cannot be put aside: {error.strerror}")
            return
        if self._log_failures:
            self._say(f"over: {self._child.log} can be put aside")
        self._log_failures = 0


def pause_after(failures: int) -> float:
    """Seconds until the next attempt: 1, 2, 4, … up to 30.

    >>> [pause_after(failures) for failures in (1, 2, 6, 5_000)]
    [1.0, 2.0, 30.0, 30.0]
    """
    return min(_LONGEST_PAUSE, 2.0 ** min(failures - 1, 10))


def is_told(times: int) -> bool:
    """Whether a person hears of it for so many times in a row.

    >>> [times for times in range(1, 40) if is_told(times)]
    [1, 2, 3, 4, 5, 8, 16, 32]
    """
    return times <= _TOLD_ONE_BY_ONE or times & (times - 1) == 0

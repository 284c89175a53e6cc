"""Processes at work, each a thread that moves only when it is told to, from gate to gate.

A gate is where the world may go on without a process: before and after each transaction, each
publication and each call. There it can pause for as long as the story wants, die, or be told that
what it just asked for failed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Crash(BaseException):
    """The process is dead from here on; nothing of ours may catch it."""


class Then(Enum):
    """What happens at the gate at which a process is stopped."""

    PAUSE = "pause"
    CRASH = "crash"
    FAIL = "fail"  # the database or the broker says no, or does not say yes


@dataclass(frozen=True, kw_only=True)
class Stop:
    """After how many gates a process is stopped, and what happens there."""

    gates: int
    then: Then

    @classmethod
    def dead(cls) -> Stop:
        """It goes no further than it is."""
        return cls(gates=0, then=Then.CRASH)


_A_MOMENT = 0.003  # seconds between two looks whether somebody waits for a lock


class Actor:
    """A worker, relay, producer or person at one piece of work; `owner` is busy with it."""

    def __init__(
        self, name: str, work: Callable[[], object], *, owner: Any = None, epoch: int | None = None
    ) -> None:
        self.name = name
        self.owner = owner
        self.epochs = set() if epoch is None else {epoch}  # what it may move
        self.runs: set[str] = set()  # what it may settle
        self.done = False
        self.stands = False  # it is stopped at a gate
        self.crashed = False
        self.error: BaseException | None = None
        self._work = work
        self._left: int | None = None  # gates to pass; None: all
        self._then = Then.PAUSE
        self._go, self._halted = threading.Semaphore(0), threading.Semaphore(0)
        self._thread: threading.Thread | None = None

    def go(self, stop: Stop | None = None) -> None:
        """Let it work until it is stopped, or to its end. Raises what it raised itself."""
        self._left, self._then = (stop.gates, stop.then) if stop else (None, Then.PAUSE)
        if self._thread:
            self._go.release()
            self._halted.acquire()
        elif stop and stop.then is Then.PAUSE:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()
            self._halted.acquire()
        else:  # it will not stop at a gate: that needs no thread, and a thread's start takes long
            self._run()
        if self.done and self._thread:
            self._thread.join()
        if self.error is not None:
            raise self.error

    def advance(self, stop: Stop | None, waits: Callable[[], bool]) -> bool:
        """Let it work in a thread of its own until it is stopped, or to its end.

        False where it `waits` for somebody meanwhile: `come_to` tells when it has come there.
        """
        self._left, self._then = (stop.gates, stop.then) if stop else (None, Then.PAUSE)
        if self._thread:
            self._halted.acquire(blocking=False)  # it came there while nobody looked
            self._go.release()
        else:
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()
        return self.come_to(waits)

    @property
    def left(self) -> int | None:
        """Gates that it has to pass until it is stopped."""
        return self._left

    def come_to(self, waits: Callable[[], bool] = lambda: False) -> bool:
        """Whether it came to where it is to stop, or to its end. Raises what it raised itself."""
        while not self._halted.acquire(timeout=_A_MOMENT):
            if waits():
                return False
        if self.done and self._thread:
            self._thread.join()
        if self.error is not None:
            raise self.error
        return True

    def reach(self, failure: Exception | None) -> None:
        """Come to a gate, where `failure` is what could go wrong."""
        while self._left is not None:
            if self._left > 0:
                self._left -= 1
                return
            if self._then is Then.PAUSE:
                self.stands = True
                self._halted.release()
                self._go.acquire()
                self.stands = False
                continue
            self._left = None
            if self._then is Then.FAIL and failure is not None:
                raise failure
            raise Crash(self.name)

    def _run(self) -> None:
        _HERE.actor = self
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - the machine's thread is to see it
            self.crashed = _is_crash(error)
            self.error = None if self.crashed else error
        _HERE.actor = None
        self.done = True
        self._halted.release()


_HERE = threading.local()


def current_actor() -> Actor | None:
    """The process that this thread is; None outside of the model."""
    return getattr(_HERE, "actor", None)


def gate(failure: Exception | None = None) -> None:
    """A place where the world may go on without this process."""
    actor = current_actor()
    if actor is not None:
        actor.reach(failure)


def _is_crash(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_crash, error.exceptions))
    return isinstance(error, Crash)

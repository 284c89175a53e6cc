"""A small supervisor: children start in order, stop in reverse, and leave nothing behind."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Self

from orchestrator.embedded.child import Child, Program
from orchestrator.embedded.home import hold_home
from orchestrator.embedded.lifeline import Lifeline
from orchestrator.embedded.watch import Watch
from orchestrator.starting import make_private

_LOOK_SECONDS = 0.2  # between two looks at every child


class Supervisor:
    """Starts children and ends them; one Supervisor per home folder.

    As a context manager it turns SIGTERM and SIGHUP into SystemExit, so that its end always comes.
    Where it is killed, its children have `grace` seconds to end by themselves.
    """

    def __init__(self, home: Path, *, grace: float = 10.0) -> None:
        self._home = home
        self._grace = grace
        self._logs = home / "logs"
        self._children: list[Child] = []
        self._hurry = threading.Event()
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            self._lock = held.enter_context(hold_home(self._home))
            self._lifeline = held.enter_context(Lifeline(grace=self._grace))
            held.enter_context(_on_signals(_leave, signal.SIGTERM, signal.SIGHUP))
            self._logs.mkdir(mode=0o700, exist_ok=True)
            make_private(self._logs, *self._logs.iterdir())
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        every = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        with self._held, _on_signals(self._be_quick, *every):
            self.stop_all()

    def start(self, program: Program) -> Child:
        """Start a child and wait until it is ready. Raises StartupFailed with its log's end."""
        child = Child(program, logs=self._logs, lifeline=self._lifeline, lock=self._lock)
        self._children.append(child)
        child.start()
        return child

    def stop_all(self) -> None:
        """Stop every child, the last first; a second Ctrl-C kills what is left."""
        for child in reversed(self._children):
            child.ask_to_stop()
            child.wait(child.program.stop_within, unless=self._hurry.is_set)
            child.kill()
        self._children.clear()

    def keep_running(self, say: Callable[[str], None]) -> None:
        """Stay until a signal ends it; start again what dies, after growing pauses; rotate logs."""
        watches = [Watch(child, say) for child in self._children]
        while True:
            for watch in watches:
                watch.turn()
            time.sleep(_LOOK_SECONDS)

    def _be_quick(self, _number: int, _frame: FrameType | None) -> None:
        self._hurry.set()


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _on_signals(
    handler: Callable[[int, FrameType | None], None], *numbers: signal.Signals
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and only it is interrupted
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)

"""Sends what waits in a spool, in order, when the door takes it again."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from meshline.errors import (
    Explained,
    MeshlineError,
    Misconfigured,
    Refused,
    SpoolFailed,
    Unreachable,
)
from meshline.event import new_key
from meshline.patience import backoff, jitter
from meshline.spool.queue import Spool, SpooledEvent

MOST_EVENTS = 500  # in one batch
_MOST_BYTES = 4 * 1024 * 1024
_MOST_LINES_BLOCKED = 200  # then it waits for all of them
_FIRST_DELAY = 5.0  # seconds until a line that is blocked is tried again
_LONGEST_DELAY = 300.0
_LONGEST_MENDING = 60.0  # seconds between two tries while a key or an address is wrong
_LEAST_PAUSE = 1.0  # seconds: else each event that the door takes would be one more try
_LOOK_SECONDS = 2.0  # how often an idle forwarder looks whether another process spooled something

_log = logging.getLogger("meshline")

Send = Callable[[Sequence[SpooledEvent]], object]
"""One attempt to hand over a batch. Raises MeshlineError."""

Tell = Callable[[str, Sequence[SpooledEvent], "BaseException | None"], object]


@dataclass(frozen=True)
class Pass:
    """What one pass over the spool came to."""

    sent: int
    failure: MeshlineError | None = None  # for which it stopped, or which holds lines up
    leased: bool = True  # False: another process forwards


@dataclass(frozen=True)
class _Delay:
    """A line whose first event was tried in vain."""

    tries: int
    until: float  # on the forwarder's clock
    error: str


class Forwarder:
    """Forwards one spool from this process: in a thread of its own, and whenever it is asked.

    `now` is in seconds, on a clock that never goes back.
    """

    def __init__(self, spool: Spool, send: Send, tell: Tell, now: Callable[[], float]) -> None:
        self._spool = spool
        self._send = send
        self._tell = tell
        self._now = now
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._owner = f"{self._process}-{new_key()}"
        self._thread: threading.Thread | None = None
        self._passing = threading.Lock()
        self._woken = threading.Event()
        self._stopped = False
        self._leased = False
        self._delays: dict[str, _Delay] = {}  # by line
        self._stuck_by = ""  # which kind of failure holds everything up; empty: none
        self._hurried = threading.Event()

    def run(self) -> None:
        """Have the thread run, in this process: a fork leaves a parent's thread behind."""
        if self._process != os.getpid():
            self._begin()
        if self._thread is None or not self._thread.is_alive():
            self._stopped = False
            self._thread = threading.Thread(target=self._loop, name="meshline-spool", daemon=True)
            self._thread.start()

    def wake(self) -> None:
        """Say that something was spooled."""
        self.run()
        self._woken.set()

    def hurry(self) -> None:
        """Say that the door took something: what waits is tried soon."""
        self._hurried.set()

    def close(self, seconds: float) -> None:
        """Stop after the batch that is on its way. Events that wait are kept.

        Another forwarder may go on at once, unless that batch takes longer than `seconds`.
        """
        self._stopped = True
        self._woken.set()
        if self._process != os.getpid():
            return
        if self._thread is not None:
            self._thread.join(seconds)
        if self._passing.acquire(blocking=False):  # else what is on its way would go out twice
            try:
                with contextlib.suppress(SpoolFailed):  # then the lease ends by itself
                    self._give_lease_back()
            finally:
                self._passing.release()

    def forward(self, is_enough: Callable[[], bool] = lambda: False) -> Pass:
        """Send everything that waits and that the door takes, until it is enough.

        Raises SpoolFailed.
        """
        with self._passing:
            if not self._spool.state().waiting:
                return Pass(sent=0)
            if not self._take_lease():
                return Pass(sent=0, leased=False)
            return self._forward(is_enough)

    def _take_lease(self) -> bool:
        self._leased = self._spool.take_lease(self._owner)
        return self._leased

    def _give_lease_back(self) -> None:
        if self._leased:
            self._spool.give_lease_back(self._owner)
            self._leased = False

    def _forward(self, is_enough: Callable[[], bool]) -> Pass:
        sent, most, failure = 0, MOST_EVENTS, None
        blocked = self._delayed()  # lines whose first event has to wait, and so the others too
        while len(blocked) < _MOST_LINES_BLOCKED and not self._stopped and not is_enough():
            rows = self._spool.first(most, size=_MOST_BYTES, but_lines=blocked)
            if not rows:
                break
            try:
                self._send(rows)
            except SpoolFailed:
                raise
            except MeshlineError as error:
                failure = error
                if _stops_all(error):
                    self._note_stuck(rows, error)
                    return Pass(sent=sent, failure=error)
                most = self._part(rows, error, blocked)
                continue
            # The door has committed them. A crash here sends them again, with the same keys.
            self._spool.forget(rows)
            for row in rows:
                self._delays.pop(row.line, None)
            self._tell("forwarded", rows, None)
            self._note_unstuck()
            sent, most = sent + len(rows), MOST_EVENTS
            if not self._take_lease():
                return Pass(sent=sent, leased=False)
        if not blocked:
            self._give_lease_back()
        return Pass(sent=sent, failure=failure if blocked else None)

    def _note_stuck(self, rows: Sequence[SpooledEvent], error: MeshlineError) -> None:
        """Keep why nothing goes out, for who looks at the spool; say it once per kind of cause."""
        if rows[0].error != str(error):
            self._spool.note(rows[0], str(error))
        kind = error.code if isinstance(error, Explained) else type(error).__name__
        if kind != self._stuck_by:
            self._stuck_by = kind
            _log.warning("nothing goes out of the spool: %s", error)
            self._tell("stuck", rows, error)

    def _note_unstuck(self) -> None:
        if self._stuck_by:
            self._stuck_by = ""
            _log.warning("events go out of the spool again")

    def _delayed(self) -> set[str]:
        """The lines that are not tried yet; what was mended long ago is forgotten."""
        now, known = self._now(), self._delays
        self._delays = {
            line: one for line, one in known.items() if now < one.until + _LONGEST_DELAY
        }
        return {line for line, one in self._delays.items() if now < one.until}

    def _delay(self, row: SpooledEvent, error: str) -> None:
        """Let a line wait behind its first event, longer with each try; the cause is said once."""
        known = self._delays.get(row.line)
        tries = known.tries + 1 if known else 0
        seconds = min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(tries, 9))
        self._delays[row.line] = _Delay(tries, self._now() + seconds, error)
        if known is None or known.error != error:
            _log.warning("waits in the spool: %s, number %d: %s", row.type, row.seq, error)
        if row.error != error:
            self._spool.note(row, error)

    def _part(self, rows: Sequence[SpooledEvent], error: MeshlineError, blocked: set[str]) -> int:
        """Take the event that is at fault out of the way; how many to send next."""
        index = error.index if isinstance(error, Explained) else None
        if index is None and len(rows) > 1:
            return len(rows) // 2
        row = rows[index if index is not None and index < len(rows) else 0]
        if isinstance(error, Refused):
            self._spool.set_aside(row, str(error))
            self._delays.pop(row.line, None)
            self._tell("set_aside", [row], error)
            _log.error(
                "refused, and kept in the spool: %s, number %d: %s", row.type, row.seq, error
            )
        else:
            blocked.add(row.line)
            self._delay(row, str(error))
        return MOST_EVENTS

    def _loop(self) -> None:
        failures = 0
        while not self._stopped and self._process == os.getpid():
            self._hurried.clear()  # what the door takes while this pass fails is news after it
            try:
                done = self.forward()
            except MeshlineError as error:
                done = Pass(sent=0, failure=error)
            except Exception as error:  # noqa: BLE001 - a thread that dies would send nothing
                _log.exception("the forwarder of the spool failed, and goes on")
                done = Pass(sent=0, failure=Unreachable(str(error)))
            if done.failure is None:
                failures = 0
                self._woken.wait(_LOOK_SECONDS)
                self._woken.clear()
                continue
            failures = 1 if done.sent else failures + 1
            self._wait(failures, done.failure)

    def _wait(self, failures: int, failure: MeshlineError) -> None:
        seconds, waited = pause_after(failures, failure), 0.0
        _log.info("the spool waits %.1f s: %s", seconds, failure)
        while waited < seconds and not self._stopped:  # being woken does not make the door answer
            if self._hurried.is_set() and waited >= _LEAST_PAUSE:
                return
            time.sleep(min(seconds - waited, 0.5))
            waited += 0.5


def pause_after(failures: int, failure: MeshlineError | None) -> float:
    """Seconds until the door is asked again, after so many failures in a row, from 1.

    They double up to 10 s. A set-up is not mended in seconds: then they double up to a minute.
    """
    if isinstance(failure, Misconfigured):
        return backoff(failures, jitter(), ceiling=_LONGEST_MENDING)
    asked = failure.retry_after if isinstance(failure, Unreachable) else 0.0
    return max(backoff(failures, jitter()), asked)


def _stops_all(error: MeshlineError) -> bool:
    """Whether no other event can go out now either."""
    if isinstance(error, Refused):
        return False
    if not isinstance(error, Explained):
        return True
    too_large = error.status == 413  # for a proxy: it may take fewer, or others
    return error.index is None and not too_large

"""One program that we run: started, watched, stopped, killed, started again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.lifeline import Lifeline, launched, signal_group
from orchestrator.embedded.log_file import LogFile
from orchestrator.starting import PRIVATE

_STEP = 0.02  # seconds between two looks
_LONGEST_DEATH = 2.0  # seconds; where nobody buries orphans, a dead group looks alive


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start, how to know that it is ready, and how it is stopped. Times in seconds."""

    name: str  # its log is NAME.log
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of ours
    ready: Callable[[Child], bool] | None = None  # asked again and again; None: at once
    ready_within: float = 30.0
    stop_signal: int = signal.SIGTERM
    stop_within: float = 20.0  # after that its whole group is killed
    folder: Path | None = None  # where it runs
    user: int | None = None  # another user's number, where root may not run it


class Child:
    """A program while we run it. Its group is its own, and what it starts belongs to it."""

    def __init__(self, program: Program, *, logs: Path, lifeline: Lifeline, lock: int) -> None:
        self.program = program
        self.log = logs / f"{program.name}.log"
        self.log_file = LogFile(self.log)
        self.started_at = 0.0  # monotonic seconds
        self._lifeline = lifeline
        self._lock = lock
        self._process: subprocess.Popen[bytes] | None = None
        self._buried = False  # killed and waited for: its number may be another's by now

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too. Raises StartupFailed before its first start."""
        if self._process is None:
            raise StartupFailed(f"{self.program.name} was never started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self._process is not None and self._process.poll() is None

    @property
    def ending(self) -> str:
        """How it ended: `signal 9`, or `exit code 3`."""
        code = self._process.poll() if self._process else None
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises StartupFailed, with the end of its log, where it dies first or takes too long.
        """
        self.spawn()
        program = self.program
        end = self.started_at + program.ready_within
        while program.ready and not program.ready(self):
            if not self.running:
                raise StartupFailed(self.obituary())
            if time.monotonic() > end:
                self.kill()
                late = f"{program.name} was not ready within {program.ready_within:g} s"
                raise StartupFailed(late + self.last_words())
            time.sleep(_STEP)

    def spawn(self) -> None:
        """Start it and do not wait. Raises StartupFailed where program or log cannot be opened."""
        program = self.program
        try:
            out = self.log_file.open()
        except OSError as error:
            raise StartupFailed(f"{program.name} cannot be started: {error}") from None
        try:
            self._process = subprocess.Popen(
                launched(program.command, program.stop_signal),
                stdin=self._lifeline.fileno(),
                stdout=out,
                stderr=out,
                cwd=program.folder,
                env={**os.environ, **program.environment},
                pass_fds=(self._lock,),
                start_new_session=True,
                user=program.user,
                group=program.user,
                extra_groups=None if program.user is None else [],
                umask=PRIVATE,
            )
        except OSError as error:
            raise StartupFailed(f"{program.name} cannot be started: {error}") from None
        finally:
            os.close(out)
        self._buried = False
        self.started_at = time.monotonic()

    def ask_to_stop(self, number: int | None = None) -> None:
        """Send its stop signal, or `number`: it finishes what it has begun."""
        if self.running:
            self.signal(self.program.stop_signal if number is None else number)

    def wait(self, seconds: float, *, unless: Callable[[], bool] = lambda: False) -> None:
        """Return when it has ended, or the time is up, or `unless` says so."""
        end = time.monotonic() + seconds
        while self.running and time.monotonic() < end and not unless():
            time.sleep(_STEP)

    def stop(self, number: int | None = None) -> None:
        """Stop it politely, by its stop signal or `number`, then by force with all its group."""
        self.ask_to_stop(number)
        self.wait(self.program.stop_within)
        self.kill()

    def kill(self) -> None:
        """End it and everything it started, at once."""
        if self._process is None or self._buried:
            return
        pid = self._process.pid
        signal_group(pid, signal.SIGKILL)
        self._process.wait()
        end = time.monotonic() + _LONGEST_DEATH
        while signal_group(pid, 0) and time.monotonic() < end:
            time.sleep(_STEP)
        self._lifeline.release(pid)
        self._buried = True

    def signal(self, number: int) -> None:
        """Send a signal to the program itself, not to what it started."""
        if self._process is not None:
            self._process.send_signal(number)

    def output(self) -> str:
        """What it has written since its last start."""
        return self.log_file.written()

    def obituary(self) -> str:
        """How it ended, and the end of its log."""
        code = self._process.poll() if self._process else None
        if code is not None and code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        else:
            how = f"ended with {code}"
        return f"{self.program.name} {how}{self.last_words()}"

    def last_words(self) -> str:
        """The end of its log, as far as it can be read."""
        try:
            lines = self.output().strip().splitlines()[-12:] or ["(nothing)"]
        except OSError as error:
            return f"; its log cannot be read: {error}"
        shown = "".join(f"\n  {line[:300]}" for line in lines)
        return f"; the end of {self.log}:{shown}"


@dataclass(frozen=True, kw_only=True)
class EmbeddedServer:
    """A server of ours, and its address with the password in it."""

    url: str
    process: Child

"""What keeps a child from outliving a parent that was killed: a pipe, and a guard at its far end.

Each child writes its own process id into the pipe and only then becomes its program. When the
parent ends, however it ends, the pipe closes and the guard ends every group that still runs. A
parent that is killed while it starts a child loses nothing: until the child has written, it holds
the pipe open itself. (PR_SET_PDEATHSIG knows no grandchildren and no macOS.)

The guard is this file, run by itself; so it imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Self

_LAUNCH = 'echo "+ $$ $0" >&0; exec "$@" </dev/null'


class Lifeline:
    """The parent's end of the pipe."""

    def __init__(self, *, grace: float) -> None:
        reading, self._writing = os.pipe()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, str(grace)],
            stdin=reading,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )
        os.close(reading)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fileno(self) -> int:
        """What a launched command gets as its standard input."""
        return self._writing

    def release(self, pid: int) -> None:
        """Say that a child is gone: its number may soon be another's."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._writing, f"- {pid} 0\n".encode())

    def close(self) -> None:
        """End the lifeline. The guard ends what still runs, then itself."""
        os.close(self._writing)
        self._guard.wait()


def launched(command: Iterable[str], stop_signal: int) -> list[str]:
    """`command`, announced to the lifeline that is its standard input before it runs."""
    return ["/bin/sh", "-c", _LAUNCH, str(int(stop_signal)), *command]


def signal_group(pid: int, number: int) -> bool:
    """Send a signal to a child's whole group; False where nothing of it is left."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # macOS says the latter of a zombie
        return False
    return True


def _guard(grace: float) -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    standing: dict[int, int] = {}
    for line in sys.stdin:
        sign, pid, stop_signal = line.split()
        if sign == "+":
            standing[int(pid)] = int(stop_signal)
        else:
            standing.pop(int(pid), None)
    for child, number in standing.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)
    end = time.monotonic() + grace
    while time.monotonic() < end and any(signal_group(child, 0) for child in standing):
        time.sleep(0.05)
    for child in standing:
        signal_group(child, signal.SIGKILL)


if __name__ == "__main__":
    _guard(float(sys.argv[1]))

"""The log of a program that we run: private, and never larger than it may be."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

LARGEST_LOG = 10 * 1024 * 1024
"""Bytes; a larger one is put aside, while its program runs and at its next start."""

KEPT_LOGS = 3
"""How many that were put aside are kept: NAME.log.1 is the newest."""


class LogFile:
    """A file that a program appends to, through a descriptor that it inherits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0  # where the program's last start began to write

    def open(self) -> int:
        """A descriptor to append to it. Raises OSError."""
        with suppress(OSError):  # a log that is too large is better than a program that stays away
            self.rotate()
        out = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.fchmod(out, 0o600)
        self._start = os.fstat(out).st_size
        return out

    def written(self) -> str:
        """What was written since the last start, as far as it was not put aside."""
        with self.path.open("rb") as log:
            log.seek(self._start)
            return log.read(LARGEST_LOG).decode(errors="replace")

    def rotate(self) -> None:
        """Put it aside where it is too large.

        The program keeps its descriptor, so what it wrote is copied and the file is emptied: what
        it writes between the two, some microseconds, is lost. Raises OSError, as on a full disk;
        then all logs are as they were.
        """
        if not self.path.exists() or self.path.stat().st_size <= LARGEST_LOG:
            return
        copy = self.path.with_name(f"{self.path.name}.new")
        try:
            copy.unlink(missing_ok=True)
            copy.touch(mode=0o600)
            shutil.copyfile(self.path, copy)
        except OSError:
            copy.unlink(missing_ok=True)
            raise
        for number in range(KEPT_LOGS, 1, -1):
            if self._aside(number - 1).exists():
                self._aside(number - 1).replace(self._aside(number))
        copy.replace(self._aside(1))
        os.truncate(self.path, 0)
        self._start = 0

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

"""Writers of a SQLite file take turns: a lock that wakes the next, not a sleep and a retry.

SQLite's own busy handler sleeps up to 100 ms between two tries, so that under load a writer waits
far longer than the other's transaction takes. PostgreSQL needs none of this.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class WriterQueue:
    """One writer at a time, over all threads and processes that share the file."""

    def __init__(self, database: str) -> None:
        self._path = f"{database}.writer"
        self._threads = threading.Lock()
        self._file: int | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it."""
        with self._threads:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave the queue."""
        with self._threads:
            if self._file is not None:
                os.close(self._file)
                self._file = None

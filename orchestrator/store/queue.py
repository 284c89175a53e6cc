"""Writers of a SQLite file take turns, and look for theirs often.

SQLite's own busy handler sleeps up to 100 ms between two tries, so that under load a writer waits
far longer than the other's transaction takes. PostgreSQL needs none of this.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.domain.errors import StoreUnavailable

_PATIENCE = 30.0  # seconds, as SQLite's own busy timeout
_SHORTEST, _LONGEST = 0.0002, 0.003  # seconds between two looks


class WriterQueue:
    """One writer at a time, over all threads and processes that share the file."""

    def __init__(self, database: str) -> None:
        self._path = f"{database}.writer"
        self._threads = threading.Lock()
        self._file: int | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it. Raises StoreUnavailable where none comes in time."""
        with self._threads:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            _lock(self._file)
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


def _lock(file: int) -> None:
    # Not a blocking lock: it would wait for ever behind a process that was frozen in its turn.
    end = time.monotonic() + _PATIENCE
    pause = _SHORTEST
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise StoreUnavailable("another process holds the store's writer lock") from None
            time.sleep(pause)
            pause = min(_LONGEST, pause * 1.5)
        else:
            return

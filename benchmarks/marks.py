"""Marks in shared memory: when each event was done, for systems without a store to look into."""

from __future__ import annotations

import functools
import mmap
import os
import time
from pathlib import Path
from typing import Any

from benchmarks.waiting import wait_until

MOST = 1_000_000
"""Events of one session."""

_VARIABLE = "BENCH_MARKS"


def mark_done(number: int) -> None:
    """Say that the event of this number is done, on the one clock of all processes."""
    _opened(os.environ[_VARIABLE])[number] = time.perf_counter()


class Marks:
    """The marks as the benchmark reads them."""

    def __init__(self, folder: Path) -> None:
        path = folder / "marks"
        with path.open("wb") as file:
            file.truncate(8 * MOST)
        self.environment = {_VARIABLE: str(path)}
        _opened.cache_clear()
        self._marks = _opened(str(path))

    def wait_for(self, first: int, count: int) -> None:
        """Wait until all of them are done."""
        wait_until(lambda: all(self._marks[first : first + count]), look_every=0.01)

    def wait_for_one(self, number: int) -> float:
        """Wait until an event is done; when that was, as `time.perf_counter` has it."""
        wait_until(lambda: self._marks[number] > 0, look_every=0.0005)
        return float(self._marks[number])

    def count(self) -> int:
        """How many are done."""
        return sum(mark > 0 for mark in self._marks)


@functools.cache
def _opened(path: str) -> Any:
    with Path(path).open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 0)).cast("d")  # 0.0: not done

"""Follow real calls: which files of ours are entered, in which order, and how often that turns.

A call is a named function of ours that is entered. A coroutine or generator that goes on is entered
again. Lambdas, comprehensions and class bodies are inside what is read anyway, and are not calls.

A move is what a reader does who follows the event: the function entered is in another file than
the one entered before it. A way back counts where the next call comes from there. Each thread is
followed by itself; the first file of a further thread is one move.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

_ROOT = Path(__file__).parents[2]
_OURS = tuple(f"{_ROOT / name}/" for name in ("orchestrator", "connectors", "workers", "sdk"))
_QUIET_SECONDS = 0.05  # other threads are done when nothing was entered for so long


@dataclass(kw_only=True)
class Trip:
    """What one part of an event's way entered."""

    entered: Counter[str] = field(default_factory=Counter)  # calls by file, in order of entry
    moves: int = 0

    @property
    def files(self) -> list[str]:
        """The files of ours, as paths from the project's root, in order of entry."""
        return list(self.entered)

    @property
    def calls(self) -> int:
        """How many functions of ours were entered."""
        return self.entered.total()

    def __add__(self, other: Trip) -> Trip:
        """Both, one after the other; between the two there is no move."""
        together = Counter(self.entered)
        together.update(other.entered)
        return Trip(entered=together, moves=self.moves + other.moves)


class Recorder:
    """Records while a block asks for it. Only threads that start after it was made are followed."""

    def __init__(self) -> None:
        self._trip: Trip | None = None
        self._last: dict[int, str] = {}  # by thread, the file entered last
        threading.setprofile(self._note)

    @contextmanager
    def trip(self) -> Iterator[Trip]:
        """Record this block, and what other threads do for it until they are quiet."""
        trip = Trip()
        self._last = {}
        self._trip = trip
        sys.setprofile(self._note)
        try:
            yield trip
        finally:
            sys.setprofile(None)
            _wait_until_quiet(trip)
            self._trip = None

    def _note(self, frame: FrameType, event: str, _: Any) -> None:
        trip = self._trip
        if trip is None or event != "call":
            return
        code = frame.f_code
        if code.co_name.startswith("<") or not code.co_filename.startswith(_OURS):
            return
        thread = threading.get_ident()
        if self._last.get(thread) != code.co_filename:
            trip.moves += bool(self._last)
            self._last[thread] = code.co_filename
        trip.entered[code.co_filename.removeprefix(f"{_ROOT}/")] += 1


def _wait_until_quiet(trip: Trip) -> None:
    seen = -1
    while seen != trip.calls:
        seen = trip.calls
        time.sleep(_QUIET_SECONDS)

"""A clock that can be stepped while a process runs by it, by libfaketime.

Only the time of day steps, as it does when a machine's clock is set: the monotonic clock goes on.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

_PLACES = ("/usr/lib/{machine}-linux-gnu/faketime", "/usr/lib64/faketime", "/usr/lib/faketime")
_SHIM = str(Path(__file__).parent / "stepped")


class SteppedClock:
    """One clock, and the environment that makes a process live by it."""

    def __init__(self, library: Path, folder: Path) -> None:
        self._file = folder / "clock"
        self.step_to(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            # libfaketime 0.9.10 breaks Python's time.sleep; see the file there.
            "PYTHONPATH": os.pathsep.join([_SHIM, os.environ.get("PYTHONPATH", "")]).rstrip(":"),
        }

    def step_to(self, seconds: int) -> None:
        """Let it show so many seconds more, or less, than is true; within a second."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{seconds:+d}\n")
        draft.replace(self._file)


def find_library() -> Path | None:
    """libfaketime, where it is installed (Debian's package `faketime`)."""
    for place in _PLACES:
        library = Path(place.format(machine=platform.machine())) / "libfaketime.so.1"
        if library.exists():
            return library
    return None

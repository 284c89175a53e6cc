"""Waiting for what other processes and threads bring about.

A slow machine only takes longer: what is said here is when a test gives up, never how fast
something must be.
"""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 180.0
"""Seconds: long enough on a machine that does twenty other things too."""

_LOOK_EVERY = 0.02  # seconds


def wait_until(
    happens: Callable[[], object], what: str = "it did not happen", *, within: float = PATIENCE
) -> None:
    """Return when it has happened; fail with `what` where it never does."""
    assert eventually(happens, within=within), what


def eventually(happens: Callable[[], object], *, within: float = PATIENCE) -> bool:
    """Whether it happens while somebody waits for it."""
    end = time.monotonic() + within
    while not happens():
        if time.monotonic() > end:
            return False
        time.sleep(_LOOK_EVERY)
    return True

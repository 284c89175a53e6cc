"""Waiting for an end, and giving up on one that does not come."""

from __future__ import annotations

import time
from collections.abc import Callable

_STALLED = 300.0  # seconds, three leases of ours; no figure is better than a wrong one


def wait_until(over: Callable[[], bool], *, look_every: float) -> None:
    """Return when `over` says so, looking every so many seconds. Raises TimeoutError."""
    end = time.monotonic() + _STALLED
    while not over():
        if time.monotonic() > end:
            raise TimeoutError(f"not over after {_STALLED:g} s")
        time.sleep(look_every)

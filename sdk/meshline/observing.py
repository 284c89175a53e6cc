"""What a producer says of its own work, to whoever counts or logs it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

_log = logging.getLogger("meshline")


@dataclass(frozen=True)
class Observation:
    """One thing that happened. It holds no payload and no key of the door."""

    what: str
    """accepted, retried, refused, misconfigured, unreachable; with a spool spooled, forwarded,
    set_aside, spool_full, spool_failed, and stuck once per kind of cause that lets nothing out."""

    events: int  # how many it is about
    type: str | None = None  # of the event, or of the first of many
    seconds: float = 0.0  # since the call began
    attempt: int = 0  # of a retry: which one failed, from 1
    error: BaseException | None = None


Observer = Callable[[Observation], object]


def observe(observer: Observer | None, observation: Observation) -> None:
    """Hand it to the observer; an observer that fails is logged, and stops no event."""
    if observer is None:
        return
    try:
        observer(observation)
    except Exception:  # noqa: BLE001 - it is the caller's
        _log.exception("the observer of a producer failed")

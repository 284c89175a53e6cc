"""When a failed try comes again: exponential backoff with jitter, as a pure function."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """A workflow's `retries`; times in seconds."""

    limit: int = 8  # retries after the first try
    first: float = 5.0
    factor: float = 3.0
    ceiling: float = 3600.0


def backoff(policy: RetryPolicy, attempt: int, jitter: float) -> float | None:
    """Seconds until the next try after `attempt` failed tries (from 1); None past the limit.

    `jitter` in [0, 1) spreads the wait over its upper half, so that a thousand events that failed
    together do not come back together ("equal jitter", AWS Architecture Blog, 2015).
    """
    if attempt > policy.limit:
        return None
    try:
        whole = min(policy.ceiling, policy.first * policy.factor ** (attempt - 1))
    except OverflowError:
        whole = policy.ceiling
    return whole * (0.5 + jitter / 2)


LONGEST_WAIT = 86_400.0  # seconds; what a system asks for beyond a day is a mistake of its own


@dataclass(frozen=True, kw_only=True)
class PausePolicy:
    """How long nobody calls a system that asked for a pause and not said until when; in seconds."""

    first: float = 5.0
    factor: float = 2.0
    ceiling: float = 900.0  # a spent daily budget costs four calls an hour


def usable_wait(asked: float | None) -> float | None:
    """The wait in seconds that a system asked for, where it can be meant; else None."""
    return asked if asked is not None and 0 < asked <= LONGEST_WAIT else None


def pause(policy: PausePolicy, number: int, jitter: float) -> float:
    """Seconds of the pause `number` (from 1) in a row; `jitter` in [0, 1) as for `backoff`."""
    whole = min(policy.ceiling, policy.first * policy.factor ** min(number - 1, 63))
    return whole * (0.5 + jitter / 2)

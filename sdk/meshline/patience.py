"""When a failed attempt is made again, as pure functions of what was answered."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that another attempt may turn into success."""

_FIRST = 0.2  # seconds
_CEILING = 10.0


def backoff(attempt: int, jitter: float, *, ceiling: float = _CEILING) -> float:
    """Seconds to wait after `attempt` failed attempts (from 1); `jitter` in [0, 1) spreads it."""
    return min(ceiling, _FIRST * 2.0 ** min(attempt - 1, 10)) * (0.5 + jitter / 2)


def jitter() -> float:
    """What spreads the next wait."""
    return int.from_bytes(os.urandom(4), "big") / 2**32  # the module random is slow to load


def retry_after(value: str | None, now: datetime | None = None) -> float:
    """The seconds that a Retry-After header asks for; 0 where it asks for nothing readable.

    It is a number of seconds or an HTTP date (RFC 9110, section 10.2.3).
    """
    if value is None:
        return 0.0
    if value.strip().isdecimal():
        return float(value)
    from datetime import datetime, timezone  # seldom needed, and the mail parser is slow to load
    from email.utils import parsedate_to_datetime

    try:
        then = parsedate_to_datetime(value)
    except (TypeError, ValueError):  # Python 3.9 raises the first
        return 0.0
    if then.tzinfo is None:
        then = then.replace(tzinfo=timezone.utc)
    return max(0.0, (then - (now or datetime.now(timezone.utc))).total_seconds())

"""When an approved change goes live, as a person writes it."""

from __future__ import annotations

from datetime import UTC, datetime

from orchestrator.domain.errors import Refused
from orchestrator.domain.text.durations import seconds

NOW = "now"
"""What a person writes for a change that is to go live as soon as it is approved."""

LONGEST_WAIT_SECONDS = 90 * 86_400.0
"""How far ahead a change may be scheduled."""


def time_to_go_live(text: str, now: int) -> int:
    """Milliseconds since 1970, of `2h` from `now` or of an ISO 8601 time with its zone.

    Raises Refused for what is neither, is over, or more than 90 days ahead.

    >>> time_to_go_live("2h", 0), time_to_go_live("1970-01-01T01:00+00:00", 0)
    (7200000, 3600000)
    """
    return time_ahead(text, now, field="at")


def time_ahead(text: str, now: int, *, field: str) -> int:
    """The same for a field of another name."""
    at = _read(text.strip(), now, field)
    if not now < at <= now + LONGEST_WAIT_SECONDS * 1000:
        raise Refused(
            f"{text!r} is not within the next 90 days",
            field=field,
            fix="write a time that is to come",
        )
    return at


def _read(text: str, now: int, field: str) -> int:
    try:
        return now + int(min(seconds(text), 2 * LONGEST_WAIT_SECONDS) * 1000)
    except ValueError:
        pass
    example = datetime.fromtimestamp(now / 1000 + 86_400, UTC).strftime("%Y-%m-%dT08:00+01:00")
    fix = f"write 2h or 3d, or a time such as {example}"
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{text!r} cannot be read as a time", field=field, fix=fix) from None
    if found.tzinfo is None:
        raise Refused(f"{text!r} has no time zone", field=field, fix=fix)
    try:
        return int(found.timestamp() * 1000)
    except OverflowError:
        raise Refused(f"{text!r} is out of range", field=field, fix=fix) from None

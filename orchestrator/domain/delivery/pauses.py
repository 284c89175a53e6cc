"""When a pause by a person ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.domain.errors import Refused
from orchestrator.domain.text.durations import seconds

_LONGEST_DAYS = 366
ENDLESS = "resumed"
"""What a person writes for a pause that lasts until somebody resumes it."""


def end_of_pause(text: str, now: datetime) -> datetime | None:
    """The end that a person wrote: `2h`, `2026-11-30T08:00+01:00`, or `resumed` for none.

    Raises Refused for what is neither, has no zone, lies in the past, or more than a year ahead.

    >>> end_of_pause("2h", datetime(2026, 11, 29, 6, tzinfo=UTC)).hour
    8
    """
    if text.strip() == ENDLESS:
        return None
    end = _read(text.strip(), now)
    if end <= now:
        raise _refused(f"{text!r} is in the past", "write a time that is still to come")
    if end > now + timedelta(days=_LONGEST_DAYS):
        raise _refused(
            f"{text!r} is more than a year ahead",
            f"write an earlier time, or `{ENDLESS}` for a pause until somebody resumes it",
        )
    return end


def _read(text: str, now: datetime) -> datetime:
    try:
        return now + timedelta(seconds=min(seconds(text), 2 * _LONGEST_DAYS * 86_400))
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        fix = f"write 2h, 30m or 3d, a time such as {_example(now)}, or `{ENDLESS}`"
        raise _refused(f"{text!r} is neither a duration nor a time", fix) from None
    if found.tzinfo is None:
        raise _refused(f"{text!r} has no time zone", f"write it with one, such as {_example(now)}")
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise _refused(f"{text!r} is out of range", "write a time that is near") from None


def _example(now: datetime) -> str:
    return f"{now + timedelta(days=1):%Y-%m-%dT08:00+01:00}"


def _refused(problem: str, fix: str) -> Refused:
    return Refused(problem, field="until", fix=fix)

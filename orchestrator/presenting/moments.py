"""Times and spans as people read them: the same words on a terminal, on a page and in an alert.

Times come as the store says them, ISO 8601 in UTC; `now` is the store's, in milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime

_NOTHING = "-"
# A unit is used from so many seconds on: what is under three days is counted in hours.
_UNITS = (("d", 72 * 3_600, 86_400), ("h", 2 * 3_600, 3_600), ("m", 60, 60))


def moment(at: str | None, *, milliseconds: bool = False) -> str:
    """A time in UTC, to the second or finer; a dash where there is none.

    >>> moment("2026-11-29T05:40:00.123Z")
    '2026-11-29 05:40:00Z'
    """
    if not at:
        return _NOTHING
    when = datetime.fromisoformat(at).astimezone(UTC)
    if milliseconds:
        return f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03}Z"
    return f"{when:%Y-%m-%d %H:%M:%SZ}"


def local_moment(at: str, zone: str | None) -> str:
    """A time in a time zone, with its name; UTC without a zone.

    >>> local_moment("2026-11-30T09:15:00+00:00", "Europe/Berlin")
    'Mon 2026-11-30 10:15 CET (Europe/Berlin)'
    """
    if zone is None:
        return f"{datetime.fromisoformat(at).astimezone(UTC):%a %Y-%m-%d %H:%M %Z}"
    from zoneinfo import ZoneInfo  # no listing shows local times

    return f"{datetime.fromisoformat(at).astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z} ({zone})"


def span(seconds: float) -> str:
    """A duration in its largest unit.

    >>> span(7_199), span(259_199), span(259_200)
    ('119m', '71h', '3d')
    """
    for unit, least, size in _UNITS:
        if seconds >= least:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def age(at: str | None, now: int) -> str:
    """How long ago a time was: `3m`; a dash where there is none."""
    return span(-_ahead(at, now)) if at else _NOTHING


def away(at: str, now: int) -> str:
    """How far a time is from now, on either side: `in 2h`, `3m ago`."""
    ahead = _ahead(at, now)
    return f"in {span(ahead)}" if ahead >= 0 else f"{span(-ahead)} ago"


def left(at: str | None, now: int) -> str:
    """How long there is until a deadline, or for how long it is over: `in 3h`, `overdue 60m`."""
    if not at:
        return _NOTHING
    ahead = _ahead(at, now)
    return f"in {span(ahead)}" if ahead >= 0 else f"overdue {span(-ahead)}"


def moment_and_distance(at: str, now: int) -> str:
    """A time with how far it is away: `2026-11-29 05:40:00Z (in 2h)`."""
    return f"{moment(at)} ({away(at, now)})"


def _ahead(at: str, now: int) -> float:
    """Seconds from now until then; below zero where it is over."""
    return datetime.fromisoformat(at).timestamp() - now / 1000

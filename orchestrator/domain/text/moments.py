"""Moments and spans in words, in the time zone of whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_UNITS = (("d", 72 * 3_600, 86_400), ("h", 2 * 3_600, 3_600), ("m", 60, 60))


def local_time(moment: str, zone: str | None) -> str:
    """An ISO time in a time zone, with its name; UTC without a zone.

    >>> local_time("2026-11-30T09:15:00+00:00", "Europe/Berlin")
    'Mon 2026-11-30 10:15 CET (Europe/Berlin)'
    """
    at = datetime.fromisoformat(moment).astimezone(ZoneInfo(zone) if zone else UTC)
    named = f" ({zone})" if zone else ""
    return f"{at:%a %Y-%m-%d %H:%M %Z}{named}"


def time_left(moment: str, now: datetime) -> str:
    """How long there is until an ISO time, or for how long it is over.

    >>> time_left("2026-11-30T09:15:00+00:00", datetime(2026, 11, 30, 9, 0, tzinfo=UTC))
    '15m left'
    """
    seconds = (datetime.fromisoformat(moment) - now).total_seconds()
    return f"{_span(seconds)} left" if seconds >= 0 else f"overdue for {_span(-seconds)}"


def _span(seconds: float) -> str:
    for unit, least, size in _UNITS:
        if seconds >= least:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"

"""Names of time zones."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NAME_A_ZONE = "write a name of the time zone database, such as Europe/Berlin or UTC"


def is_zone(text: str) -> bool:
    """Whether the time zone database has this name."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return False
    return True

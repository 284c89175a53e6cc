"""A time as a person writes it: a while ago, or a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from orchestrator.domain.text.durations import seconds

EXAMPLES = "2h, 30m, 3d or ISO 8601 such as 2026-11-23T08:00Z"


def given_time(text: str, now: int) -> int | None:
    """A time in milliseconds since 1970, from `2h` (ago) or ISO 8601; None for any other text.

    Without a zone it is in UTC.

    >>> given_time("2h", 7_200_000), given_time("1970-01-01 00:01", 0), given_time("soon", 0)
    (0, 60000, None)
    """
    if ago := _AGO.fullmatch(text.strip()):
        return now - int(seconds(ago[1]) * 1000)
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    known = read if read.tzinfo else read.replace(tzinfo=UTC)
    return int(known.timestamp() * 1000)


_AGO = re.compile(r"([0-9]{1,9}[smhd])(\s+ago)?")

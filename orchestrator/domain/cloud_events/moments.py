"""Moments by the grammar of RFC 3339."""

from __future__ import annotations

import re
from calendar import monthrange

_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_DAY = 24 * 60  # minutes


def is_moment(text: str) -> bool:
    """Whether a text is a date-time: with seconds and an offset, and a day that there is.

    A leap second is one only at 23:59:60 UTC.

    >>> is_moment("2018-04-05T17:31:00.5Z"), is_moment("2018-02-30T17:31:00Z")
    (True, False)
    """
    found = _MOMENT.fullmatch(text)
    if found is None:
        return False
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    sign, hours, minutes = found[7] or "+", int(found[8] or 0), int(found[9] or 0)
    if not (1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return False
    if hour > 23 or minute > 59 or second > 60 or hours > 23 or minutes > 59:
        return False
    offset = (hours * 60 + minutes) * (1 if sign == "+" else -1)
    return second < 60 or (hour * 60 + minute - offset) % _DAY == _DAY - 1

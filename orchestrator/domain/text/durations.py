"""Durations as people write them: 5s, 15m, 1h, 72h, 3d."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")


def seconds(text: str) -> float:
    """The seconds of a duration such as `15m`. Raises ValueError where it is not one."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration")
    return int(match[1]) * _UNITS[match[2]]


def told_seconds(length: int) -> str:
    """Whole seconds as `seconds` reads them, in the largest unit that leaves nothing over.

    >>> told_seconds(7200), told_seconds(90)
    ('2h', '90s')
    """
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if length % size == 0:
            return f"{length // size}{unit}"
    return f"{length}s"

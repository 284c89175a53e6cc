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

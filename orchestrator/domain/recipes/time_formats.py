"""How a sender writes a time: `%d.%m.%Y %H:%M` read exactly, whatever the machine's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_ONE_OR_TWO = frozenset("dmHI")  # digits, where no other digits are beside them
_PATTERNS: Mapping[str, str] = {
    "Y": "[0-9]{4}", "y": "[0-9]{2}", "m": "[0-9]{2}", "d": "[0-9]{2}", "H": "[0-9]{2}",
    "I": "[0-9]{2}", "M": "[0-9]{2}", "S": "[0-9]{2}", "f": "[0-9]{1,9}",
    "p": "[AaPp][Mm]", "z": "[Zz]|[+-][0-9]{2}:?[0-9]{2}",
    "b": "|".join(one[:3] for one in _MONTHS), "B": "|".join(_MONTHS),
    "a": "|".join(one[:3] for one in _DAYS), "A": "|".join(_DAYS),
}  # fmt: skip
_LIKE_ENGLISH = re.IGNORECASE | re.ASCII  # else a long s and the Kelvin sign are letters of names
_NUMBERS = frozenset("YymdHIMSf")
_FIRST_OF_LAST_CENTURY = 69  # %y: 69 is 1969 and 68 is 2068, as POSIX has it

_DIRECTIVE = re.compile(r"%(.|$)", re.DOTALL)
DIRECTIVES = ", ".join(f"%{one}" for one in _PATTERNS)


_OF_A_DAY: Mapping[str, tuple[str, ...]] = {
    "year": ("Y", "y"),
    "month": ("m", "b", "B"),
    "day": ("d",),
}
_OF_A_TIME: Mapping[str, tuple[str, ...]] = {**_OF_A_DAY, "hour": ("H", "Ip"), "minute": ("M",)}


def format_fault(form: str, *, day_only: bool = False) -> str | None:
    """What is wrong with the format of a time of day on a day; None for one that can be read.

    With `day_only` the format of a day; it may have a time beside it.
    """
    found = _DIRECTIVE.findall(form)
    for one in found:
        if one not in _PATTERNS and one != "%":
            return f"`%{one}` is not known; there are {DIRECTIVES} and %%"
        if one != "%" and found.count(one) > 1:
            return f"`%{one}` is there twice"
    for what, ways in (_OF_A_DAY if day_only else _OF_A_TIME).items():
        if not any(set(way) <= {*found} for way in ways):
            said = " or ".join(" with ".join(f"%{one}" for one in way) for way in ways)
            return f"it says no {what}: {said}"
    if {"I", "H"} <= {*found}:
        return "it has %H and %I, which both say the hour"
    if "I" in found and "p" not in found:
        return "it has %I without %p, which says no hour: write both, or %H"
    return None


def read_time(text: str, form: str) -> datetime:
    """The time that a text says in a format; aware only where the text has an offset.

    It is midnight where the format has no time of day.
    Raises ValueError where the text is not written so, to the last character.
    """
    match = _pattern(form).fullmatch(text)
    if match is None:
        raise ValueError(f"it is not written {form}")
    said = {name: value for name, value in match.groupdict().items() if value is not None}
    try:
        found = datetime(
            _year(said), _month(said), int(said["d"]), _hour(said), int(said.get("M", 0)),
            int(said.get("S", 0)), int(said.get("f", "0").ljust(6, "0")[:6]), _offset(said),
        )  # fmt: skip
    except ValueError:
        raise ValueError("there is no such time in the calendar") from None
    day = said.get("a") or said.get("A")
    if day is not None and not _DAYS[found.weekday()].startswith(day.lower()):
        raise ValueError("that day is another day of the week")
    return found


def _year(said: Mapping[str, str]) -> int:
    if "Y" in said:
        return int(said["Y"])
    year = int(said["y"])
    return year + (1900 if year >= _FIRST_OF_LAST_CENTURY else 2000)


def _month(said: Mapping[str, str]) -> int:
    if "m" in said:
        return int(said["m"])
    name = (said.get("B") or said["b"]).lower()
    return next(place for place, one in enumerate(_MONTHS, start=1) if one.startswith(name))


def _hour(said: Mapping[str, str]) -> int:
    if "I" not in said:
        return int(said.get("H", 0))
    hour = int(said["I"])
    if not 1 <= hour <= 12:
        raise ValueError
    return hour % 12 + (12 if said["p"].lower() == "pm" else 0)


def _offset(said: Mapping[str, str]) -> timezone | None:
    text = said.get("z")
    if text is None:
        return None
    if text in "Zz":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if minutes >= 60:
        raise ValueError
    ahead = timedelta(hours=hours, minutes=minutes)
    return timezone(-ahead if text[0] == "-" else ahead)


@lru_cache(maxsize=256)
def _pattern(form: str) -> re.Pattern[str]:
    parts = re.findall(r"%.|[^%]", form, re.DOTALL)
    return re.compile("".join(map(_part, ["", *parts], parts, [*parts[1:], ""])), _LIKE_ENGLISH)


def _part(before: str, part: str, after: str) -> str:
    """A part of a format as a regular expression; digits beside digits have to be two."""
    if len(part) == 1 or part == "%%":
        return re.escape(part[0])
    name = part[1]
    is_alone = not any(one.isdigit() or one[1:] in _NUMBERS for one in (before, after) if one)
    digits = "[0-9]{1,2}" if name in _ONE_OR_TWO and is_alone else _PATTERNS[name]
    return f"(?P<{name}>{digits})"

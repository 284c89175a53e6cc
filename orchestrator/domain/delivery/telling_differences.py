"""What differs between two values, in words that show it and hold neither."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from orchestrator.domain.delivery.moments import is_moment, lacks_zone, seconds_later
from orchestrator.domain.text.composing import composed

_DEEPEST = 4  # how far into lists and objects a place is named


class _Absent:
    """A field that a record does not have."""


ABSENT: Final = _Absent()


def told_difference(
    sent: object, stored: object, *, as_moments: bool = False, zone: str | None = None
) -> str:
    """How what is stored differs from what was sent.

    >>> told_difference("abc", "abd")
    'differs at character 3'
    """
    if stored is ABSENT:
        return "the record has no such field"
    if as_moments:
        told = _told_moments(sent, stored, zone)
        if told is not None:
            return told
    kinds = _kind(sent), _kind(stored)
    if kinds[0] != kinds[1]:
        return f"sent {kinds[0]}, stored {kinds[1]}"
    if isinstance(sent, str) and isinstance(stored, str):
        return _told_texts(sent, stored)
    return _told_parts(sent, stored)


def _kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a text" if value.strip() else "a blank text"
    return "a list" if isinstance(value, list) else "an object"


def _told_moments(sent: object, stored: object, zone: str | None) -> str | None:
    for which, value in (("sent", sent), ("stored", stored)):
        if not is_moment(value, zone):
            return f"{which} is not a moment" if isinstance(value, str) and value else None
    if lacks_zone(sent, zone) is not lacks_zone(stored, zone):
        which = "stored" if lacks_zone(stored, zone) else "sent"
        return f"{which} says no zone: name it with zone: Europe/Berlin"
    later = seconds_later(sent, stored, zone)
    if later is None:
        return None
    return f"stored {_span(abs(later))} {'later' if later > 0 else 'earlier'}"


def _span(seconds: Decimal) -> str:
    return f"{seconds.normalize():f} s" if seconds < 1_000_000_000 else "decades"


def _told_texts(sent: str, stored: str) -> str:
    lines = len(sent.splitlines()), len(stored.splitlines())
    if lines[0] != lines[1]:
        counted = "1 line" if lines[0] == 1 else f"{lines[0]} lines"
        return f"sent {counted}, stored {lines[1]}"
    pairs = enumerate(zip(sent, stored, strict=False), start=1)
    shorter = min(len(sent), len(stored))
    at = next((place for place, (one, other) in pairs if one != other), shorter + 1)
    where = f"differs at character {at}"
    if composed(sent) == composed(stored):
        where += " in how Unicode composes it"
    if len(sent) == len(stored):
        return where
    return f"sent {_characters(len(sent))}, stored {len(stored)}: {where}"


def _characters(count: int) -> str:
    return "1 character" if count == 1 else f"{count} characters"


def _told_parts(sent: object, stored: object, place: str = "") -> str:
    """Of lists and objects, and of their parts, the first part that differs."""
    at = f" at {place}" if place else ""
    if isinstance(sent, list) and isinstance(stored, list):
        if len(sent) != len(stored):
            return f"sent {len(sent)} items, stored {len(stored)}{at}"
        pairs: list[tuple[str, object, object]] = [
            (str(number), one, other)
            for number, (one, other) in enumerate(zip(sent, stored, strict=True))
        ]
    elif isinstance(sent, dict) and isinstance(stored, dict):
        if sent.keys() != stored.keys():
            return f"{_told_names(sent, stored)}{at}"
        pairs = [(str(name), sent[name], stored[name]) for name in sent]
    else:
        return f"{told_difference(sent, stored)}{at}" if place else "another value"
    for name, one, other in pairs:
        if one != other or type(one) is not type(other):
            return _told_part(one, other, f"{place}.{name}" if place else name)
    return f"another value{at}"


def _told_part(sent: object, stored: object, place: str) -> str:
    if place.count(".") >= _DEEPEST:
        return f"another value at {place}"
    if _kind(sent) == _kind(stored) and isinstance(sent, list | dict):
        return _told_parts(sent, stored, place)
    return f"{told_difference(sent, stored)} at {place}"


def _told_names(sent: dict[object, object], stored: dict[object, object]) -> str:
    missing, added = len(sent.keys() - stored.keys()), len(stored.keys() - sent.keys())
    return f"{missing} of its names are not stored, and {added} others are"

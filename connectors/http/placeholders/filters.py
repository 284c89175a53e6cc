"""What a placeholder may do to its value: `{send.email|lower|md5}`."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping

_MOST_DIGITS = 1_000  # of a whole number: Python itself refuses to read some thousands
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")

Filter = Callable[[object], object]


class Unfilterable(ValueError):
    """Raised when a value is not what a filter takes; the text ends a sentence about it."""


def plain_text(value: object) -> str:
    """A plain value as text. Raises Unfilterable."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    kind = "null" if value is None else "an object" if isinstance(value, dict) else "a list"
    raise Unfilterable(f"is {kind} and cannot be part of a text")


def _number(value: object) -> object:
    """A number of its text; one that is a number already stays as it is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    text = plain_text(value).strip()
    if not _NUMBER.fullmatch(text) or isinstance(value, bool):
        raise Unfilterable("is not a number")
    if not text.lstrip("-").isdigit():
        found: int | float = float(text)
    elif len(text) <= _MOST_DIGITS:
        found = int(text)
    else:
        found = math.inf
    if math.isinf(found):
        raise Unfilterable("is a number that is too large")
    return found


def _hash(name: str) -> Filter:
    def digest(value: object) -> object:
        found = hashlib.new(name, plain_text(value).encode(), usedforsecurity=False)
        return found.hexdigest()

    return digest


FILTERS: Mapping[str, Filter] = {
    "lower": lambda value: plain_text(value).lower(),
    "trim": lambda value: plain_text(value).strip(),
    "text": plain_text,
    "number": _number,
    **{name: _hash(name) for name in ("md5", "sha1", "sha256", "sha512")},
}

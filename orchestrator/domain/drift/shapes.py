"""What a single value looks like: its type, its format, and what of it may be shown."""

from __future__ import annotations

import re

from orchestrator.domain.text.visible import visible

_LONGEST_SHOWN = 32
_LONGEST_KEPT = 200  # of a text, where values are compared

_FORMATS = (
    ("email", re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")),
    ("uuid", re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("date-time", re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("uri", re.compile(r"[a-z][a-z0-9+.-]*://\S+")),
    ("digits", re.compile(r"-?\d+(\.\d+)?")),
    ("hex", re.compile(r"(?=\w*\d)(?=\w*[a-fA-F])[0-9a-fA-F]{7,}")),
    ("token", re.compile(r"(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/=-]{14,}")),
    ("phone", re.compile(r"\+?[\d ()/-]{7,}")),
    ("word", re.compile(r"[\w-]+")),
)
_SPECIFIC = frozenset({"email", "uuid", "uri", "hex", "date-time", "date", "phone", "token"})
_SECONDS, _MILLISECONDS = range(10**9, 4 * 10**9), range(10**12, 4 * 10**12)
_TELLS_NOTHING = frozenset({"", "0", "1", "true", "false"})


def type_of(value: object) -> str:
    """The type of a value in JSON Schema's names; 5.0 is an integer, as it has it."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "integer" if value.is_integer() else "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def text_of(value: object) -> str | None:
    """A scalar as text, so that "5" and 5 compare; None for what is not a scalar, or null."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value[:_LONGEST_KEPT]
        case float() if value.is_integer():
            return str(int(value))
        case int() | float():
            return str(value)
    return None


def format_of(text: str) -> str:
    """The format of a scalar's text: `email`, `date-time`, `word` … or else `text`."""
    if text.isdigit():
        number = int(text[:20])
        if number in _SECONDS:
            return "epoch seconds"
        if number in _MILLISECONDS:
            return "epoch milliseconds"
    for name, pattern in _FORMATS:
        if pattern.fullmatch(text):
            return name
    return "text"


def is_specific(named: str) -> bool:
    """Whether a format by itself says much about what a field is."""
    return named in _SPECIFIC


def tells(text: str) -> bool:
    """Whether a value that two fields share says anything: `true` and 0 are everywhere."""
    return text not in _TELLS_NOTHING


def masked(text: str) -> str:
    """The shape of a value, never the value: letters are x, digits are 9."""
    shape = "".join("9" if one.isdigit() else "x" if one.isalpha() else one for one in text)
    cut = shape if len(shape) <= _LONGEST_SHOWN else f"{shape[: _LONGEST_SHOWN - 3]}..."
    return f"`{visible(cut)}`"


def listed(text: str) -> str:
    """A value of a field that has few: as it is where it is a plain word, else masked."""
    plain = re.fullmatch(r"[\w .:/-]{1,40}", text) and sum(map(str.isdigit, text)) < 6
    return f"`{text}`" if plain else masked(text)

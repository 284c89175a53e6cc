"""How a value is shown to people: short, on one line, whatever it holds."""

from __future__ import annotations

import orjson

_LONGEST = 60


def abbreviate(value: object, longest: int = _LONGEST) -> str:
    """The JSON of a value on one line, cut in the middle of nowhere past `longest` characters."""
    if isinstance(value, str) and len(value) > longest:
        value = value[: longest + 1]  # a megabyte is not written out to be cut
    if isinstance(value, dict | list) and len(value) > longest:
        return f"an {'object' if isinstance(value, dict) else 'array'} of {len(value)}"
    return shorten(orjson.dumps(value).decode(), longest)


def shorten(text: str, longest: int = _LONGEST) -> str:
    """A text cut past `longest` characters, which then shows."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."

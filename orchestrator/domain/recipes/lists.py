"""Lists that senders write otherwise: one value alone, or an object with numbers for keys."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


def as_list(value: object) -> list[object]:
    """The list that an object with numbers for keys is. Raises ValueError with a sentence."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        if (entries := _numbered(value, close_gaps=False)) is not None:
            return entries
        raise ValueError("its keys are not the numbers of entries")
    raise ValueError("it is not a list")  # a list of one is what `wrap` makes


def wrapped(value: object, *, close_gaps: bool) -> list[object]:
    """A list of what is alone; of an object with numbers for keys its entries.

    Raises ValueError with a sentence where it could be either.
    """
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        entries = _numbered(value, close_gaps=close_gaps)
        return [value] if entries is None else entries
    return [value]


def _numbered(value: dict[str, object], *, close_gaps: bool) -> list[object] | None:
    """The entries of an object whose keys are all numbers, in their order; else None."""
    numbers = sorted(int(key) for key in value if _NUMBER.fullmatch(key))
    if not numbers:
        return None if value else []
    if len(numbers) < len(value):
        raise ValueError("some of its keys are numbers and some are not")
    if not close_gaps and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        raise ValueError("its keys are numbers with gaps between them; `gaps: close` closes them")
    if not close_gaps and numbers[0] > 1:
        raise ValueError(
            "the numbers of its keys do not begin with 0 or 1; `gaps: close` takes their order"
        )
    return [value[str(number)] for number in numbers]


def as_object(value: object) -> dict[str, object]:
    """The object that an empty list is. Raises ValueError with a sentence."""
    if isinstance(value, dict):
        return value
    if value == []:
        return {}
    raise ValueError("it is neither an object nor an empty list")

"""Reading one value of an address after the other, and saying what could be written instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from orchestrator.domain.errors import Refused
from orchestrator.domain.text.given_times import EXAMPLES, given_time
from orchestrator.domain.text.words import sought_words

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_LONGEST_PAUSE = 3600  # seconds


def values_of(argument: Callable[[str], str]) -> Callable[[str], str | None]:
    """What an address gives by name, where it gives anything; `argument` answers "" otherwise."""
    return lambda name: searchable(argument(name)).strip() or None


def searchable(text: str) -> str:
    """A text that any store can be asked for: PostgreSQL refuses NUL, which is in none anyway."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def query_of(filters: DataclassInstance) -> str:
    """Filters as the query of an address."""
    return urlencode({name: value for name, value in asdict(filters).items() if value is not None})


def one_of(name: str, value: str | None, known: Sequence[str]) -> str | None:
    """One of the known words. Raises Refused."""
    if value is not None and value not in known:
        raise Refused(f"there is no {name} {value!r}", field=name, fix=f"use {', '.join(known)}")
    return value


def number_of(value: str | None) -> str | None:
    """The number of an incident, as text. Raises Refused."""
    if value is not None and not re.fullmatch("[0-9]{1,18}", value):
        raise Refused(
            f"{value!r} is not an incident number", field="incident", fix="write one such as 7"
        )
    return value


def row_number(name: str, value: str | None) -> str | None:
    """The number of a row in a list, as text. Raises Refused."""
    if value is not None and not re.fullmatch("[0-9]{1,18}", value):
        raise Refused(f"{value!r} is not a place in a list", field=name, fix="use the links")
    return value


def worded(value: str | None) -> str | None:
    """A text with words in it that can be looked for. Raises Refused."""
    if value is not None:
        sought_words(value)  # refuses what has no word
    return value


def time_of(name: str, value: str | None) -> str | None:
    """A time as people write it. Raises Refused."""
    if value is not None and given_time(value, 0) is None:
        raise Refused(f"{value!r} is not a time", field=name, fix=f"write {EXAMPLES}")
    return value


def seconds_of(value: str | None) -> int | None:
    """A number of seconds between two looks. Raises Refused."""
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= _LONGEST_PAUSE):
        raise Refused(
            f"{value!r} is not a number of seconds",
            field="refresh",
            fix=f"write a whole number from 1 to {_LONGEST_PAUSE}",
        )
    return int(value)

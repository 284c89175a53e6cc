"""The kinds of values in a connector's definition, each saying what to write instead."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, StringConstraints
from pydantic_core import PydanticCustomError

from connectors.references import REFERENCE
from orchestrator.domain.durations import seconds
from orchestrator.domain.handoff import Idempotency, Proof

_W = TypeVar("_W", Idempotency, Proof)


def _wrong(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{problem}", {"problem": problem, "fix": fix})


def _like(pattern: str, problem: str, fix: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise _wrong(problem, fix)
        return text

    return AfterValidator(check)


def _between(least: str, most: str) -> BeforeValidator:
    """Read a duration such as 10s into seconds, within bounds that are written alike."""
    low, high = seconds(least), seconds(most)

    def read(value: object) -> float:
        try:
            found = seconds(str(value))
        except ValueError:
            raise _wrong("it is not a duration", "write a number and a unit: 10s") from None
        if not low <= found <= high:
            raise _wrong("it is out of bounds", f"write {least} to {most}")
        return found

    return BeforeValidator(read)


def word_of(words: type[_W]) -> BeforeValidator:
    """Read one word of an enumeration."""

    def read(value: object) -> _W:
        try:
            return words(str(value))
        except ValueError:
            raise _wrong("it is none of its words", f"write {' or '.join(words)}") from None

    return BeforeValidator(read)


def _port(value: object) -> object:
    is_port = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65_536
    is_reference = isinstance(value, str) and re.fullmatch(REFERENCE, value)
    if not is_port and not is_reference:
        raise _wrong("it is no port", "write a number from 1 to 65535, or env:NAME")
    return value


def _places(value: object) -> object:
    named = value.items() if isinstance(value, dict) else [("all", value)]
    if not all(isinstance(place, str) for _, place in named):
        raise _wrong("it does not say where fields are", "write `name: path` pairs, or one path")
    return value


Slug = Annotated[
    str, _like(r"[a-z][a-z0-9_-]{0,62}", "it is not a plain name", "write a-z, 0-9, _ and - only")
]
Secret = Annotated[
    str,
    _like(
        REFERENCE,
        "it is not a reference",
        "write env:NAME or file:PATH; a secret never stands in a definition",
    ),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
FieldName = Annotated[
    str, _like(r"[^{}\s]{1,100}", "it is not a field's name", "write it without spaces and braces")
]
Port = Annotated[int | str, BeforeValidator(_port)]
Places = Annotated[str | dict[str, str], BeforeValidator(_places)]
CallTime = Annotated[float, _between("10ms", "50s")]
SettleTime = Annotated[float, _between("0s", "1h")]

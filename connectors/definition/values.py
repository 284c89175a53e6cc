"""The kinds of values in a connector's definition, each saying what to write instead."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from connectors.definition.paths import as_text, path_problem
from connectors.definition.references import REFERENCE
from orchestrator.domain.delivery.comparing import Comparison
from orchestrator.domain.text.durations import seconds

_W = TypeVar("_W", bound=StrEnum)


@dataclass(frozen=True, kw_only=True)
class FieldPlace:
    """Where a record has a field, and what the system may change about it."""

    at: str
    compare: Comparison = Comparison.EXACT
    zone: str | None = None  # of a time that the system writes without one


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


def words_of(words: type[_W]) -> tuple[BeforeValidator, WithJsonSchema]:
    """Read one word of an enumeration or a list of them, as a set; with its JSON Schema."""
    schema = {"enum": [word.value for word in words]}

    def read(value: object) -> frozenset[_W]:
        try:
            return frozenset(map(words, value if isinstance(value, list) else [value]))
        except ValueError:
            raise _wrong("it is none of its words", f"write {' or '.join(words)}") from None

    listed = {"anyOf": [schema, {"type": "array", "items": schema}]}
    return BeforeValidator(read), WithJsonSchema(listed)


def _statuses(value: object) -> frozenset[int]:
    """One status, a class of them such as 4xx, or a list of both."""
    found: set[int] = set()
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, int) and not isinstance(one, bool) and 100 <= one < 600:
            found.add(one)
        elif isinstance(one, str) and re.fullmatch("[1-5]xx", one):
            found |= set(range(int(one[0]) * 100, int(one[0]) * 100 + 100))
        else:
            raise _wrong("it is not a status", "write a status such as 404, or 4xx, or a list")
    return frozenset(found)


def _texts(value: object) -> tuple[str, ...]:
    """One text or a list of them; a number is its text."""
    found = []
    for one in value if isinstance(value, list) else [value]:
        text = as_text(one)
        if not text:
            raise _wrong("it is not a text", 'write a text such as "ok", or a list of them')
        found.append(text)
    return tuple(found)


def listed(value: object) -> object:
    """A list; of one thing, that alone."""
    return value if isinstance(value, list) else [value]


def _port(value: object) -> object:
    is_port = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 65_536
    is_reference = isinstance(value, str) and re.fullmatch(REFERENCE, value)
    if not is_port and not is_reference:
        raise _wrong("it is not a port", "write a number from 1 to 65535, or env:NAME")
    return value


def _path(text: str) -> str:
    if found := path_problem(text):
        raise _wrong(*found)
    return text


def _places(value: object) -> object:
    """One path, or by field's name a path or `{at: path, as: word}`."""
    if isinstance(value, str):
        return _path(value)
    if not isinstance(value, dict):
        raise _wrong("it does not say where fields are", "write `name: path` pairs, or one path")
    return _each_place(value)


def _each_place(said: dict[object, object]) -> dict[str, FieldPlace]:
    """The places by field. Raises ValidationError with the fault of each that is wrong."""
    places, faults = {}, []
    for name, one in said.items():
        try:
            places[str(name)] = _place(str(name), one)
        except PydanticCustomError as error:
            faults.append(InitErrorDetails(type=error, loc=(str(name),), input=one))
    if faults:
        raise ValidationError.from_exception_data("fields", faults)
    return places


def _place(name: str, said: object) -> FieldPlace:
    if isinstance(said, str):
        return FieldPlace(at=_path(said))
    if not isinstance(said, dict) or not isinstance(said.get("at"), str) or said.keys() - _PLACE:
        raise _wrong(f"{name} does not say where it is", "write {at: path, as: text}")
    try:
        compare = Comparison(said.get("as", "exact"))
    except ValueError:
        fix = f"write as: {' or '.join(Comparison)}"
        raise _wrong(f"{name} says no known way to compare", fix) from None
    zone = said.get("zone")
    if zone is not None:
        _check_zone(name, zone, compare)
    return FieldPlace(at=_path(said["at"]), compare=compare, zone=zone)


def _check_zone(name: str, zone: object, compare: Comparison) -> None:
    if compare not in (Comparison.MOMENT, Comparison.DATE):
        raise _wrong(f"{name} has a zone and is not a time", "write as: moment, or take it out")
    try:
        ZoneInfo(str(zone))
    except (ValueError, OSError, ZoneInfoNotFoundError):
        fix = "write a name of the time zone database, such as Europe/Berlin or UTC"
        raise _wrong(f"{name} names no known time zone", fix) from None


_PLACE = {"at", "as", "zone"}
_DURATION = WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$"})
_STATUS: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": "^[1-5]xx$"},
    ]
}
_STATUSES = WithJsonSchema({"anyOf": [_STATUS, {"type": "array", "items": _STATUS}]})
_FIELDS_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "additionalProperties": {
                    "anyOf": [
                        {"type": "string"},
                        {
                            "type": "object",
                            "properties": {
                                "at": {"type": "string"},
                                "as": {"enum": [word.value for word in Comparison]},
                                "zone": {"type": "string"},
                            },
                            "required": ["at"],
                            "additionalProperties": False,
                        },
                    ]
                },
            },
        ]
    }
)

Slug = Annotated[
    str, _like(r"[a-z][a-z0-9_-]{0,62}", "it is not a plain name", "write a-z, 0-9, _ and - only")
]
Secret = Annotated[
    str,
    _like(
        REFERENCE,
        "it is not a reference",
        "write env:NAME or file:PATH; a definition never holds a secret",
    ),
]
SecretName = Annotated[
    str, _like(r"[A-Za-z][A-Za-z0-9_]{0,62}", "it is not a plain name", "write letters, 0-9 and _")
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
UrlPath = Annotated[str, StringConstraints(max_length=2_000)]
FieldName = Annotated[
    str,
    _like(r"[^{}|\s]{1,100}", "it is not a field's name", "write it without spaces, braces and |"),
]
Place = Annotated[str, AfterValidator(_path)]
Places = Annotated[Any, BeforeValidator(_places), _FIELDS_SCHEMA]
Port = Annotated[int | str, BeforeValidator(_port)]
Texts = Annotated[
    Any,
    BeforeValidator(_texts),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Statuses = Annotated[Any, BeforeValidator(_statuses), _STATUSES]
CallTime = Annotated[float, _between("10ms", "50s"), _DURATION]
LagTime = Annotated[float, _between("0s", "50s"), _DURATION]
SettleTime = Annotated[float, _between("0s", "1h"), _DURATION]
Window = Annotated[float, _between("100ms", "1d"), _DURATION]

"""Where an answer says something of a record: in its JSON, in a header, or as we know it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from connectors.definition.paths import path_problem

_KEYS = ("at", "header", "value")
_LONGEST_PATTERN = 200


@dataclass(frozen=True, kw_only=True)
class Origin:
    """One of `at`, `header` and `value`; `pattern` goes with a header."""

    at: str | None = None  # a path in the answer's JSON
    header: str | None = None
    pattern: str | None = None  # its first group is what is meant
    value: str | None = None  # a template: nothing of the answer is needed


def _wrong(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{problem}", {"problem": problem, "fix": fix})


def _origin(said: object) -> Origin:
    if isinstance(said, str):
        return Origin(at=_path(said))
    if not isinstance(said, dict) or not all(isinstance(one, str) for one in said.values()):
        raise _wrong("it does not say where it is", "write a path, or {header: Location}")
    if said.keys() - {*_KEYS, "pattern"} or len(said.keys() & {*_KEYS}) != 1:
        raise _wrong("it does not say where it is", "write one of at, header and value")
    if "pattern" in said:
        _check_pattern(said)
    if "at" in said:
        _path(said["at"])
    return Origin(**said)


def _check_pattern(said: dict[str, str]) -> None:
    pattern = said["pattern"]
    if "header" not in said:
        raise _wrong("a pattern goes with a header", "take it out")
    try:
        groups = re.compile(pattern).groups
    except re.error:
        groups = 0
    if groups != 1 or len(pattern) > _LONGEST_PATTERN:
        fix = r"write a regular expression with one group, such as /people/(\d+)$"
        raise _wrong("its pattern does not name one part of the header", fix)


def _path(text: str) -> str:
    if "{" in text or "://" in text:
        raise _wrong("it is not a path in an answer", f'write {{value: "{text}"}}')
    if found := path_problem(text):
        raise _wrong(*found)
    return text


_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {name: {"type": "string"} for name in (*_KEYS, "pattern")},
                "minProperties": 1,
                "additionalProperties": False,
            },
        ]
    }
)
FromAnswer = Annotated[Any, BeforeValidator(_origin), _SCHEMA]

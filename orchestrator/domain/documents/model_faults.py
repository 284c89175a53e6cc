"""A model's complaints about a file, in words that say what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from orchestrator.domain.errors import Fault
from orchestrator.domain.text.abbreviate import abbreviate
from orchestrator.domain.text.hints import did_you_mean

_V = TypeVar("_V")

Place = tuple[str, ...]
"""A place in a file; `*` stands for any name or number."""

_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "missing": ("it is missing", "add it"),
        "string_type": ("{input} is not text", "write text, in quotes where it looks otherwise"),
        "string_too_short": ("it is empty", "write something"),
        "string_too_long": ("it is too long", "write at most {max_length} characters"),
        "bool_type": ("{input} is neither true nor false", "write true or false"),
        "int_type": ("{input} is not a whole number", "write a whole number"),
        "float_type": ("{input} is not a number", "write a number"),
        "literal_error": ("{input} is not one of its values", "write {expected}"),
        "dict_type": ("{input} is not a mapping", "write `name: value` lines"),
        "model_type": ("{input} is not a mapping", "write `name: value` lines"),
        "tuple_type": ("{input} is not a list", "write a list: [...]"),
        "too_short": ("it has too few entries", "write at least {min_length}"),
        "too_long": ("it has too many entries", "write at most {max_length}"),
        "greater_than_equal": ("{input} is too small", "write at least {ge}"),
        "less_than_equal": ("{input} is too large", "write at most {le}"),
    }
)


def wrong(kind: str, problem: str, fix: str) -> PydanticCustomError:
    """A complaint of a model's own check that carries its fix."""
    return PydanticCustomError(kind, "{problem}", {"problem": problem, "fix": fix})


def model_faults(
    error: ValidationError,
    models: Mapping[Place, type[BaseModel]],
    examples: Mapping[Place, str] = MappingProxyType({}),
) -> list[Fault]:
    """A fault for each complaint.

    `models` tells which model is where, for the names it knows; `examples` what to add where
    something is missing, which takes the place of `{name}`.
    """
    return [_fault(detail, models, examples) for detail in error.errors(include_url=False)]


def _fault(
    detail: ErrorDetails,
    models: Mapping[Place, type[BaseModel]],
    examples: Mapping[Place, str],
) -> Fault:
    place = tuple(str(step) for step in detail["loc"] if step != "[key]")
    problem, fix = _words(detail, place, models, examples)
    return Fault(path=".".join(place), problem=problem, fix=fix)


def _words(
    detail: ErrorDetails,
    place: Place,
    models: Mapping[Place, type[BaseModel]],
    examples: Mapping[Place, str],
) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if "fix" in context:  # the model's own check, which knows best
        return str(context["problem"]), str(context["fix"])
    if kind == "extra_forbidden":
        return "this key is not known", did_you_mean(place[-1], _names(_at(models, place[:-1])))
    if kind == "missing" and (example := _at(examples, place)):
        return "it is missing", f"add `{example.replace('{name}', place[-1])}`"
    if kind in ("model_type", "dict_type") and (example := _at(examples, place)):
        return _WORDS[kind][0].format(
            input=abbreviate(_shown(detail["input"]))
        ), f"write `{example.replace('{name}', place[-1])}`"
    if kind not in _WORDS:
        return detail["msg"], "write what belongs there"
    words = {"input": abbreviate(_shown(detail["input"])), **context}
    problem, fix = _WORDS[kind]
    return problem.format(**words), fix.format(**words)


def _shown(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)


def _at(values: Mapping[Place, _V], place: Place) -> _V | None:
    for pattern, value in values.items():
        if len(pattern) == len(place) and all(
            one in ("*", other) for one, other in zip(pattern, place, strict=True)
        ):
            return value
    return None


def _names(model: type[BaseModel] | None) -> list[str]:
    fields = model.model_fields.items() if model else ()
    return [field.alias or name for name, field in fields]

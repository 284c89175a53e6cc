"""The steps of a recipe: each one small change, as people write it and as the store keeps it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictStr,
    StringConstraints,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import steps_of

Kind = Literal["integer", "number", "string", "boolean", "date", "date-time"]
Path = Annotated[StrictStr, StringConstraints(min_length=1, max_length=500)]

MOST_STEPS = 50

FORMS: dict[str, str] = {
    "rename": "{rename: old, to: new}",
    "move": "{move: old.place, to: new.place}",
    "set": "{set: path, value: ..., reason: ...}",
    "convert": "{convert: path, to: number}",
    "map": "{map: path, values: {old: new}}",
    "drop": "{drop: path}",
}
"""How each step is written."""

_NEEDS: dict[str, frozenset[str]] = {
    "rename": frozenset({"to"}),
    "move": frozenset({"to"}),
    "set": frozenset({"value", "reason"}),
    "convert": frozenset({"to"}),
    "map": frozenset({"values"}),
    "drop": frozenset(),
}
_MAY_HAVE: dict[str, frozenset[str]] = {"convert": frozenset({"format"})}
_KINDS = get_args(Kind)


def _wrong(problem: str, fix: str) -> PydanticCustomError:
    return PydanticCustomError("recipe_step", "{problem}", {"problem": problem, "fix": fix})


class Step(BaseModel):
    """One step; exactly one of the first six keys says which, and where it acts.

    Paths are dotted, or JSON Pointers; a `*` in one stands for every entry of an array.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rename: Path | None = None  # another name in the same object
    move: Path | None = None  # another place
    set: Path | None = None  # a default: what is there already stays
    convert: Path | None = None  # the same value as another type
    map: Path | None = None  # another value for a known one
    drop: Path | None = None  # take it out
    to: Path | None = None  # rename, move: the new path; convert: the type
    value: Any = None
    reason: Annotated[StrictStr, StringConstraints(max_length=500)] | None = None
    values: Annotated[dict[StrictStr, Any], Field(min_length=1, max_length=1_000)] | None = None
    format: Annotated[StrictStr, StringConstraints(max_length=50)] | None = None  # of a date's text

    @property
    def action(self) -> str:
        """Which step it is."""
        return next(name for name in FORMS if getattr(self, name) is not None)

    @property
    def path(self) -> str:
        """Where it acts."""
        return str(getattr(self, self.action))

    @field_validator("rename", "move", "set", "convert", "map", "drop")
    @classmethod
    def _is_path(cls, path: str | None) -> str | None:
        try:
            steps_of(path or "x")
        except Refused as refused:
            raise _wrong(refused.detail, refused.fix or "write a path") from None
        return path

    @model_validator(mode="after")
    def _is_one_step(self) -> Self:
        named = [name for name in FORMS if getattr(self, name) is not None]
        if len(named) != 1:
            problem = f"it is {' and '.join(named)} at once" if named else "it says no step"
            raise _wrong(problem, f"write one of {', '.join(FORMS.values())}")
        (action,) = named
        given = self.model_fields_set - {action}
        for name in sorted(_NEEDS[action] - given):
            raise _wrong(f"`{action}` needs `{name}`", f"write {FORMS[action]}")
        for name in sorted(given - _NEEDS[action] - _MAY_HAVE.get(action, frozenset())):
            raise _wrong(f"`{action}` takes no `{name}`", f"write {FORMS[action]}")
        _check_target(action, self)
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        return {name: one for name, one in written.items() if name in self.model_fields_set}

    def describe(self) -> dict[str, Any]:
        """The step as JSON, as its author wrote it."""
        return self.model_dump(mode="json")


def _check_target(action: str, step: Step) -> None:
    if action == "set" and not (step.reason or "").strip():
        raise _wrong("a default needs a reason", "say in `reason` why this value is right")
    if action == "convert" and step.to not in _KINDS:
        raise _wrong(
            f"`to` is {step.to!r}, which is not a type", f"write one of {', '.join(_KINDS)}"
        )
    if step.format is not None and step.to != "date":
        raise _wrong("only a date has a `format`", "take `format` out, or write `to: date`")
    if action in ("rename", "move"):
        _check_places(action, step.path, step.to or "")


def _check_places(action: str, old: str, new: str) -> None:
    try:
        source, place = steps_of(old), steps_of(new)
    except Refused as refused:
        raise _wrong(f"`to`: {refused.detail}", refused.fix or "write a path") from None
    if place[: len(source)] == source:
        raise _wrong(f"`{old}` cannot go into itself", "name another place in `to`")
    if source.count("*") != place.count("*"):
        fix = "write as many `*` in `to` as in the path before it"
        raise _wrong(f"`{old}` and `{new}` do not stand for as many places", fix)
    if action == "rename" and source[:-1] != place[:-1]:
        fix = f"write {{move: {old}, to: {new}}}"
        raise _wrong(f"`{new}` is in another object than `{old}`", fix)

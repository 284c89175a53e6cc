"""The steps of a recipe: each one small change, as people write it and as the store keeps it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    StrictStr,
    StringConstraints,
    field_validator,
    model_serializer,
    model_validator,
)

from orchestrator.domain.documents.model_faults import wrong
from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import steps_of
from orchestrator.domain.recipes.step_rules import FORMS, Given, step_fault

Path = Annotated[StrictStr, StringConstraints(min_length=1, max_length=500)]
Paths = Annotated[tuple[Path, ...], Field(min_length=2, max_length=20)]

MOST_STEPS = 50


class Step(BaseModel):
    """One step; exactly one of the keys of FORMS says which, and where it acts.

    Paths are dotted, or JSON Pointers; a `*` in one stands for every entry of an array.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_alias=True, serialize_by_alias=True
    )

    rename: Path | None = None  # another name in the same object
    move: Path | None = None  # another place
    trim: Path | None = None  # a text without the blanks at its ends
    case: Path | None = None  # a text in small letters, or in capitals
    wrap: Path | None = None  # a list of what is alone, or of an object with numbers for keys
    split: Path | None = None  # a text into a list, or `into` fields
    join: Path | None = None  # a list into a text, or a text `from` fields
    convert: Path | None = None  # the same value as another type
    map: Path | None = None  # another value for a known one
    set: Path | None = None  # a default, or a copy: what is there already stays
    drop: Path | None = None  # take it out
    to: Path | None = None  # rename, move: the new path; convert: the type; case: lower or upper
    value: Any = None
    from_: Path | Paths | None = Field(None, alias="from")  # set: one field; join: several
    reason: Annotated[StrictStr, StringConstraints(max_length=500)] | None = None
    replace: StrictBool = False  # set, join: also where a value is
    values: Annotated[dict[StrictStr, Any], Field(min_length=1, max_length=1_000)] | None = None
    format: Annotated[StrictStr, StringConstraints(max_length=50)] | None = None  # of a time's text
    zone: Annotated[StrictStr, StringConstraints(max_length=64)] | None = None  # of its clock
    decimal: Literal[".", ","] | None = None  # before the fraction of a number's text
    group: Literal[".", ",", " ", "'"] | None = None  # between its thousands
    by: Annotated[StrictStr, StringConstraints(min_length=1, max_length=20)] | None = None
    into: Paths | None = None  # split: fields for the parts
    gaps: Literal["close"] | None = None  # wrap: keys that are numbers need not follow each other
    if_: object = Field(None, alias="if")  # drop: only this value, or one of a list of values

    @property
    def action(self) -> str:
        """Which step it is."""
        return next(name for name in FORMS if getattr(self, name) is not None)

    @property
    def path(self) -> str:
        """Where it acts."""
        return str(getattr(self, self.action))

    @property
    def sources(self) -> tuple[str, ...]:
        """The fields that `from` names."""
        return (self.from_,) if isinstance(self.from_, str) else self.from_ or ()

    @property
    def condition(self) -> tuple[object, ...] | None:
        """The values that `if` names; None where there is no condition."""
        if "if_" not in self.model_fields_set:
            return None
        return tuple(self.if_) if isinstance(self.if_, list) and self.if_ else (self.if_,)

    @field_validator(*FORMS)
    @classmethod
    def _is_path(cls, path: str | None) -> str | None:
        try:
            steps_of(path or "x")
        except Refused as refused:
            raise wrong("recipe_step", refused.detail, refused.fix or "write a path") from None
        return path

    @model_validator(mode="after")
    def _is_one_step(self) -> Self:
        named = [name for name in FORMS if getattr(self, name) is not None]
        if len(named) != 1:
            problem = f"it is {' and '.join(named)} at once" if named else "it says no step"
            raise wrong("recipe_step", problem, f"write one of {', '.join(FORMS.values())}")
        given = Given(
            action=named[0],
            path=self.path,
            keys=frozenset(one.removesuffix("_") for one in self.model_fields_set - {*named}),
            to=self.to,
            reason=self.reason,
            sources=self.sources,
            into=self.into or (),
            format=self.format,
            zone=self.zone,
            decimal=self.decimal,
            group=self.group,
        )
        if (found := step_fault(given)) is not None:
            raise wrong("recipe_step", *found)
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        keys = {name.removesuffix("_") for name in self.model_fields_set}
        return {name: one for name, one in written.items() if name in keys}

    def describe(self) -> dict[str, Any]:
        """The step as JSON, as its author wrote it."""
        return self.model_dump(mode="json")

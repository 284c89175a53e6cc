"""What queries and bodies are made of, and how a wrong one is refused: by the field's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.datastructures import QueryParams

from orchestrator.api.problems import InvalidRequest
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import NotFound, PayloadTooLarge
from orchestrator.domain.text.abbreviate import shorten
from orchestrator.domain.text.hints import did_you_mean

M = TypeVar("M", bound=BaseModel)

MOST_ROWS = 200
MOST_IDS = 1000
_MOST_VALUES = 20_000  # of a body: what is wrong about each may be told, and takes memory
LARGEST = 2**53 - 1  # what every reader of JSON keeps whole

_ONE_LINE = r"^[^\x00-\x1f\x7f]+$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=_ONE_LINE)]
"""A name, an address or another word on one line."""

Why = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=_ONE_LINE)]
"""A reason that a person gives."""

Number = Annotated[int, Field(ge=1, le=LARGEST)]
"""The number of an incident or a job."""


class Query(BaseModel):
    """The parameters behind the question mark; each at most once."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Paged(Query):
    """The parameters of a list that comes page by page."""

    limit: Annotated[int, Field(ge=1, le=MOST_ROWS, description="the most rows of a page")] = 50
    cursor: Annotated[Name | None, Field(description="`next` of the page before")] = None


class Body(BaseModel):
    """A JSON object."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class WithWhy(Body):
    """A body that may say why."""

    why: Why | None = None


class NeedsWhy(Body):
    """A body that has to say why."""

    why: Why


_DIGITS = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)


def number_of(text: str, unknown: NotFound) -> int:
    """The number that an address names. Raises `unknown` for what is not one."""
    if not _DIGITS.fullmatch(text):
        raise unknown
    return int(text)


def read_query(model: type[M] | None, given: QueryParams) -> M | None:
    """The query of a request. Raises InvalidRequest."""
    names = [name for name, _ in given.multi_items()]
    known = list(model.model_fields) if model else []
    for name in names:
        if name not in known:
            raise _unknown(name, known, "parameter")
        if names.count(name) > 1:
            raise InvalidRequest(
                f"{name} is given more than once", field=name, fix="give it at most once"
            )
    return None if model is None else _validated(model, dict(given))


def read_document(model: type[M] | None, raw: bytes, *, max_depth: int) -> M | None:
    """The body of a request; an empty one is `{}`.

    Raises InvalidJson, InvalidRequest, PayloadTooLarge.
    """
    if model is None:
        return None
    try:
        value = strict_json.loads(raw or b"{}", max_depth=max_depth, most_values=_MOST_VALUES)
    except PayloadTooLarge as error:
        fix = "send fewer values at once"
        raise PayloadTooLarge(error.detail, field=error.field, fix=fix) from None
    if not isinstance(value, dict):
        raise InvalidRequest("the body is not a JSON object", field="body", fix="send `{…}`")
    return _validated(model, value)


def _validated(model: type[M], value: Mapping[str, object]) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _refusal(model, error) from None


def _refusal(model: type[BaseModel], error: ValidationError) -> InvalidRequest:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = [str(one) for one in first["loc"]]
    if first["type"] == "extra_forbidden" and len(place) == 1:
        return _unknown(place[0], list(model.model_fields), "field")
    return InvalidRequest(
        f"it is wrong: {first['msg'].lower()}",
        field=shorten(".".join(place)),
        fix="see /openapi.json for what it may be",
    )


def _unknown(name: str, known: list[str], what: str) -> InvalidRequest:
    shown = shorten(name)
    fix = did_you_mean(name, known) if known else f"take it out: this address takes no {what}"
    return InvalidRequest(f"the {what} {shown!r} is unknown", field=shown, fix=fix)

"""Tests of a workflow file: payloads, and what each has to come to.

They are the file's, not the version's: what decides about events does not change with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictStr,
    StringConstraints,
    model_validator,
)

from orchestrator.domain.documents.model_faults import wrong as _wrong
from orchestrator.domain.errors import Fault
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.hints import did_you_mean

MOST_TESTS = 200

DECIDED = (
    Reason.CONTRACT_VIOLATION,
    Reason.CONTRACT_LIMIT,
    Reason.MISSING_FACT,
    Reason.NO_ROUTE,
    Reason.RULE_ERROR,
    Reason.DUPLICATE_ITEM,
)
"""The reasons that follow from workflow and payload alone, before anything is called."""

_ROUTE = "write a route's number from the top, such as 1, or where it leads: [crm, desk]"


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise _wrong("line", f"{text!r} is not one line of text", "write one line of text")
    return text


def _route(value: object) -> int | tuple[str, ...]:
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 1:
            raise _wrong("route", "routes are counted from 1", _ROUTE)
        return value
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise _wrong("route", "it is neither a number nor a list of destinations", _ROUTE)


def _reason(text: str) -> str:
    if text not in DECIDED:
        fix = did_you_mean(text, [one.value for one in DECIDED])
        raise _wrong("reason", f"{text!r} is not a reason that a test can expect", fix)
    return text


Line = Annotated[StrictStr, StringConstraints(max_length=200), AfterValidator(_one_line)]
Names = Annotated[tuple[Line, ...], Field(max_length=200)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Expected(_Part):
    """What a payload has to come to: a route and what is sent, or a reason for quarantine."""

    route: Annotated[int | tuple[str, ...] | None, PlainValidator(_route)] = None  # from 1
    sends: Annotated[dict[Line, dict[Line, object]], Field(max_length=100)] = {}  # by destination
    omits: Annotated[dict[Line, Names], Field(max_length=100)] = {}  # fields that are not sent
    reason: Annotated[StrictStr, AfterValidator(_reason)] | None = None
    says: Line | None = None  # a part of what the quarantine says

    @model_validator(mode="after")
    def _is_one_outcome(self) -> Self:
        routed = self.route is not None or self.sends or self.omits
        if self.reason is not None and routed:
            fix = "write `reason` alone, or `route`, `sends` and `omits`"
            raise _wrong("expect", "an event in quarantine goes to no destination", fix)
        if self.reason is None and not routed:
            raise _wrong("expect", "it expects nothing", "write `route`, `sends` or `reason`")
        if self.says is not None and self.reason is None:
            raise _wrong("expect", "`says` needs a reason", "add `reason: ...`")
        return self


class TestRecord(_Part):
    """What a test takes for the record that a destination makes."""

    __test__ = False  # nothing for pytest to collect

    record_id: StrictStr | None = None
    url: StrictStr | None = None


class WorkflowTest(_Part):
    """One payload, and what it has to come to."""

    name: Line
    file: StrictStr | None = None  # where the payload was read from
    payload: object
    # By destination, for what those after it are sent.
    records: Annotated[dict[Line, TestRecord], Field(max_length=100)] = {}
    expect: Expected


Sent = Mapping[str, Mapping[str, object] | None]
"""The fields that each destination is sent; None where they cannot be read, or are per item."""


def expectation_faults(place: int, test: WorkflowTest, routes: int, sent: Sent) -> Iterator[Fault]:
    """Where the test at a place names what the workflow, with so many routes, does not have."""
    for destination in test.records:
        yield from _unknown(f"tests.{place}.records.{destination}", destination, {}, sent)
    expect, where = test.expect, f"tests.{place}.expect"
    if isinstance(expect.route, int) and expect.route > routes:
        problem = f"there is no route {expect.route}"
        yield Fault(path=f"{where}.route", problem=problem, fix=f"write 1 to {routes}")
    if isinstance(expect.route, tuple):
        for number, destination in enumerate(expect.route):
            yield from _unknown(f"{where}.route.{number}", destination, {}, sent)
    for destination, values in expect.sends.items():
        path = f"{where}.sends.{destination}"
        fields = {field: f"{path}.{field}" for field in values}
        yield from _unknown(path, destination, fields, sent)
    for destination, names in expect.omits.items():
        path = f"{where}.omits.{destination}"
        fields = {field: f"{path}.{number}" for number, field in enumerate(names)}
        yield from _unknown(path, destination, fields, sent)


def _unknown(path: str, destination: str, fields: Mapping[str, str], sent: Sent) -> Iterator[Fault]:
    """Faults of a destination and of its fields, each of which has its own path."""
    if destination not in sent:
        problem, fix = f"there is no destination `{destination}`", did_you_mean(destination, sent)
        yield Fault(path=path, problem=problem, fix=fix)
        return
    known = sent[destination]
    for field, at in fields.items():
        if known is not None and field not in known:
            problem = f"`{destination}` sends no field `{field}`"
            yield Fault(path=at, problem=problem, fix=did_you_mean(field, known))

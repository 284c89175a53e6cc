"""A workflow as its file says it: one owned automation, checked for shape.

How the parts fit (a fact to the contract, a route to a destination) is checked where they are
compiled, in compiled.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    ValidationInfo,
    field_serializer,
    model_serializer,
    model_validator,
)

from orchestrator.domain.contracts.contract import Formats
from orchestrator.domain.delivery.retries import RetryPolicy
from orchestrator.domain.documents.model_faults import wrong as _wrong
from orchestrator.domain.recipes.steps import MOST_STEPS, Step
from orchestrator.domain.text.addresses import LONGEST_ADDRESS, NAME_A_MAILBOX, is_address
from orchestrator.domain.text.durations import seconds
from orchestrator.domain.workflows.approval import RouteApproval
from orchestrator.domain.workflows.hours.calendar import Calendar
from orchestrator.domain.workflows.ordering.keys import Ordering
from orchestrator.domain.workflows.ordering.paths import LONGEST_PATH, checked_path, steps_of
from orchestrator.domain.workflows.runbook import LONGEST_RUNBOOK, checked_runbook
from orchestrator.domain.workflows.sla import Sla, between
from orchestrator.domain.workflows.tests import MOST_TESTS, WorkflowTest

_PUBLISHED: Mapping[str, object] = {}  # the context of what the store already has
_NAME = re.compile(r"[a-z0-9]+([_-]+[a-z0-9]+)*")
_TYPE = re.compile(r"[A-Za-z0-9]+([._/:-]+[A-Za-z0-9]+)*")
_FACT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NOT_NAMES = frozenset(
    {
        "as", "bool", "break", "bytes", "const", "continue", "data", "double", "dyn", "else",
        "false", "for", "function", "if", "import", "in", "int", "let", "list", "loop", "map",
        "namespace", "null", "null_type", "package", "return", "string", "true", "type", "uint",
        "var", "void", "while",
    }
)  # fmt: skip


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        fix = "write small letters and digits, with - or _ between them, such as lead-routing"
        raise _wrong("name", f"{text!r} is not a name", fix)
    return text


def _type_name(text: str) -> str:
    if not _TYPE.fullmatch(text):
        raise _wrong("trigger_type", f"{text!r} is not a type", "write a type such as lead.created")
    return text


def _address(text: str, info: ValidationInfo) -> str:
    # What was published by an older rule stays readable; its events are on their way.
    if info.context is not _PUBLISHED and not is_address(text):
        raise _wrong("address", f"{text!r} is not an e-mail address", NAME_A_MAILBOX)
    return text


def _line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise _wrong("line", f"{text!r} is not one line of text", "write one line of text")
    return text


def _fact_name(text: str) -> str:
    if not _FACT.fullmatch(text) or text in NOT_NAMES:
        fix = "write letters, digits and _, and no word of CEL's own"
        raise _wrong("fact_name", f"{text!r} cannot be the name of a fact", fix)
    return text


def _spelt_out(fact: object) -> object:
    return {"value": fact} if isinstance(fact, str) else fact


Name = Annotated[StrictStr, StringConstraints(max_length=63), AfterValidator(_name)]
Line = Annotated[StrictStr, StringConstraints(max_length=200), AfterValidator(_line)]
Address = Annotated[
    StrictStr, StringConstraints(max_length=LONGEST_ADDRESS), AfterValidator(_address)
]


Runbook = Annotated[
    StrictStr, StringConstraints(max_length=LONGEST_RUNBOOK), AfterValidator(checked_runbook)
]
OnFailure = Literal["quarantine", "undo"]
OnStall = Literal["hold", "pass"]
EnvironmentName = Literal["staging"]
PayloadPath = Annotated[
    StrictStr, StringConstraints(max_length=LONGEST_PATH), AfterValidator(checked_path)
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_alias=True)


class DeclaredTrigger(_Part):
    """What starts the workflow."""

    type: Annotated[StrictStr, StringConstraints(max_length=200), AfterValidator(_type_name)]


class Owners(_Part):
    """Who answers for it; each is an e-mail address."""

    owner: Address
    recovery_lead: Address  # heals the quarantined events
    approver: Address  # says yes to changes, and where a route asks
    backstop: Address  # is told when nobody else moved


class Fact(_Part):
    """A value that routes and destinations may use: CEL over `data`, the payload."""

    value: StrictStr
    optional: StrictBool = False  # it may be absent


FactName = Annotated[StrictStr, AfterValidator(_fact_name)]
ShortFact = Annotated[Fact, BeforeValidator(_spelt_out)]


class Route(_Part):
    """A rule and where it leads; the first whose rule holds is taken."""

    when: StrictStr  # CEL over the facts
    to: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20)]  # destinations
    approve: RouteApproval | None = None  # a person says yes before anything is sent


class Sent(_Part):
    """What a field is sent: CEL over the facts."""

    value: StrictStr
    default: StrictStr | None = None  # sent where a fact in `value` is absent; routes never see it

    @model_validator(mode="after")
    def _says_its_default(self) -> Self:
        if self.default is None and "default" in self.model_fields_set:
            fix = "write CEL in quotes, such as 'null' or '\"support\"', or take it out"
            raise _wrong("default", "the default is empty", fix)
        return self


ShortSent = Annotated[Sent, BeforeValidator(_spelt_out)]


class Destination(_Part):
    """What is handed over, and what of it is read back and compared."""

    connector: Name
    action: Name
    send: Annotated[dict[Line, ShortSent], Field(max_length=200)]
    confirm: tuple[Line, ...] = ()  # names of `send`
    after: Annotated[tuple[Name, ...], Field(max_length=20)] = ()  # sent once those are confirmed
    required: tuple[Line, ...] = ()  # what the action must be sent; filled in at publish
    each: StrictStr | None = None  # a list: one delivery for each of its items
    key: StrictStr | None = None  # CEL over facts and an item: what tells it from the others
    item_name: FactName | None = Field(None, alias="as")  # what `key` and `send` call an item

    @model_validator(mode="after")
    def _tells_its_items(self) -> Self:
        if self.each is not None and self.key is None:
            fix = "write what tells one item from the others, such as `key: line.sku`"
            raise _wrong("each", "`each` needs a `key`", fix)
        if self.each is None and (self.key or self.item_name):
            fix = "write `each: data.lines`, the list, or take `key` and `as` out"
            raise _wrong("each", "`key` and `as` are for a destination with `each`", fix)
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Without `each` it is what it was before there was the key."""
        document: dict[str, object] = handler(self)
        if self.each is None:
            del document["each"], document["key"]
        if self.item_name is None:
            document.pop("item_name", None)
            document.pop("as", None)
        return document

    @field_serializer("send")
    def _short(self, send: dict[str, Sent]) -> dict[str, object]:
        """A field without a default as it was before there were any: its text."""
        return {
            name: sent.value if sent.default is None else sent.model_dump()
            for name, sent in send.items()
        }


class Retries(_Part):
    """When a failed try comes again; see RetryPolicy."""

    limit: Annotated[StrictInt, Field(ge=0, le=100)] = 8
    first: Annotated[StrictStr, between("1ms", "1d")] = "5s"
    factor: Annotated[float, Field(strict=True, ge=1, le=100)] = 3
    ceiling: Annotated[StrictStr, between("1ms", "7d")] = "1h"

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if seconds(self.ceiling) < seconds(self.first):
            problem = f"the ceiling {self.ceiling} is under the first wait {self.first}"
            raise _wrong("ceiling", problem, "write a ceiling that is not under `first`")
        return self


class Workflow(_Part):
    """One version of a workflow. Its fields are the file's keys, and their order the file's."""

    name: Name = Field(alias="workflow")
    client: Name
    title: Line
    trigger: DeclaredTrigger
    owners: Owners
    runbook: Runbook | None = None  # what to do when events are stopped: an address or text
    contract: dict[str, Any]  # a JSON Schema, self-contained
    formats: Formats = "assert"
    facts: Annotated[dict[FactName, ShortFact], Field(max_length=200)]  # by name
    routes: Annotated[tuple[Route, ...], Field(min_length=1, max_length=200)]
    destinations: Annotated[dict[Name, Destination], Field(min_length=1, max_length=100)]
    # By environment and connector, what a rehearsal calls in its place: a connector, or `dry`.
    environments: dict[EnvironmentName, Annotated[dict[Name, Name], Field(max_length=100)]] = {}
    retries: Retries = Retries()
    on_failure: OnFailure = "quarantine"  # or take back first what other destinations have
    ordering_key: PayloadPath | None = None  # events with one value there go one after another
    on_stall: OnStall = "hold"  # what an event in quarantine does to those behind it
    latest: PayloadPath | None = None  # by what an older update is known
    sla: Sla
    amend: Annotated[tuple[Step, ...], Field(max_length=MOST_STEPS)] = ()  # mends what breaks it
    tests: Annotated[tuple[WorkflowTest, ...], Field(max_length=MOST_TESTS)] = ()  # the file's

    @property
    def trigger_type(self) -> str:
        """The type of the events that start it."""
        return self.trigger.type

    @cached_property
    def retry_policy(self) -> RetryPolicy:
        """`retries`, in seconds."""
        return RetryPolicy(
            limit=self.retries.limit,
            first=seconds(self.retries.first),
            factor=self.retries.factor,
            ceiling=seconds(self.retries.ceiling),
        )

    @cached_property
    def ordering(self) -> Ordering | None:
        """How its events are ordered; None where they are not."""
        if self.ordering_key is None:
            return None
        return Ordering(
            key=steps_of(self.ordering_key),
            passes=self.on_stall == "pass",
            latest=None if self.latest is None else steps_of(self.latest),
        )

    @property
    def ordering_keys(self) -> dict[str, str]:
        """The keys that order its events, as the file has them; none where they are not ordered."""
        said = {"ordering_key": self.ordering_key, "latest": self.latest}
        return {key: path for key, path in said.items() if path is not None}

    @property
    def calendar(self) -> Calendar | None:
        """The hours in which both clocks run; None is all the time."""
        return self.sla.calendar.calendar if self.sla.calendar else None

    @cached_property
    def deliver_within_seconds(self) -> float:
        """How long an event may take from its acceptance to its delivery."""
        return seconds(self.sla.deliver_within)

    @cached_property
    def recover_within_seconds(self) -> float:
        """How long an event may be in quarantine."""
        return seconds(self.sla.recover_within)

    def definition(self) -> dict[str, object]:
        """The workflow as JSON, the contract embedded: what the store keeps.

        Without the tests, for they decide about no event: a version is the same with other ones.
        """
        definition = self.model_dump(mode="json", by_alias=True, exclude={"tests"})
        for holder, key in self._unsaid(definition):
            del holder[key]
        return definition

    def _unsaid(self, definition: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
        """Keys that a file does not say and that came later: so it is the same as before them."""
        if not self.amend:
            yield definition, "amend"
        if not self.environments:
            yield definition, "environments"
        yield from ((one, "approve") for one in definition["routes"] if one["approve"] is None)
        yield from (
            (one, "after") for one in definition["destinations"].values() if not one["after"]
        )
        for key in ("runbook", "ordering_key", "latest"):
            if definition[key] is None:
                yield definition, key
        if self.ordering_key is None:
            yield definition, "on_stall"
        if self.sla.success_rate is None:
            yield definition["sla"], "success_rate"
        if "pauses_stop" not in self.sla.model_fields_set:
            yield definition["sla"], "pauses_stop"

    @staticmethod
    def as_file(definition: Mapping[str, object]) -> dict[str, object]:
        """What a person would write to publish this definition again: without what publish adds."""
        known = definition["destinations"]
        written = {
            name: {key: value for key, value in one.items() if key != "required"}
            for name, one in (known if isinstance(known, dict) else {}).items()
        }
        return {**definition, "destinations": written}

    @classmethod
    def from_definition(cls, definition: Mapping[str, object]) -> Self:
        """The workflow that `definition` was made from."""
        return cls.model_validate(definition)

    @classmethod
    def from_published(cls, definition: Mapping[str, object]) -> Self:
        """The workflow of a version that was published, also where a rule is stricter by now."""
        return cls.model_validate(definition, context=_PUBLISHED)

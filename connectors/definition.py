"""What a YAML definition of a connector may say, kind by kind.

pydantic checks words and types; what only makes sense together is checked by `connectors.checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from connectors.references import REFERENCE
from orchestrator.domain.durations import seconds
from orchestrator.domain.handoff import Action, Idempotency, Proof

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Secret = Annotated[str, StringConstraints(pattern=f"^(?:{REFERENCE.pattern})$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[^{}\s]{1,100}$")]


def _duration(value: object) -> float:
    return seconds(value if isinstance(value, str) else repr(value))


Duration = Annotated[float, BeforeValidator(_duration)]  # "10s" in the file, seconds here


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limits(_Strict):
    """How much one action may ask of its destination."""

    settle_seconds: Duration = Field(0.0, alias="settle", ge=0, le=3_600)
    timeout_seconds: Duration = Field(10.0, alias="timeout", gt=0, le=50)
    max_in_flight: int = Field(20, ge=1, le=500)


class Fields(_Strict):
    """What an action takes."""

    required: tuple[FieldName, ...] = ()
    optional: tuple[FieldName, ...] = ()
    open_fields: bool = False


class Promise(_Strict):
    """What an action promises about doing a thing once, and about proving it."""

    idempotency: Idempotency
    proof: Proof


class Ask(_Strict):
    """A request that changes nothing: the path and the query of a GET."""

    path: Text
    query: dict[Text, str] = Field(default_factory=dict)
    headers: dict[Text, str] = Field(default_factory=dict)


class Create(Ask):
    """The request that makes the record."""

    method: Literal["post", "put", "patch"] = "post"
    body: Any = Field(None, alias="json")
    record_id: str | None = None  # where the answer has the record's id; a receipt needs none


class Lookup(Ask):
    """The request that finds a record by its key."""

    items: str | None = None  # where the answer has the list of records; empty: not there
    absent_status: Literal[404, 410] | None = None  # or the status that says: not there
    record_id: Text  # where an item (without `items`, the answer) has the record's id


class Read(Ask):
    """The request that reads a record back."""

    fields: str | dict[FieldName, Text]  # where each field stands; a text: where all of them stand


class HttpAction(Limits, Fields, Promise):
    """One action over HTTP."""

    create: Create
    lookup: Lookup | None = None
    read: Read | None = None


class Basic(_Strict):
    """HTTP basic authentication."""

    user: Secret
    password: Secret


class HeaderAuth(_Strict):
    """A key in a header of the vendor's own."""

    name: Text
    value: Secret


class Auth(_Strict):
    """At most one way to authenticate."""

    bearer: Secret | None = None
    basic: Basic | None = None
    header: HeaderAuth | None = None


class _Named(_Strict):
    connector: Slug
    title: str = ""


class HttpDefinition(_Named):
    """A system that is reached over HTTP."""

    kind: Literal["http"]
    base_url: Text
    auth: Auth = Field(default_factory=Auth)
    headers: dict[Text, str] = Field(default_factory=dict)
    max_answer_bytes: int = Field(1_048_576, ge=1_024, le=67_108_864)
    actions: dict[Slug, HttpAction] = Field(min_length=1)


class Login(_Strict):
    """A mail server's login."""

    user: Secret
    password: Secret


class SmtpDefinition(_Named):
    """A mail server; its one action is `send_mail`."""

    kind: Literal["smtp"]
    host: Text
    port: int | Secret | None = None  # unset: the usual one of `security`
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Text = Field(alias="from")
    login: Login | None = None
    timeout_seconds: Duration = Field(20.0, alias="timeout", gt=0, le=50)
    max_in_flight: int = Field(5, ge=1, le=100)


class FakeAction(Limits, Fields, Promise):
    """One action of the fake."""


class FakeDefinition(_Named):
    """Records in this process's memory, for tests and benchmarks."""

    kind: Literal["fake"]
    actions: dict[Slug, FakeAction] = Field(min_length=1)


Definition = HttpDefinition | SmtpDefinition | FakeDefinition

KINDS: dict[str, type[Definition]] = {
    "http": HttpDefinition,
    "smtp": SmtpDefinition,
    "fake": FakeDefinition,
}


def action_of(name: str, said: HttpAction | FakeAction, *, readable: frozenset[str]) -> Action:
    """An action of a definition as the port knows it."""
    return Action(
        name=name,
        idempotency=said.idempotency,
        proof=said.proof,
        required=frozenset(said.required),
        optional=frozenset(said.optional),
        open_fields=said.open_fields,
        readable=readable,
        settle_seconds=said.settle_seconds,
        timeout_seconds=said.timeout_seconds,
        max_in_flight=said.max_in_flight,
    )

"""What a YAML definition of a connector may say, kind by kind.

pydantic checks words and types; what only makes sense together is checked by `connectors.checks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.definition_types import (
    CallTime,
    FieldName,
    Places,
    Port,
    Secret,
    SettleTime,
    Slug,
    Text,
    word_of,
)
from orchestrator.domain.handoff import Action, Idempotency, Proof


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limits(_Strict):
    """How much one action may ask of its destination."""

    settle_seconds: SettleTime = Field(0.0, alias="settle")
    timeout_seconds: CallTime = Field(10.0, alias="timeout")
    max_in_flight: int = Field(20, ge=1, le=500)


class Fields(_Strict):
    """What an action takes."""

    required: tuple[FieldName, ...] = ()
    optional: tuple[FieldName, ...] = ()
    open_fields: bool = False


class Promise(_Strict):
    """What an action promises about doing a thing once, and about proving it."""

    idempotency: Annotated[Idempotency, word_of(Idempotency)]
    proof: Annotated[Proof, word_of(Proof)]


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

    # Where each field stands; one text says where an object with all of them stands.
    fields: Places


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
    port: Port | None = None  # unset: the usual one of `security`
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Text = Field(alias="from")
    login: Login | None = None
    timeout_seconds: CallTime = Field(20.0, alias="timeout")
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

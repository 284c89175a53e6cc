"""What every YAML definition of a connector may say, and the kinds that are plain.

pydantic checks words and types; what only makes sense together is checked by `connectors.checks`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from connectors.definition.values import (
    CallTime,
    FieldName,
    FieldPlace,
    Port,
    Secret,
    SettleTime,
    Slug,
    Text,
    Window,
    word_of,
)
from orchestrator.domain.delivery.comparing import Comparison
from orchestrator.domain.delivery.handoff import (
    Action,
    BreakerPolicy,
    Idempotency,
    Limits,
    Proof,
    RateBudget,
)


class Strict(BaseModel):
    """A mapping that has no other keys than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Spared(Strict):
    """How much one action may ask of its destination."""

    settle_seconds: SettleTime = Field(0.0, alias="settle")
    timeout_seconds: CallTime = Field(10.0, alias="timeout")
    max_in_flight: int = Field(20, ge=1, le=500)


class Fields(Strict):
    """What an action takes."""

    required: tuple[FieldName, ...] = ()
    optional: tuple[FieldName, ...] = ()
    open_fields: bool = False


class Promise(Strict):
    """What an action promises about doing a thing once, and about proving it."""

    idempotency: Annotated[Idempotency, word_of(Idempotency)]
    proof: Annotated[Proof, word_of(Proof)]


class RateLimit(Strict):
    """How many calls the system takes, from all workers together."""

    calls: int = Field(ge=1, le=1_000_000)
    per_seconds: Window = Field(alias="per")
    burst: int | None = Field(None, ge=1, le=100_000)


class Breaker(Strict):
    """When a system that fails is left alone, and for how long."""

    failures: int = Field(10, ge=1, le=1_000)
    cooldown_seconds: Window = Field(30.0, alias="cooldown")


class Definition(Strict):
    """The keys of a definition of any kind."""

    connector: Slug
    kind: str
    title: str = ""
    rate: RateLimit | None = None
    breaker: Breaker = Field(default_factory=Breaker)


class MailLogin(Strict):
    """A mail server's login."""

    user: Secret
    password: Secret


class SmtpDefinition(Definition):
    """A mail server; its one action is `send_mail`."""

    kind: Literal["smtp"]
    host: Text
    port: Port | None = None  # unset: the usual one of `security`
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Text = Field(alias="from")
    login: MailLogin | None = None
    timeout_seconds: CallTime = Field(20.0, alias="timeout")
    max_in_flight: int = Field(5, ge=1, le=100)


class AnyAction(Spared, Fields, Promise):
    """What an action of any kind declares."""


class FakeAction(AnyAction):
    """One action of the fake."""

    undo: bool = False


class FakeDefinition(Definition):
    """Records in this process's memory, for tests and benchmarks."""

    kind: Literal["fake"]
    actions: dict[Slug, FakeAction] = Field(min_length=1)


def action_of(
    name: str,
    said: AnyAction,
    *,
    places: Mapping[str, FieldPlace] | None = None,
    confirm_seconds: float = 0.0,
    can_undo: bool = False,
    batch_size: int = 1,
    upserts: bool = False,
    steps: tuple[str, ...] = (),
    gives_url: bool = False,
) -> Action:
    """An action of a definition as the port knows it; `places` has the fields that are named."""
    named = places or {}
    return Action(
        name=name,
        idempotency=said.idempotency,
        proof=said.proof,
        required=frozenset(said.required),
        optional=frozenset(said.optional),
        open_fields=said.open_fields,
        readable=frozenset(named),
        compare=compared(named),
        zones=zoned(named),
        settle_seconds=said.settle_seconds,
        confirm_seconds=confirm_seconds,
        timeout_seconds=said.timeout_seconds,
        max_in_flight=said.max_in_flight,
        can_undo=can_undo,
        batch_size=batch_size,
        upserts=upserts,
        steps=steps,
        gives_url=gives_url,
    )


def compared(places: Mapping[str, FieldPlace]) -> dict[str, Comparison]:
    """How each field is compared that need not be equal as JSON."""
    words = {field: place.compare for field, place in places.items()}
    return {field: how for field, how in words.items() if how is not Comparison.EXACT}


def zoned(places: Mapping[str, FieldPlace]) -> dict[str, str]:
    """The zone of each field whose times the system writes without one."""
    return {field: place.zone for field, place in places.items() if place.zone is not None}


def limits_of(said: Definition) -> Limits:
    """What a definition's system is spared, as the port knows it."""
    breaker = BreakerPolicy(
        failures=said.breaker.failures, cooldown_seconds=said.breaker.cooldown_seconds
    )
    rate = said.rate
    if rate is None:
        return Limits(breaker=breaker)
    burst = max(1, rate.calls // 10) if rate.burst is None else rate.burst
    budget = RateBudget(calls=rate.calls, per_seconds=rate.per_seconds, burst=burst)
    return Limits(rate=budget, breaker=breaker)

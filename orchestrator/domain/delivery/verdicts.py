"""What the pure stages answer about one event."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.reasons import Reason


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One way in which a payload breaks its contract."""

    path: str  # JSON Pointer into the payload; "" is the whole of it
    kind: str  # the JSON Schema keyword: required, type, enum, additionalProperties …
    message: str
    schema_path: str = ""  # JSON Pointer into the contract
    # `path` in the contract's own words, `*` for what it does not name; None on old rows.
    place: str | None = None
    hint: str | None = None  # "customer_tier resembles the missing tier"


@dataclass(frozen=True, kw_only=True)
class Valid:
    """The payload satisfies the contract."""


@dataclass(frozen=True, kw_only=True)
class Amended:
    """The payload breaks the contract as it came, and satisfies it as the workflow amends it."""

    payload: object
    steps: tuple[int, ...]  # those of `amend` that found something to change, from 0


@dataclass(frozen=True, kw_only=True)
class Routed:
    """The route that matched, and what it sends."""

    route: int  # its place in the workflow, from 0
    deliveries: tuple[PlannedDelivery, ...]
    defaulted: tuple[str, ...] = ()  # the fields that are sent a stated default, as `crm.topic`


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """The event cannot go on by itself."""

    reason: Reason
    detail: str  # one sentence for people
    violations: tuple[Violation, ...] = ()
    path: str = ""  # what of the workflow stopped it, dotted: "routes.0.when"; not stored

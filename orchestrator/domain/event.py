"""What comes in, and what an event is to those who read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One request to start a workflow, already strict JSON and within the size limit."""

    client: str
    type: str
    payload: str  # the JSON document, compact
    digest: str  # of the payload with sorted keys: the same content has the same digest
    idempotency_key: str | None = None  # None: the event's own id


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The answer to one trigger."""

    id: str
    duplicate: bool


@dataclass(frozen=True, kw_only=True)
class PlannedDelivery:
    """One delivery that a route decided on; kept in the store, so that a retry sends the same."""

    destination: str
    connector: str
    action: str
    send: dict[str, object]  # JSON values by field name
    confirm: tuple[str, ...]  # names of `send` that are compared with the record read back

"""What comes in, and what an event is to those who read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what reads events does not read sources, and seldom traces
    from orchestrator.domain.sources.origin import HookOrigin
    from orchestrator.domain.trace_context import TraceContext

TIME_DIGITS = 12
"""Hex digits that an event's id begins with: the milliseconds since 1970 when it was accepted."""

MOST_COUNTED = 10_000
"""So many of the events that wait for another are counted: at this number there may be more."""

Item = str | int | None
"""The key of one of an event's items; None where a destination takes the event as a whole."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """One request to start a workflow, already strict JSON and within the size limit."""

    client: str
    type: str
    payload: str  # the JSON document, compact
    digest: str  # of the payload with sorted keys: the same content has the same digest
    idempotency_key: str | None = None  # None: the event's own id
    hook: HookOrigin | None = None  # of what a source sent; nothing of that is refused
    trace: TraceContext | None = None  # that it belongs to; None: its sender said none


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
    defaulted: tuple[str, ...] = ()  # names of `send` whose stated default is sent
    item: Item = None  # the key of the item that it is for; None: for the whole event
    after: tuple[str, ...] = ()  # the destinations that have to be confirmed before it is sent
    waits_for: tuple[str, ...] = ()  # of these, the ones whose records are to come
    left_open: tuple[str, ...] = ()  # fields that are computed from these, and not in `send` yet

    @property
    def place(self) -> tuple[str, Item]:
        """What tells it from the others of its event: destination and item."""
        return self.destination, self.item


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeRecord:
    """What is known of the record that a destination made of an event."""

    record_id: str | None = None  # None: it is not known, or there are several
    url: str | None = None  # where people find it; None: the connector does not say


def item_name(destination: str, number: int) -> str:
    """The name of an item's delivery in the store, the audit and its idempotency key.

    It holds no value of the payload: the item's own key is kept beside it, where it can be erased.

    >>> item_name("order-lines", 2)
    'order-lines.item-2'
    """
    return f"{destination}.item-{number}"


def destination_of(name: str) -> str:
    """The destination of a delivery, by the delivery's name.

    >>> destination_of("order-lines.item-2"), destination_of("crm")
    ('order-lines', 'crm')
    """
    return name.partition(".")[0]

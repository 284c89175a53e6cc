"""What running a plan does with a delivery, in a word; `workflows/effects` decides which."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import DeliveryState


class Effect(StrEnum):
    """What becomes of one delivery."""

    SEND = "send"  # it goes out; nothing of it is there yet
    ANEW = "anew"  # it was made and taken back, and is made once more
    DONE = "done"  # it was made, and is not repeated
    LOOK = "look"  # a call may have made it: it is looked for first, and not made twice
    AGAIN = "again"  # a call may have made it, and nobody can look: it may arrive twice
    DROP = "drop"  # the new plan does not send here


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedEffect:
    """What running a plan does with one delivery of one event."""

    destination: str
    connector: str
    action: str  # of the connector
    effect: str  # as `Effect`
    item: Item = None  # the key of the item that it is for; None: for the whole event
    after: tuple[str, ...] = ()  # the destinations that have to be confirmed before


@dataclass(frozen=True, kw_only=True)
class Stands:
    """The state of one delivery of a quarantined event."""

    destination: str
    connector: str
    action: str
    state: DeliveryState
    unknown: bool
    reason: str | None
    record_id: str | None
    # Left out of its text, of which a plan's digest is made: plans stay valid over an upgrade.
    item: Item = field(default=None, repr=False)

"""What running a plan does with a delivery, in a word; `workflows/effects` decides which."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.lifecycle import DeliveryState


class Effect(StrEnum):
    """What becomes of one delivery."""

    SEND = "send"  # it goes out; nothing of it is there yet
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


@dataclass(frozen=True, kw_only=True)
class Stands:
    """How one delivery of a quarantined event stands."""

    destination: str
    connector: str
    action: str
    state: DeliveryState
    unknown: bool
    reason: str | None
    record_id: str | None

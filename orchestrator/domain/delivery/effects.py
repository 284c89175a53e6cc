"""What running a plan does with a delivery, in a word; `workflows/effects` decides which."""

from __future__ import annotations

from collections.abc import Mapping
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
    # Of what a version made that was rolled back:
    SAME = "same"  # the version before would have made the same: it stays
    UNDO = "undo"  # it is taken back, and nothing is sent there any more
    REMAKE = "remake"  # it is taken back, and made once more as the version before says
    CANNOT = "cannot_undo"  # it stays, for it cannot be taken back: a person looks at it


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedEffect:
    """What running a plan does with one delivery of one event."""

    destination: str
    connector: str
    action: str  # of the connector
    effect: str  # as `Effect`
    item: Item = None  # the key of the item that it is for; None: for the whole event
    after: tuple[str, ...] = ()  # the destinations that have to be confirmed before


FOLLOWED = "followed"
"""Why a run leaves an event of its plan out: a later one of its ordering key had its turn."""

TAKEN_BACK = frozenset({Effect.UNDO, Effect.REMAKE})
"""What of a version that was rolled back is taken back."""


@dataclass(frozen=True, kw_only=True)
class MadeDelivery:
    """A delivery of which a record is there, of an event that is at its end or in quarantine."""

    name: str  # within its event
    connector: str
    action: str
    state: DeliveryState  # failed: its record was read back, and is not what was sent
    record_id: str | None
    updated: bool  # the record was there before: it is not ours to delete
    send: Mapping[str, object]


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

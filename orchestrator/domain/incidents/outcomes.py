"""How the events of an incident ended, and in one word how the incident did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class StayOutcome(StrEnum):
    """What became of an event that left the quarantine, as far as the stay's incident knows."""

    UNDER_WAY = "under_way"  # a replay sent it on its way; nobody knows yet where it ends
    DELIVERED = "delivered"
    DISCARDED = "discarded"
    MOVED = "moved"  # it is in quarantine for another cause, which is another incident
    RETURNED = "returned"  # it is in quarantine for the same cause, and is not counted again


@dataclass(frozen=True, kw_only=True)
class IncidentOutcome:
    """How many events of an incident ended how, since it opened."""

    delivered: int = 0
    discarded: int = 0
    moved: Mapping[int, int] = field(default_factory=dict)  # events by the other incident's number
    last_at: int | None = None  # when the last of them ended, in milliseconds

    @property
    def ended(self) -> str | None:
        """One word for it: healed, discarded, moved or mixed; None where nothing was counted."""
        words = [
            word
            for word, count in (
                ("healed", self.delivered),
                ("discarded", self.discarded),
                ("moved", sum(self.moved.values())),
            )
            if count
        ]
        return words[0] if len(words) == 1 else "mixed" if words else None

    def told(self) -> str:
        """The same with its counts, for people."""
        return told_outcome(self.as_json())

    def as_json(self) -> dict[str, object]:
        """Names and counts, as the store and the listings keep them."""
        return {
            "ended": self.ended,
            "delivered": self.delivered,
            "discarded": self.discarded,
            "moved": [
                {"incident": one, "events": count} for one, count in sorted(self.moved.items())
            ],
        }


def told_outcome(outcome: Mapping[str, Any]) -> str:
    """An outcome as `IncidentOutcome.as_json` has it, in words.

    >>> told_outcome(IncidentOutcome(delivered=5, moved={7: 1}).as_json())
    'mixed: 5 delivered, 1 moved to incident 7'
    """
    counts = [(outcome["delivered"], "delivered"), (outcome["discarded"], "discarded")]
    parts = [f"{count} {word}" for count, word in counts if count]
    parts += [f"{one['events']} moved to incident {one['incident']}" for one in outcome["moved"]]
    return f"{outcome['ended']}: {', '.join(parts)}" if parts else "nothing was counted"


def told_links(view: Mapping[str, Any]) -> list[str]:
    """The incidents that events of this one went to, or came from, in words."""
    went = [f"{one['events']} went on to incident {one['incident']}" for one in view["moved_to"]]
    came = [f"{one['events']} came from incident {one['incident']}" for one in view["moved_from"]]
    return [*went, *came]

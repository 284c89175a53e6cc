"""How the events of an incident ended, and in one word how the incident did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class StayOutcome(StrEnum):
    """What became of an event that left the quarantine, as far as the stay's incident knows."""

    UNDER_WAY = "under_way"  # a replay sent it on its way; nobody knows yet where it ends
    DELIVERED = "delivered"
    DISCARDED = "discarded"
    MOVED = "moved"  # it is in quarantine for another cause, which is another incident
    RETURNED = "returned"  # it is in quarantine for the same cause, and is not counted again


@dataclass(frozen=True, kw_only=True, slots=True)
class MovedEvents:
    """Events that an incident shares with another one, for they came into quarantine again."""

    incident: int  # the other one's number
    events: int


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentOutcome:
    """How many events of an incident ended how, since it opened."""

    delivered: int = 0
    discarded: int = 0
    moved: tuple[MovedEvents, ...] = ()  # by the number of the other incident
    last_at: int | None = None  # when the last of them ended, in milliseconds; it is not kept

    @property
    def ended(self) -> str | None:
        """One word for it: healed, discarded, moved or mixed; None where nothing was counted."""
        words = [
            word
            for word, count in (
                ("healed", self.delivered),
                ("discarded", self.discarded),
                ("moved", len(self.moved)),
            )
            if count
        ]
        return words[0] if len(words) == 1 else "mixed" if words else None

    def told(self) -> str:
        """The same with its counts, for people.

        >>> moved = (MovedEvents(incident=7, events=1),)
        >>> IncidentOutcome(delivered=5, moved=moved).told()
        'mixed: 5 delivered, 1 moved to incident 7'
        """
        counts = [(self.delivered, "delivered"), (self.discarded, "discarded")]
        parts = [f"{count} {word}" for count, word in counts if count]
        parts += [f"{one.events} moved to incident {one.incident}" for one in self.moved]
        return f"{self.ended}: {', '.join(parts)}" if parts else "nothing was counted"

    def as_json(self) -> dict[str, object]:
        """Names and counts, as the store and the listings keep them."""
        return {
            "ended": self.ended,
            "delivered": self.delivered,
            "discarded": self.discarded,
            "moved": [asdict(one) for one in self.moved],
        }


def read_outcome(kept: Mapping[str, Any]) -> IncidentOutcome:
    """An outcome of what `IncidentOutcome.as_json` made of it."""
    return IncidentOutcome(
        delivered=kept["delivered"],
        discarded=kept["discarded"],
        moved=tuple(MovedEvents(**one) for one in kept["moved"]),
    )


def told_links(moved_to: Sequence[MovedEvents], moved_from: Sequence[MovedEvents]) -> list[str]:
    """The incidents that events of one went to, or came from, in words."""
    went = [f"{one.events} went on to incident {one.incident}" for one in moved_to]
    came = [f"{one.events} came from incident {one.incident}" for one in moved_from]
    return [*went, *came]

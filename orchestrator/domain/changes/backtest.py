"""What a change would have decided about past events, counted: sums that can be added up.

Events are counted by weight, which is 1 where all of them are looked at. Nothing here holds a value
of a payload: what was counted may be kept longer than payloads are.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from orchestrator.domain.event import Item

EXAMPLES = 5
"""Events that are kept for each count: those with the lowest ids, so that a seed repeats them."""

MOST_DISTINCT = 500
"""Different counts of one kind; what comes after them is counted as `other`."""

OTHER = "other"

Place = tuple[str, Item]
"""What tells one delivery from the others of its event: destination and item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What one version decides about one payload."""

    outcome: str  # the destinations, as `crm, desk`; or the reason for which it is quarantined
    passes: bool
    place: str = ""  # of the contract, in its own words, that was broken first; "" is all of it
    sends: Mapping[Place, Mapping[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """What became of one past event."""

    outcome: str | None  # as `Decided` has it; None: it is not decided yet
    by_hand: bool  # somebody amended it, and it was delivered so
    sends: Mapping[Place, Mapping[str, object]] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class Counted:
    """A number of events, with a few of their ids."""

    events: float = 0.0
    examples: list[str] = field(default_factory=list)

    def add(self, weight: float, ids: Iterable[str]) -> None:
        """Count so many more."""
        self.events += weight
        for one in ids:
            if len(self.examples) < EXAMPLES or one < self.examples[-1]:
                insort(self.examples, one)
                del self.examples[EXAMPLES:]


Counts = dict[tuple[str, ...], Counted]


@dataclass(kw_only=True, slots=True)
class Agreement:
    """How often a version decides by itself as somebody did by hand."""

    events: float = 0.0
    before: float = 0.0
    after: float = 0.0


@dataclass(kw_only=True, slots=True)
class Late:
    """Delivered events that took longer than is promised."""

    delivered: float = 0.0
    before: float = 0.0
    after: float = 0.0


@dataclass(kw_only=True)
class Tally:
    """The sums over the events that were looked at; all of them can be merged in any order."""

    looked_at: int = 0
    events: float = 0.0  # that these stand for
    unchanged: float = 0.0  # of these, with the same outcome and the same fields
    matrix: Counts = field(default_factory=dict)  # by outcome before and after
    recorded: Counts = field(default_factory=dict)  # by what became of it, and outcome after
    fields: Counts = field(default_factory=dict)  # by destination, field, and what of it changes
    refused: Counts = field(default_factory=dict)  # newly: by reason and place
    passing: Counts = field(default_factory=dict)  # newly: by the former reason and place
    by_hand: Agreement = field(default_factory=Agreement)
    late: Late = field(default_factory=Late)
    # Deliveries by destination and minute since 1970.
    minutes_before: dict[str, dict[int, float]] = field(default_factory=dict)
    minutes_after: dict[str, dict[int, float]] = field(default_factory=dict)

    def add(
        self,
        event_id: str,
        accepted_at: int,
        before: Decided,
        after: Decided,
        recorded: Recorded,
        *,
        weight: float = 1.0,
    ) -> None:
        """Count one event, accepted at that many milliseconds since 1970."""
        one = (event_id,)
        self.looked_at += 1
        self.events += weight
        count_more(self.matrix, (before.outcome, after.outcome), weight, one)
        if recorded.outcome is not None:
            count_more(self.recorded, (recorded.outcome, after.outcome), weight, one)
        if before.passes and not after.passes:
            count_more(self.refused, (after.outcome, after.place), weight, one)
        elif after.passes and not before.passes:
            count_more(self.passing, (before.outcome, before.place), weight, one)
        else:
            changes = changed_fields(before.sends, after.sends)
            for change in changes:
                count_more(self.fields, change, weight, one)
            if not changes and before.outcome == after.outcome:
                self.unchanged += weight
        if recorded.by_hand:
            self.by_hand.events += weight
            self.by_hand.before += weight * (before.sends == recorded.sends)
            self.by_hand.after += weight * (after.sends == recorded.sends)
        minute = accepted_at // 60_000
        for minutes, decided in ((self.minutes_before, before), (self.minutes_after, after)):
            for destination, _ in decided.sends:
                of_one = minutes.setdefault(destination, {})
                of_one[minute] = of_one.get(minute, 0.0) + weight

    def merge(self, other: Tally) -> None:
        """Add another's sums to these."""
        self.looked_at += other.looked_at
        self.events += other.events
        self.unchanged += other.unchanged
        for mine, theirs in (
            (self.matrix, other.matrix),
            (self.recorded, other.recorded),
            (self.fields, other.fields),
            (self.refused, other.refused),
            (self.passing, other.passing),
        ):
            for key, counted in theirs.items():
                count_more(mine, key, counted.events, counted.examples)
        self.by_hand.events += other.by_hand.events
        self.by_hand.before += other.by_hand.before
        self.by_hand.after += other.by_hand.after
        self.late.delivered += other.late.delivered
        self.late.before += other.late.before
        self.late.after += other.late.after
        for here, there in (
            (self.minutes_before, other.minutes_before),
            (self.minutes_after, other.minutes_after),
        ):
            for destination, minutes in there.items():
                of_one = here.setdefault(destination, {})
                for minute, count in minutes.items():
                    of_one[minute] = of_one.get(minute, 0.0) + count


def count_more(counts: Counts, key: tuple[str, ...], weight: float, ids: Iterable[str]) -> None:
    """Count so many more events under a key; under `other` where there are too many keys."""
    if key not in counts and len(counts) >= MOST_DISTINCT:
        key = (OTHER,) * len(key)
    counts.setdefault(key, Counted()).add(weight, ids)


ITEMS = "*"
"""Stands for a field where deliveries of items come or go, and the destination stays."""


def changed_fields(
    before: Mapping[Place, Mapping[str, object]], after: Mapping[Place, Mapping[str, object]]
) -> set[tuple[str, str, str]]:
    """Destination, field and `added`, `removed` or `changed`, of the deliveries that both make."""
    found: set[tuple[str, str, str]] = set()
    kept = {place[0] for place in before} & {place[0] for place in after}
    for place in _either(before, after):
        destination = place[0]
        if destination not in kept:
            continue  # the matrix tells it
        old, new = before.get(place), after.get(place)
        if old is None or new is None:
            found.add((destination, ITEMS, "added" if old is None else "removed"))
            continue
        for name in _either(old, new):
            if name not in old:
                found.add((destination, name, "added"))
            elif name not in new:
                found.add((destination, name, "removed"))
            elif old[name] != new[name] or type(old[name]) is not type(new[name]):
                found.add((destination, name, "changed"))
    return found


_Key = TypeVar("_Key", bound=Hashable)


def _either(one: Mapping[_Key, object], other: Mapping[_Key, object]) -> list[_Key]:
    return [*one, *(key for key in other if key not in one)]

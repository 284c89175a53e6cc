"""How much speaks for it that a new field is a missing one: values and type first, then the name.

The weights were set on the generated mutations of `python -m benchmarks.drift`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.domain.drift.finding import ITEM, Path
from orchestrator.domain.drift.formats import UNKNOWN, alike
from orchestrator.domain.drift.profile import Field, Profile
from orchestrator.domain.drift.shapes import tells
from orchestrator.domain.text.hints import resemblance

SURE = 0.55
"""From here on it is taken for the same field, if nothing else comes near."""
POSSIBLE = 0.33
"""From here on it may be."""
MARGIN = 0.1
"""By how much the best has to be better than the next."""

_SCALARS = frozenset({"string", "integer", "number", "boolean"})
_MOST_CHILDREN = 100  # fields in an object that are compared


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What was compared; every share is between 0 and 1."""

    fits: bool  # the types can be of one field
    same_type: bool
    values: float | None  # share of the new field's values that the old one had; None says nothing
    shape: float  # formats, words that every value has, size; of objects the fields they share
    name: float
    holds: bool = False  # whether both hold fields, whose names say more than their own

    @property
    def score(self) -> float:
        """All of it together."""
        if not self.fits:
            return 0.0
        if self.holds:
            values = self.shape if self.values is None else self.values
            return 0.5 * self.shape + 0.3 * values + 0.2 * self.name
        score = (
            0.55 * self.shape + 0.45 * self.name
            if self.values is None
            else 0.6 * self.values + 0.15 * self.shape + 0.25 * self.name
        )
        return score if self.same_type else score - 0.1

    def told(self) -> list[str]:
        """What speaks for it, as sentences."""
        shared = None if self.values is None else f"{self.values:.0%} of its values were there"
        return [
            *([shared] if shared else []),
            "of the same type" if self.same_type else "of another type",
            f"values look alike to {self.shape:.0%}, names to {self.name:.0%}",
        ]


def likeness(
    old: Profile, was: Path, new: Profile, now: Path, *, listed: frozenset[str] | None
) -> Likeness:
    """How alike the old field at `was` and the new one at `now` are.

    `listed` is what the contract lets stand at the old place, where it lists values.
    """
    before, after = old.fields.get(was, Field()), new.fields[now]
    name = resemblance(was[-1], now[-1]) / 100
    if was[-1] == now[-1]:
        name = 1.0
    if after.objects and before.objects:
        values, shape = _of_objects(old, was, new, now)
        return Likeness(
            fits=True, same_type=True, values=values, shape=shape, name=name, holds=True
        )
    same, fits = _types(before, after)
    if "array" in after.types and "array" in before.types:
        return _of_arrays(old, was, new, now, name)
    return Likeness(
        fits=fits,
        same_type=same,
        values=_values(before, after, listed),
        shape=alike(before.looks, after.looks),
        name=name,
    )


def _types(before: Field, after: Field) -> tuple[bool, bool]:
    """Whether both have a type in common, and whether one could have become the other."""
    some, others = set(before.types) - {"null"}, set(after.types) - {"null"}
    if not some or not others:
        return True, True  # nothing is known of one of them
    numbers = {"integer", "number"}
    same = bool(some & others) or bool(some & numbers and others & numbers)
    return same, same or (some <= _SCALARS and others <= _SCALARS)


def _values(before: Field, after: Field, listed: frozenset[str] | None) -> float | None:
    """The share of the events with a known value; None where that would say nothing."""
    telling = {text: where for text, where in after.values.items() if tells(text)}
    known = set(before.values) | (listed or frozenset())
    if not telling or not any(map(tells, known)):
        return None
    total = sum(map(len, telling.values()))
    shared = sum(len(where) for text, where in telling.items() if text in known)
    if shared or listed or _repeats(before):
        return shared / total
    return None  # each event has its own value: none in common is what one expects


def _repeats(field: Field) -> bool:
    """Whether a field has few values for many events."""
    stands = sum(map(len, field.values.values()))
    return stands >= 3 * len(field.values)


def _of_objects(old: Profile, was: Path, new: Profile, now: Path) -> tuple[float | None, float]:
    """Values of the fields that both have, and the share of these among all."""
    before = {path[len(was) :]: path for path in old.below(was, _MOST_CHILDREN)}
    after = {path[len(now) :]: path for path in new.below(now, _MOST_CHILDREN)}
    if not before or not after:
        return None, 0.5
    common = sorted(before.keys() & after.keys())
    shape = len(common) / len(before.keys() | after.keys())
    each = [_values(old.fields[before[one]], new.fields[after[one]], None) for one in common]
    known = [one for one in each if one is not None]
    return (sum(known) / len(known) * shape if known else None), shape


def _of_arrays(old: Profile, was: Path, new: Profile, now: Path, name: float) -> Likeness:
    """Arrays are alike as what stands in them is."""
    items, others = (*was, ITEM), (*now, ITEM)
    if items not in old.fields or others not in new.fields:
        return Likeness(fits=True, same_type=True, values=None, shape=UNKNOWN, name=name)
    return replace(likeness(old, items, new, others, listed=None), name=name)

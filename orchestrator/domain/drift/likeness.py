"""How much speaks for it that a new field is a missing one: values and type first, then the name.

The weights were set on the generated and the real changes of `python -m benchmarks.drift`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.domain.drift.finding import ITEM, Path
from orchestrator.domain.drift.formats import alike, is_identifying
from orchestrator.domain.drift.profile import Field, Profile
from orchestrator.domain.drift.rarity import Rarity, words_on_the_way
from orchestrator.domain.text.hints import resemblance

_SCALARS = frozenset({"string", "integer", "number", "boolean"})
_NUMBERS = frozenset({"integer", "number"})
_MOST_CHILDREN = 100  # fields in an object that are compared
_OTHER_TYPE = 0.15
_OTHER_VALUES = 0.1  # it repeats values, and none of them is there any more
_FEW_NAMES = 0.75  # names' rarity, below which fields of the same names are alike by chance


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """What was compared; every share is between 0 and 1."""

    fits: bool  # the types can be of one field
    same_type: bool
    values: float | None  # share of the new field's values that the old one had; None says nothing
    telling: float  # the same, each value counted by how few fields have it
    shape: float | None  # formats, words that values have, size; of objects the fields they share
    name: float
    identifying: bool = False  # the format by itself says what the field is, such as a mail address
    holds: bool = False  # whether both hold fields, whose names say more than their own
    rare: float = 1.0  # of objects: how much the names of their common fields tell

    @property
    def score(self) -> float:
        """All of it together."""
        if not self.fits:
            return 0.0
        found = self._of_objects() if self.holds else self._of_values()
        return found if self.same_type else found - _OTHER_TYPE

    def _of_objects(self) -> float:
        shape = self.shape or 0.0
        if self.rare < _FEW_NAMES:
            shape *= max(self.rare / _FEW_NAMES, shape**4)  # alike by chance, unless it is whole
        values = shape if self.values is None else 0.5 * shape + 0.5 * self.telling
        return 0.5 * shape + 0.25 * values + 0.25 * self.name

    def _of_values(self) -> float:
        by_looks = self._of_looks()
        if not self.telling:
            return by_looks
        shape = 0.7 if self.shape is None else self.shape
        return max(by_looks, 0.6 * self.telling + 0.15 * shape + 0.25 * self.name)

    def _of_looks(self) -> float:
        if self.shape is None:
            return 0.75 * self.name  # null everywhere: only the name says anything
        weight = 0.55 if self.identifying else 0.4
        found = weight * self.shape + (1 - weight) * self.name
        if self.values == 0 and self.shape < 0.5:
            found -= _OTHER_VALUES
        return max(found, 0.7 * self.name - (_OTHER_VALUES if self.values == 0 else 0))

    def told(self) -> list[str]:
        """What speaks for it, as sentences."""
        shared = None if self.values is None else f"{self.values:.0%} of its values were there"
        shape = "" if self.shape is None else f"values look alike to {self.shape:.0%}, "
        return [
            *([shared] if shared else []),
            "of the same type" if self.same_type else "of another type",
            f"{shape}names to {self.name:.0%}" if shape else f"names are alike to {self.name:.0%}",
        ]


@dataclass(frozen=True, kw_only=True)
class Comparer:
    """Compares fields of two profiles."""

    old: Profile
    new: Profile
    rarity: Rarity

    def likeness(self, was: Path, now: Path, *, listed: frozenset[str] = frozenset()) -> Likeness:
        """How alike the old field at `was` and the new one at `now` are.

        `listed` is what the contract allows at the old place, where it lists values.
        """
        before, after = self.old.fields.get(was, Field()), self.new.fields[now]
        name = _alike_by_name(was, now)
        if after.objects and before.objects:
            return self._of_objects(was, now, name)
        if "array" in after.types and "array" in before.types:
            return self._of_arrays(was, now, name)
        same, fits = _types(before, after)
        values, telling = self._values(before, after, listed)
        return Likeness(
            fits=fits,
            same_type=same,
            values=values,
            telling=telling,
            shape=alike(before.looks, after.looks),
            name=name,
            identifying=is_identifying(before.looks, after.looks),
        )

    def _values(
        self, before: Field, after: Field, listed: frozenset[str]
    ) -> tuple[float | None, float]:
        """The share of the events with a known value, and how telling these are; None: nothing."""
        weights = {text: self.rarity.of_value(text) for text in after.values}
        total = sum(len(where) for text, where in after.values.items() if weights[text])
        known = before.values.keys() | listed
        if not total or not any(map(self.rarity.of_value, known)):
            return None, 0.0
        shared = {text: len(where) for text, where in after.values.items()
                  if weights[text] and text in known}  # fmt: skip
        if not shared and not listed and not _repeats(before):
            return None, 0.0  # each event has its own value: none in common is what one expects
        telling = sum(weights[text] * count for text, count in shared.items())
        return sum(shared.values()) / total, telling / total

    def _of_objects(self, was: Path, now: Path, name: float) -> Likeness:
        """Values of the fields that both have, and the share of these among all."""
        before = {path[len(was) :]: path for path in self.old.below(was, _MOST_CHILDREN)}
        after = {path[len(now) :]: path for path in self.new.below(now, _MOST_CHILDREN)}
        common = sorted(before.keys() & after.keys())
        every = len(before.keys() | after.keys())
        each = [
            self._values(self.old.fields[before[one]], self.new.fields[after[one]], frozenset())
            for one in common
        ]
        known = [(share, telling) for share, telling in each if share is not None]
        return Likeness(
            fits=True,
            same_type=True,
            values=sum(one for one, _ in known) / len(known) if known else None,
            telling=sum(one for _, one in known) / len(known) if known else 0.0,
            shape=len(common) / every if every else 0.5,
            name=name,
            holds=True,
            rare=self.rarity.of_names(one[-1] for one in common if one[-1] != ITEM),
        )

    def _of_arrays(self, was: Path, now: Path, name: float) -> Likeness:
        """Arrays are as alike as their entries."""
        items, others = (*was, ITEM), (*now, ITEM)
        if items not in self.old.fields or others not in self.new.fields:
            return Likeness(
                fits=True, same_type=True, values=None, telling=0.0, shape=None, name=name
            )
        return replace(self.likeness(items, others), name=name)


def _alike_by_name(was: Path, now: Path) -> float:
    if was[-1] == now[-1] or set(words_on_the_way(was)) & set(words_on_the_way(now)):
        return 1.0
    return resemblance(was[-1], now[-1]) / 100


def _types(before: Field, after: Field) -> tuple[bool, bool]:
    """Whether both have a type in common, and whether one could have become the other."""
    some, others = set(before.types) - {"null"}, set(after.types) - {"null"}
    if not some or not others:
        return True, True  # nothing is known of one of them
    same = bool(some & others) or bool(some & _NUMBERS and others & _NUMBERS)
    return same, same or (some <= _SCALARS and others <= _SCALARS)


def _repeats(field: Field) -> bool:
    """Whether a field has few values for many events."""
    times = sum(map(len, field.values.values()))
    return times >= 3 * len(field.values)

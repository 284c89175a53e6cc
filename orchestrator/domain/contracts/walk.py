"""The exact count for one payload: which part of a contract meets which value, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.domain.contracts.parts import Part
from orchestrator.domain.contracts.pattern_cost import steps_on
from orchestrator.domain.contracts.steps import Costly, Edge, Flat, Here, here_of

_VALUES_AN_ERROR = 25  # that could be copied in the time in which one error is made
_CHARACTERS_A_VALUE = 50  # of a place that are copied in the time of a value
_STEPS_A_UNIQUE_VALUE = 10


class Weight(Protocol):
    """What one evaluation costs."""

    def of_plain(self, flat: Flat, value: object, /) -> int:
        """The cost of a part, with all in it, on a value that holds no other."""

    def of_holder(self, part: Part, value: dict[str, object] | list[object]) -> int:
        """The cost of a part, nothing in it counted, on an object or array."""


class _TooMuch(Exception):
    """Raised when a count passes its limit."""


@dataclass(kw_only=True, eq=False)
class Walk:
    """One count over one payload, which holds nothing that is deeper than the setting allows."""

    flat: Mapping[Part, Flat]
    here: dict[Part, Here]
    backward: frozenset[Edge]  # what is met there is remembered, so it costs only once
    weight: Weight
    most: int
    most_visits: int  # of values by parts, half a microsecond each
    _known: dict[tuple[Part, int], int] = field(default_factory=dict)
    _later: list[tuple[Part, object]] = field(default_factory=list)
    _visits: int = 0

    def passes(self, root: Part, payload: object) -> bool:
        """Whether the cost of a payload passes the limit, or cannot be counted in time."""
        total = 0
        self._later.append((root, payload))
        met: set[tuple[Part, int]] = set()
        try:
            while self._later:
                part, value = self._later.pop()
                if (part, id(value)) not in met:
                    met.add((part, id(value)))
                    total += self._cost(part, value)
                    if total > self.most:
                        return True
        except (_TooMuch, Costly):
            return True
        return False

    def _cost(self, part: Part, value: object) -> int:
        if not isinstance(value, dict | list):
            return self.weight.of_plain(self.flat[part], value)
        key = (part, id(value))
        if (known := self._known.get(key)) is not None:
            return known
        here = here_of(part, self.backward, self.here)
        self._later.extend((one, value) for one in here.back)
        total = 0
        for one, times in here.parts.items():
            if isinstance(value, dict):
                held = self._properties(one, value)
            else:
                held = self._items(one, value)
            total += times * (self.weight.of_holder(one, value) + held)
            if total > self.most:
                raise _TooMuch
        self._known[key] = total
        return total

    def _properties(self, part: Part, value: Mapping[str, object]) -> int:
        total = 0
        for name, one in value.items():
            declared = part.keys.get(name)
            total += self._all(part, part.other_properties if declared is None else [declared], one)
            total += self._all(part, part.each_property, one)
            total += sum(steps_on(effort, len(name)) for effort in part.name_patterns)
            if part.names:
                total += self.weight.of_plain(self.flat[part.names], name)
        self._count(len(value))
        return total

    def _items(self, part: Part, value: list[object]) -> int:
        total = 0
        for place, one in enumerate(value):
            at = [part.places[place]] if place < len(part.places) else part.other_items
            total += self._all(part, at, one) + self._all(part, part.each_item, one)
        self._count(len(value))
        return total

    def _all(self, part: Part, inner: list[Part], value: object) -> int:
        total = 0
        for one in inner:
            if isinstance(value, dict | list) and (part, one) in self.backward:
                self._later.append((one, value))
                total += 1
            else:
                total += self._cost(one, value)
        return total

    def _count(self, visits: int) -> None:
        self._visits += visits + 1
        if self._visits > self.most_visits:
            raise _TooMuch


class Steps:
    """What the validator does."""

    def __init__(self) -> None:
        self._sizes = _Sizes()

    def of_plain(self, flat: Flat, value: object, /) -> int:
        """The steps on a plain value; a text is read by each expression."""
        steps = flat.steps
        if flat.texts and isinstance(value, str):
            for effort, times in flat.texts.items():
                steps += times * steps_on(effort, len(value))
        return steps

    def of_holder(self, part: Part, value: dict[str, object] | list[object]) -> int:
        """The steps on an object or array, what it holds left out."""
        compared = _STEPS_A_UNIQUE_VALUE * self._sizes.of(value) if part.unique else 0
        return part.steps + compared


class Copies:
    """What the validator's errors hold, were everything wrong: each its place and its value."""

    def __init__(self, payload: object) -> None:
        self._sizes = _Sizes()
        self._an_error = _VALUES_AN_ERROR + _longest_place(payload) // _CHARACTERS_A_VALUE

    def of_plain(self, flat: Flat, _value: object, /) -> int:
        """The copies of a plain value."""
        return flat.errors * (self._an_error + 1)

    def of_holder(self, part: Part, value: dict[str, object] | list[object]) -> int:
        """The copies of an object or array with all that it holds."""
        return part.errors * (self._an_error + self._sizes.of(value))


def _longest_place(value: object) -> int:
    """Characters of the longest path in a payload, whose names may be as long as its body."""
    if isinstance(value, dict):
        return max((len(name) + _longest_place(one) for name, one in value.items()), default=0)
    if isinstance(value, list):
        return max(
            (_longest_place(one) for one in value if isinstance(one, dict | list)), default=0
        )
    return 0


class _Sizes:
    """How many values a value holds, itself counted; of each object and array once."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def of(self, value: object) -> int:
        """The count."""
        if not isinstance(value, dict | list):
            return 1
        known = self._known.get(id(value))
        if known is None:
            held = value.values() if isinstance(value, dict) else value
            known = self._known[id(value)] = 1 + sum(map(self.of, held))
        return known

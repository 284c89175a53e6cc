"""What holding a payload against a contract costs, known before the validator starts.

The validator cannot be interrupted, so what would take too long is never given to it. It remembers
its answers where a contract refers back to itself, and only there; the rest is counted as it does
it, in steps of some 20 ns. Where no payload of a size can be too dear, none is walked.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import orjson

from orchestrator.domain.contracts.parts import MOST_PARTS, Part, TooManyParts, parts_of
from orchestrator.domain.contracts.pattern_cost import Effort, steps_on
from orchestrator.domain.contracts.steps import (
    Costly,
    Edge,
    Flat,
    Here,
    backward_edges,
    flatten,
    steps_a_value,
)
from orchestrator.domain.contracts.walk import Copies, Steps, Walk, Weight
from orchestrator.domain.errors import Fault

MOST_STEPS = 10_000_000
"""Steps that one payload may take: about 0.2 s."""

MOST_COPIES = 1_000_000
"""Values that all errors of one payload may hold, each having a copy of its own: about 1 s."""

_MOST_VISITS = 1_000_000  # to see if a payload may be held against the contract: some 0.5 s
_MOST_LISTED = 100_000  # to see if all that is wrong with it may be listed: some 0.05 s
_LARGEST = 2**31  # bytes: beyond what a payload may have
_NOWHERE: frozenset[Edge] = frozenset()


@dataclass(frozen=True, kw_only=True)
class ContractCost:
    """The cost of one contract for any payload."""

    root: Part
    flat: Mapping[Part, Flat]
    backward: frozenset[Edge]  # where it refers back to itself
    steps_a_value: int  # the most for each value of a payload, whatever it is
    efforts: frozenset[Effort]  # of its regular expressions
    has_unions: bool
    asks_again: bool  # `unevaluated…` is in it
    _forward: dict[Part, Here] = field(default_factory=dict)
    _whole: dict[Part, Here] = field(default_factory=dict)

    @cached_property
    def harmless_bytes(self) -> int:
        """The size up to which no payload takes more than MOST_STEPS, whatever is in it."""
        return bisect_right(range(1, _LARGEST), MOST_STEPS, key=self._most_steps)

    def is_too_dear(self, payload: object) -> bool:
        """Whether it takes more than MOST_STEPS to say if a payload satisfies the contract.

        One of `harmless_bytes` at most need not be asked about.
        """
        return Walk(
            flat=self.flat,
            here=self._forward,
            backward=self.backward,
            weight=Steps(),
            most=MOST_STEPS,
            most_visits=_MOST_VISITS,
        ).passes(self.root, payload)

    def is_long_to_list(self, payload: object) -> bool:
        """Whether the errors of a payload could hold more than MOST_COPIES values."""
        size = len(orjson.dumps(payload))
        if not self.backward and self._most_steps(size) * size < MOST_COPIES:
            return False
        return self._walk_anew(Copies(payload), MOST_COPIES, _MOST_LISTED).passes(
            self.root, payload
        )

    def is_long_to_search(self, payload: object) -> bool:
        """Whether even the first error takes too long: then the validator remembers nothing."""
        if not self.backward and len(orjson.dumps(payload)) <= self.harmless_bytes:
            return False
        return self._walk_anew(Steps(), MOST_STEPS, _MOST_VISITS).passes(self.root, payload)

    def _walk_anew(self, weight: Weight, most: int, visits: int) -> Walk:
        """A count in which nothing is remembered, wherever the contract refers back to itself."""
        return Walk(
            flat=self.flat,
            here=self._whole,
            backward=_NOWHERE,
            weight=weight,
            most=most,
            most_visits=visits,
        )

    def _most_steps(self, size: int) -> int:
        """The most for any payload of `size` bytes: a value takes two of them or more."""
        units = size // 2 + 1
        if Effort.SQUARE in self.efforts:
            units += steps_on(Effort.SQUARE, size)
        if Effort.BACKTRACKING in self.efforts:
            units += steps_on(Effort.BACKTRACKING, 16) * (size // 16 + 1)
        return self.steps_a_value * units


def cost_of(schema: Mapping[str, object], faults: list[Fault]) -> ContractCost | None:
    """The cost of a contract; None where it is too dear whatever the payload, which is a fault."""
    try:
        parts = parts_of(schema)
    except TooManyParts:
        fix = "take out what is not used, or name a part of it by `pointer`"
        problem = f"it has more than {MOST_PARTS:,} schemas"
        faults.append(Fault(path="contract", problem=problem, fix=fix))
        return None
    try:
        flat = flatten(parts)
        backward = backward_edges(parts.root)
        most = steps_a_value(parts.root, flat, backward)
    except Costly as error:
        faults.append(error.fault)
        return None
    efforts = {one for part in parts.every for one in (*part.patterns, *part.name_patterns)}
    return ContractCost(
        root=parts.root,
        flat=flat,
        backward=backward,
        steps_a_value=most,
        efforts=frozenset(efforts),
        has_unions=any(part.union for part in parts.every),
        asks_again=any(part.unevaluated for part in parts.every),
    )

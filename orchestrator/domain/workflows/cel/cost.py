"""What a CEL expression may cost on its values, counted before it is computed.

The library ends loops after some ten thousand turns. But a turn of `map` or `filter` copies what
was gathered before, one that looks at a whole value takes as long as the value is large, and a few
`replace` or `map(a, a + a)` one after another make gigabytes of a word. So the tree is walked with
the size of each value instead of the value: nothing is computed, and no size is too small.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.workflows.cel.sizes import (
    MOST_OF_A_NUMBER,
    NOTHING,
    SCALAR,
    Size,
    constant_text,
    gathered,
    inside,
    length_of_range,
    made_by,
    occurrences,
    pieces_of,
    size_of,
)
from orchestrator.domain.workflows.cel.syntax import (
    Call,
    Constant,
    ListOf,
    Loop,
    MapOf,
    Name,
    Node,
    Select,
    free_names,
    nodes,
    parts,
)

MOST_STEPS = 5_000_000
"""Steps of some 40 ns that one expression may take: about 0.2 s."""

LONGEST_RANGE = 10_000

COUNTED = frozenset(
    {
        "all", "exists", "exists_one", "map", "filter", "sortBy", "replace", "join", "format",
        "quote", "split", "range", "distinct", "sort", "sum",
    }
)  # fmt: skip
"""The words without which an expression costs no more than its values are large."""

_MOST_TURNS = 10_000  # of all loops of one computation; the library ends them there
_LOOKS_OF_A_SORT = 16  # at each item
_DEEPEST_SPREAD = 3  # loops in loops, for which small items are told from large ones
_PUTTING_TOGETHER = frozenset({"_+_", "replace", "join", "format", "strings.quote", "reverse"})

_Scope = Mapping[str, Size]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What an expression may cost, from its tree."""

    tree: Node

    def passes(self, values: Mapping[str, object]) -> bool:
        """Whether it could take more than MOST_STEPS on these values."""
        count = _Count(values)
        made = count.size(self.tree, {name: size_of(value) for name, value in values.items()})
        return not count.steps + made.steps <= MOST_STEPS  # what is no number passes, too


def is_bounded(tree: Node) -> bool:
    """Whether each `lists.range` in it says how long it is, and not too long."""
    ranges = (one for one in nodes(tree) if isinstance(one, Call) and one.function == "lists.range")
    return all(0 <= length_of_range(one) <= LONGEST_RANGE for one in ranges)


class _Count:
    """One walk over a tree."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.steps = 0.0
        self._values = values
        self._loops: list[Loop] = []  # around the part that is looked at
        self._all_turns = 1.0  # of these loops together

    def size(self, node: Node, scope: _Scope) -> Size:
        """How large the value of a part can be; what computing it takes is counted."""
        self.steps += 1
        match node:
            case Constant(value=value):
                return size_of(value) if isinstance(value, str) else SCALAR
            case Name(name=name):
                return scope.get(name, NOTHING)
            case Select(of=of):
                return inside(self.size(of, scope))
            case Call():
                return self._call(node, scope)
            case Loop():
                return self._loop(node, scope)
            case ListOf() | MapOf():
                return gathered([self.size(part, scope) for part in parts(node)])

    def _call(self, call: Call, scope: _Scope) -> Size:
        sizes = [self.size(operand, scope) for operand in call.operands]
        if call.function == "_[_]":
            return inside(sizes[0])
        made = self._split(call, sizes[0]) if call.function == "split" else made_by(call, sizes)
        self.steps += sum(size.steps for size in sizes) * _looks(call, sizes) + made.steps
        return made

    def _split(self, call: Call, text: Size) -> Size:
        most = float("inf")
        separator = constant_text(call.operands[1])
        if separator and self._is_as_it_came(call.operands[0]):
            most = 1 + MOST_OF_A_NUMBER + occurrences(separator, self._values.values())
        return pieces_of(call, text, most)

    def _is_as_it_came(self, node: Node) -> bool:
        """Whether a part's text is found in the values: nothing was put together for it."""
        puts_together = any(_puts_together(part) for part in nodes(node))
        return not puts_together and free_names(node) <= self._values.keys()

    def _loop(self, loop: Loop, scope: _Scope) -> Size:
        over, start = self.size(loop.over, scope), self.size(loop.start, scope)
        turns = over.items if self._loops else min(over.items, _MOST_TURNS)
        if loop.condition == Constant(value=False):  # a macro that only gives a value a name
            turns = 0
        made = self._turns(loop, scope, over, turns)
        if isinstance(loop.start, Constant):
            made = SCALAR
        else:  # a list, which is copied in each turn
            self.steps += turns * self._most_turns(loop, turns)
            made = _together(start, made)
        return self.size(loop.result, {**scope, loop.result_name: made})

    def _turns(self, loop: Loop, scope: _Scope, over: Size, turns: float) -> Size:
        """What all turns make together.

        What a turn takes grows with its item at least as fast as the item. So between nothing and
        the largest item it lies below a straight line, and the sum over all items follows from
        the sum of their sizes: one long text among a thousand short ones counts once.
        """
        counted = self._most_turns(loop, turns)
        large, large_steps = self._turn(loop, scope, Size(over.each, over.each, over.each), turns)
        if len(self._loops) >= _DEEPEST_SPREAD or not over.each:
            self.steps += counted * large_steps
            return Size(turns * large.steps, turns * large.items, large.each)
        small, small_steps = self._turn(loop, scope, NOTHING, turns)
        share = min(turns, over.steps / over.each)
        self.steps += counted * small_steps + min(counted, share) * (large_steps - small_steps)
        steps = turns * small.steps + share * (large.steps - small.steps)
        return Size(steps, turns * large.items, large.each)

    def _most_turns(self, loop: Loop, turns: float) -> float:
        """How many turns the library lets a loop take, each time it is begun, on an average."""
        names = {loop.item for loop in self._loops} | {loop.result_name for loop in self._loops}
        if not self._loops or free_names(loop.over) & names:
            return turns
        return min(turns, _MOST_TURNS / max(1, self._all_turns))

    def _turn(self, loop: Loop, scope: _Scope, item: Size, turns: float) -> tuple[Size, float]:
        """What one of the turns adds for an item of this size, and what that takes."""
        steps, self.steps = self.steps, 0.0
        all_turns, self._all_turns = self._all_turns, self._all_turns * max(1, turns)
        self._loops.append(loop)
        names = {**scope, loop.item: item, loop.result_name: NOTHING}
        self.size(loop.condition, names)
        added = self.size(loop.step, names)
        self._loops.pop()
        self._all_turns = all_turns
        steps, self.steps = self.steps, steps
        return added, steps


def _looks(call: Call, sizes: list[Size]) -> float:
    """How often a function looks at each part of its operands."""
    match call.function:
        case "distinct":
            return 1 + sizes[0].items
        case "sort" | "@sortByAssociatedKeys" | "sum":
            return _LOOKS_OF_A_SORT
        case "matches":
            return 1 + sizes[-1].steps
        case _:
            return 1


def _puts_together(node: Node) -> bool:
    if isinstance(node, Call):
        return node.function in _PUTTING_TOGETHER
    return isinstance(node, Constant) and isinstance(node.value, str)


def _together(start: Size, added: Size) -> Size:
    return Size(start.steps + added.steps, start.items + added.items, max(start.each, added.each))

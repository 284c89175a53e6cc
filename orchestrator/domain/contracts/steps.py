"""What each part of a contract costs on one value, and the most that any payload costs a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.contracts.document import Path, dotted
from orchestrator.domain.contracts.parts import Part, Parts
from orchestrator.domain.contracts.pattern_cost import Effort
from orchestrator.domain.errors import Fault

MOST_STEPS_A_VALUE = 100_000
"""Steps that a part of a contract may take on one value, what the value holds left out: 2 ms."""

_MOST_NESTED = 100  # schemas for one value within one another: each takes room on the stack
_MOST_MEETINGS = 1_000_000  # of two schemas for one value, in the whole contract
_DEEPEST = 200  # nesting of a payload, see the setting `max_depth`
_STEPS_A_UNIQUE_VALUE = 10  # to compare the entries of an array with one another

Edge = tuple[Part, Part]


class Costly(Exception):
    """Raised for a contract that is too dear whatever the payload; `fault` says where."""

    def __init__(self, path: Path, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.fault = Fault(path=dotted(("contract", *path)), problem=problem, fix=fix)


@dataclass(kw_only=True, slots=True)
class Flat:
    """What a part costs on a plain value, with all parts of it for the same value."""

    steps: int = 0
    errors: int = 0  # the most that it can say
    texts: Counter[Effort] = field(default_factory=Counter)  # its regular expressions
    nested: int = 1

    def add(self, other: Flat) -> None:
        """Count another part for the same value, too."""
        self.steps += other.steps
        self.errors += other.errors
        self.texts.update(other.texts)
        self.nested = max(self.nested, other.nested + 1)


@dataclass(kw_only=True, slots=True)
class Here:
    """How often one evaluation of a part evaluates each part for the same value."""

    parts: Counter[Part] = field(default_factory=Counter)
    back: Counter[Part] = field(default_factory=Counter)  # where the contract refers back to
    again: Here | None = None  # what `unevaluated…` around it does once more

    def add(self, other: Here) -> None:
        """Count another part for the same value, too."""
        self.parts.update(other.parts)
        self.back.update(other.back)


def flatten(parts: Parts) -> dict[Part, Flat]:
    """Each part's cost. Raises Costly for one that leads to itself, or takes far too much."""
    flat: dict[Part, Flat] = {}
    again: dict[Part, Flat] = {}
    for part in parts.every:
        for one in _innermost_first(part, flat, lambda part: part.here):
            flat[one], again[one] = _flattened(one, flat, again)
    return flat


def _flattened(
    part: Part, flat: Mapping[Part, Flat], again: Mapping[Part, Flat]
) -> tuple[Flat, Flat]:
    own = Flat(steps=part.steps, errors=part.errors, texts=Counter(part.patterns))
    twice = Flat(nested=0)
    for one in part.here:
        own.add(flat[one])
        twice.add(flat[one])
        twice.add(again[one])
    if part.unevaluated:
        own.add(twice)
    if own.nested > 2 * _MOST_NESTED:
        problem = f"more than {_MOST_NESTED} schemas for one value are nested in one another"
        raise Costly(part.path, problem, "write them side by side in one `allOf`")
    if own.steps > MOST_STEPS_A_VALUE:
        problem = f"it takes {_figure(own.steps)} steps for each value"
        fix = f"refer to each schema once: at most {MOST_STEPS_A_VALUE:,} steps are taken"
        raise Costly(part.path, problem, fix)
    return own, twice


def _figure(steps: int) -> str:
    return f"{steps:,}" if steps < 10**9 else "more than a billion"


def here_of(part: Part, backward: frozenset[Edge], known: dict[Part, Here]) -> Here:
    """The evaluations for the same value. Raises Costly where there are too many to know."""

    def forward(outer: Part) -> list[Part]:
        return [inner for inner in outer.here if (outer, inner) not in backward]

    for one in _innermost_first(part, known, forward):
        found, again = Here(parts=Counter([one])), Here()
        for inner in one.here:
            if (one, inner) in backward:
                found.back[inner] += 1
                continue
            found.add(known[inner])
            again.add(known[inner])
            again.add(known[inner].again or Here())
        if one.unevaluated:
            found.add(again)
        found.again = again
        known[one] = found
        if len(found.parts) > 1_000 and sum(len(x.parts) for x in known.values()) > _MOST_MEETINGS:
            raise Costly(one.path, "too many schemas meet in it", "refer to each schema once")
    return known[part]


def backward_edges(root: Part) -> frozenset[Edge]:
    """Where a contract refers back to a part that is under way: there the validator remembers."""
    found: set[Edge] = set()
    done: set[Part] = set()
    under_way: dict[Part, Iterator[Part]] = {root: _all_edges(root)}
    while under_way:
        part, rest = next(reversed(under_way.items()))
        following = next(rest, None)
        if following is None:
            del under_way[part]
            done.add(part)
        elif following in under_way:
            found.add((part, following))
        elif following not in done:
            under_way[following] = _all_edges(following)
    return frozenset(found)


def _all_edges(part: Part) -> Iterator[Part]:
    yield from part.here
    yield from part.children()


def steps_a_value(root: Part, flat: Mapping[Part, Flat], backward: frozenset[Edge]) -> int:
    """The most steps for each value of a payload, whatever the payload is."""
    levels: dict[Part, list[int]] = {}
    again: dict[Part, list[int]] = {}
    starts = {root, *(target for _, target in backward)}

    def forward(outer: Part) -> list[Part]:
        return [inner for inner in _all_edges(outer) if (outer, inner) not in backward]

    for start in starts:
        for part in _innermost_first(start, levels, forward):
            levels[part], again[part] = _levels(part, flat, backward, levels, again)
    remembered = sum(sum(levels[start]) for start in starts - {root})
    return max(levels[root]) + remembered


def _levels(
    part: Part,
    flat: Mapping[Part, Flat],
    backward: frozenset[Edge],
    levels: Mapping[Part, list[int]],
    again: Mapping[Part, list[int]],
) -> tuple[list[int], list[int]]:
    """The most steps of one evaluation on one value at each depth within its value.

    Beside it the steps that an `unevaluated...` around it makes once more.
    """
    here = [one for one in part.here if (part, one) not in backward]
    twice = _plus([*(levels[one] for one in here), *(again[one] for one in here)])
    total = [0, *_below(part, flat, backward, levels)]
    total = _plus([total, *(levels[one] for one in here), *([twice] if part.unevaluated else [])])
    if part.unique:
        total = _plus([total, [_STEPS_A_UNIQUE_VALUE] * _DEEPEST])
    own = flat[part]
    total[0] = own.steps + own.texts.total() + part.unique * _STEPS_A_UNIQUE_VALUE
    return total[:_DEEPEST], twice[:_DEEPEST]


def _below(
    part: Part,
    flat: Mapping[Part, Flat],
    backward: frozenset[Edge],
    levels: Mapping[Part, list[int]],
) -> list[int]:
    """The same for what a value holds: each property and item by the parts that it meets."""

    def of(inner: Part) -> list[int]:
        if (part, inner) not in backward:
            return levels[inner]
        return [flat[inner].steps + flat[inner].texts.total()]

    names = [len(part.name_patterns) + (flat[part.names].steps if part.names else 0)]
    properties = _plus(
        [names, *map(of, part.each_property)],
        _most([*map(of, part.keys.values()), _plus(map(of, part.other_properties))]),
    )
    items = _plus(
        map(of, part.each_item),
        _most([*map(of, part.places), _plus(map(of, part.other_items))]),
    )
    return _most([properties, items])


def _plus(lists: Iterable[Sequence[int]], *more: Sequence[int]) -> list[int]:
    return _each_level(sum, [*lists, *more])


def _most(lists: Iterable[Sequence[int]]) -> list[int]:
    return _each_level(max, list(lists))


def _each_level(of: Callable[[list[int]], int], lists: list[Sequence[int]]) -> list[int]:
    if len(lists) == 1:
        return list(lists[0])
    longest = max(map(len, lists), default=0)
    return [of([one[level] for one in lists if level < len(one)]) for level in range(longest)]


def _innermost_first(
    part: Part, done: Mapping[Part, object], edges: Callable[[Part], Iterable[Part]]
) -> Iterator[Part]:
    """A part after all that it leads to. Raises Costly where it leads back to itself."""
    if part in done:
        return
    under_way: dict[Part, Iterator[Part]] = {part: iter(edges(part))}
    while under_way:
        one, rest = next(reversed(under_way.items()))
        following = next((inner for inner in rest if inner not in done), None)
        if following is None:
            del under_way[one]
            yield one
        elif following in under_way:
            fix = "refer to it only for what a value holds, in `properties` or `items`"
            raise Costly(one.path, "it refers to itself for the same value", fix)
        else:
            under_way[following] = iter(edges(following))

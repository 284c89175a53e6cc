"""Which missing fields are compared with which new ones: those that anything speaks for.

A field that is elsewhere has to have the same name, the same words on its way, or a value that
few fields have; objects are compared with objects; fields of one object always are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

from orchestrator.domain.drift.changes import ComparedPayloads, Missing, New
from orchestrator.domain.drift.finding import Path
from orchestrator.domain.drift.profile import Profile
from orchestrator.domain.drift.rarity import words_on_the_way
from orchestrator.domain.text.hints import resemblance

MOST_PAIRS = 10_000
"""Pairs that are compared, those first of which most speaks."""
_CROWDED = 2_500  # pairs in one object from which on names have to be alike: others are never sure
_ALIKE = 50.0  # of 100
NEARLY = 80.0  # names from here on are one name, written or spelt otherwise
_MOST_NEAR = 50  # fields one step away that are looked at
_MOST_SHARING = 4  # new fields with a value, beyond which it says nothing
_MOST_OBJECTS = 60  # objects on each side that are compared with each other
_MOST_HELD = 100  # fields of an object that are looked at for that

Candidate = tuple[Missing, New]


def candidates(
    comparison: ComparedPayloads, missing: Sequence[Missing], new: Sequence[New]
) -> list[Candidate]:
    """The pairs to compare, each once, what speaks most first."""
    found: dict[tuple[Path, Path], Candidate] = {}
    ways = (
        _by_key(missing, new, lambda path: [path[-1]]),
        _by_key(missing, new, words_on_the_way),
        _by_values(comparison, missing, new),
        _objects(comparison, missing, new),
        _one_step_away(missing, new),
        _beside(missing, new),
    )
    every = (pair for way in ways for pair in way if pair[0].certain or pair[1].certain)
    for one, other in every:
        found.setdefault((one.path, other.path), (one, other))
        if len(found) >= MOST_PAIRS:
            break
    return list(found.values())


def _by_key(
    missing: Sequence[Missing],
    new: Sequence[New],
    keys: Callable[[Path], Iterable[Hashable]],
) -> Iterator[Candidate]:
    known: defaultdict[Hashable, list[New]] = defaultdict(list)
    for one in new:
        for key in keys(one.path):
            known[key].append(one)
    for lost in missing:
        for key in keys(lost.path):
            yield from ((lost, other) for other in known.get(key, ()))


def _by_values(
    comparison: ComparedPayloads, missing: Sequence[Missing], new: Sequence[New]
) -> Iterator[Candidate]:
    known: defaultdict[str, list[New]] = defaultdict(list)
    for one in new:
        for text in comparison.new.fields[one.path].values:
            if comparison.rarity.of_value(text) >= 0.5:
                known[text].append(one)
    for lost in missing:
        field = comparison.old.fields.get(lost.path)
        for text in field.values if field else ():
            if len(known.get(text, ())) <= _MOST_SHARING:
                yield from ((lost, other) for other in known.get(text, ()))


def _objects(
    comparison: ComparedPayloads, missing: Sequence[Missing], new: Sequence[New]
) -> Iterator[Candidate]:
    """Objects that have a third of their fields in common."""
    old, now = comparison.old, comparison.new
    some = [(one, _held(old, one.path)) for one in missing if one.path in old.fields]
    others = [(one, _held(now, one.path)) for one in new]
    others = [(one, names) for one, names in others if names][:_MOST_OBJECTS]
    for one, names in [(one, names) for one, names in some if names][:_MOST_OBJECTS]:
        for other, held in others:
            if 3 * len(names & held) >= len(names | held):
                yield one, other


def _held(profile: Profile, path: Path) -> set[str]:
    return {one[-1] for one in profile.below(path, _MOST_HELD) if len(one) == len(path) + 1}


def _one_step_away(missing: Sequence[Missing], new: Sequence[New]) -> Iterator[Candidate]:
    """Fields of nearly the same name, in what holds the object, or in an object that it holds."""
    up: defaultdict[Path, list[New]] = defaultdict(list)
    down: defaultdict[Path, list[New]] = defaultdict(list)
    for one in new:
        up[one.path[:-1]].append(one)
        down[one.path[:-2]].append(one)
    for lost in missing:
        path = lost.path
        near = [*(up.get(path[:-2], ()) if len(path) > 1 else ()), *down.get(path[:-1], ())]
        for one in near[:_MOST_NEAR]:
            if len(one.path) != len(path) and resemblance(path[-1], one.path[-1]) >= NEARLY:
                yield lost, one


def _beside(missing: Sequence[Missing], new: Sequence[New]) -> Iterator[Candidate]:
    known: defaultdict[Path, list[New]] = defaultdict(list)
    lost: defaultdict[Path, list[Missing]] = defaultdict(list)
    for one in new:
        known[one.path[:-1]].append(one)
    for each in missing:
        lost[each.path[:-1]].append(each)
    for path, others in known.items():
        some = lost.get(path, ())
        crowded = len(some) * len(others) > _CROWDED
        for each in some:
            for one in others:
                if not crowded or resemblance(each.path[-1], one.path[-1]) >= _ALIKE:
                    yield each, one

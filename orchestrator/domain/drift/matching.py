"""Which new field is which missing one: the surest pair first, and no pair where two come near."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice

from orchestrator.domain.drift.changes import (
    ComparedPayloads,
    Missing,
    New,
    missing_fields,
    new_fields,
)
from orchestrator.domain.drift.finding import Path
from orchestrator.domain.drift.likeness import MARGIN, POSSIBLE, SURE, Likeness, likeness

_MOST_PAIRS = 10_000
_MOST_ROUNDS = 12
Known = dict[tuple[Path, Path], Likeness]

_TOGETHER = 0.8
"""Share of the events with the new field that must lack the old one."""
_ELSEWHERE = 0.12
"""How much surer one has to be of a field that stands elsewhere under another name."""

_NOT_ASKED_FOR = 0.1
"""How much surer one has to be where the contract misses nothing, or lets the new field be."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A missing field and a new one that may be the same."""

    missing: Missing
    new: New
    likeness: Likeness
    events: frozenset[int]  # broken payloads without the one and with the other

    @property
    def beside(self) -> bool:
        """Whether both stand in the same object."""
        return self.missing.path[:-1] == self.new.path[:-1]

    @property
    def score(self) -> float:
        """How sure it is."""
        score = self.likeness.score
        if not self.beside and self.missing.path[-1] != self.new.path[-1]:
            score -= _ELSEWHERE
        return score if self.missing.certain and self.new.certain else score - _NOT_ASKED_FOR


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What was matched, and what could be but is not clear."""

    pairs: tuple[Pair, ...]
    unclear: tuple[tuple[Pair, ...], ...]  # the pairs of one missing field that come near
    too_many: bool = False  # so much is other that nothing was compared


def matched(comparison: ComparedPayloads) -> Matched:
    """The pairs that are clear; the comparison goes on as if they stood in their old places."""
    pairs: list[Pair] = []
    every: list[Pair] = []
    known: Known = {}
    for _ in range(_MOST_ROUNDS):
        found = possible_pairs(comparison, known)
        if found is None:
            return Matched(pairs=tuple(pairs), unclear=(), too_many=True)
        every = found
        clear = _clearest(every)
        if not clear:
            break
        for pair in clear:
            comparison.take_for(pair.new.path, pair.missing.path)
        pairs += clear
        known = {
            (was, now): one
            for (was, now), one in known.items()
            if not any(_nested(now, pair.new.path) for pair in clear)
        }
    return Matched(pairs=tuple(pairs), unclear=_unclear(every, _gone(comparison)))


def possible_pairs(comparison: ComparedPayloads, known: Known) -> list[Pair] | None:
    """Pairs that something speaks for, the surest first; `known` keeps what was compared.

    None where there are too many to compare: a pair whose rivals nobody saw would be a guess.
    """
    missing, new = missing_fields(comparison), new_fields(comparison)
    seen = {one.path: frozenset(comparison.new.fields[one.path].seen) for one in new}
    every = (
        (one, other)
        for one in missing
        for other in new
        if (one.certain or other.certain)
        and len(one.lacking & seen[other.path]) >= _TOGETHER * len(seen[other.path])
    )
    tried = list(islice(every, _MOST_PAIRS + 1))
    if len(tried) > _MOST_PAIRS:
        return None
    found = [
        pair
        for one, other in tried
        if (pair := _pair(comparison, one, other, known)).score >= POSSIBLE
    ]
    return sorted(found, key=lambda pair: (-pair.score, len(pair.missing.path), pair.new.path))


def _pair(comparison: ComparedPayloads, missing: Missing, new: New, known: Known) -> Pair:
    key = (missing.path, new.path)
    if key not in known:
        values = [place.values for place, _ in comparison.places(missing.path)]
        listed = frozenset().union(*(one for one in values if one is not None))
        known[key] = likeness(comparison.old, missing.path, comparison.new, new.path, listed=listed)
    events = missing.lacking & comparison.new.fields[new.path].seen.keys()
    return Pair(missing=missing, new=new, likeness=known[key], events=events)


def _clearest(pairs: Sequence[Pair]) -> list[Pair]:
    """Sure pairs that have no rival and are apart; of nested ones the outer."""
    sides: defaultdict[tuple[bool, Path], list[Pair]] = defaultdict(list)
    for pair in pairs:
        sides[True, pair.missing.path].append(pair)
        sides[False, pair.new.path].append(pair)
    sure = [
        pair
        for pair in pairs
        if pair.score >= SURE
        and not any(_rivals(pair, other) for other in sides[True, pair.missing.path])
        and not any(_rivals(pair, other) for other in sides[False, pair.new.path])
    ]
    chosen: list[Pair] = []
    for pair in sure:
        if not any(_holds(other, pair) for other in sure) and _is_apart(pair, chosen):
            chosen.append(pair)
    return chosen


def _is_apart(pair: Pair, others: Sequence[Pair]) -> bool:
    """Whether neither of the two stands in, or holds, what others take."""
    return not any(
        (pair.missing.path != one.missing.path and _nested(pair.missing.path, one.missing.path))
        or _nested(pair.new.path, one.new.path)
        for one in others
    )


def _nested(path: Path, other: Path) -> bool:
    return path[: len(other)] == other or other[: len(path)] == path


def _holds(outer: Pair, inner: Pair) -> bool:
    """Whether a pair is of what the two fields of another hold."""
    above, now_above = outer.missing.path, outer.new.path
    path, now = inner.missing.path, inner.new.path
    return outer is not inner and path[: len(above)] == above and now[: len(now_above)] == now_above


def _rivals(pair: Pair, other: Pair) -> bool:
    """Whether another pair would take one of the two, and is about as sure."""
    if pair is other or other.score < pair.score - MARGIN:
        return False
    same_old, same_new = pair.missing.path == other.missing.path, pair.new.path == other.new.path
    if same_old == same_new or _is_firmer(pair, other):
        return False
    # Two fields for one place, each in events of its own, are not rivals: senders differ.
    return same_new or bool(pair.events & other.events)


def _is_firmer(pair: Pair, other: Pair) -> bool:
    """Whether a pair explains what is surely wrong, and the other what may be so anyway."""
    firm = pair.missing.certain and pair.new.certain
    return bool(firm) and not (other.missing.certain and other.new.certain)


def _gone(comparison: ComparedPayloads) -> set[Path]:
    return {one.path for one in missing_fields(comparison) if one.certain}


def _unclear(pairs: Sequence[Pair], gone: Collection[Path]) -> tuple[tuple[Pair, ...], ...]:
    """By missing field that must be there, and whose holder is, the new fields that come near."""
    found: dict[Path, list[Pair]] = {}
    for pair in pairs:
        path = pair.missing.path
        if path in gone and path[:-1] not in gone:
            found.setdefault(path, []).append(pair)
    return tuple(tuple(each) for each in found.values())

"""The pairs of a missing and a new field that something speaks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.domain.drift.candidates import Candidate, candidates
from orchestrator.domain.drift.changes import (
    ComparedPayloads,
    Missing,
    New,
    missing_fields,
    new_fields,
)
from orchestrator.domain.drift.finding import Path
from orchestrator.domain.drift.likeness import Comparer, Likeness
from orchestrator.domain.drift.pairs import Pair

POSSIBLE = 0.45
"""From here on a new field may be the missing one."""
_ONE_SENDER = 0.8
"""Share of the events with the new field that must lack the old one."""

Places = tuple[Path, Path]  # where something was, and where something is


@dataclass(kw_only=True)
class Known:
    """What is kept from round to round."""

    likenesses: dict[Places, Likeness] = field(default_factory=dict)
    together: dict[Places, float] | None = None  # of objects, before anything was matched

    def forget(self, pairs: Sequence[Pair]) -> None:
        """Compare again what was in, or held, what was matched."""
        for was, now in list(self.likenesses):
            if any(nested(now, pair.new.path) for pair in pairs):
                del self.likenesses[was, now]


def possible_pairs(comparison: ComparedPayloads, known: Known) -> list[Pair]:
    """Pairs that something speaks for, the surest first; `known` keeps what was compared."""
    missing, new = missing_fields(comparison), new_fields(comparison)
    seen = {one.path: frozenset(comparison.new.fields[one.path].seen) for one in new}
    tried = [
        (one, other)
        for one, other in candidates(comparison, missing, new)
        if len(one.lacking & seen[other.path]) >= _ONE_SENDER * len(seen[other.path])
    ]
    if known.together is None:
        known.together = _together(tried, missing, new)
    comparer = Comparer(old=comparison.old, new=comparison.new, rarity=comparison.rarity)
    found = [_pair(comparison, one, other, comparer, known) for one, other in tried]
    return sorted(
        (pair for pair in found if pair.score >= POSSIBLE),
        key=lambda pair: (-pair.score, len(pair.missing.path), pair.new.path),
    )


def _pair(
    comparison: ComparedPayloads,
    missing: Missing,
    new: New,
    comparer: Comparer,
    known: Known,
) -> Pair:
    key = (missing.path, new.path)
    if key not in known.likenesses:
        values = [place.values for place, _ in comparison.places(missing.path)]
        listed = frozenset[str]().union(*(one for one in values if one is not None))
        known.likenesses[key] = comparer.likeness(*key, listed=listed)
    objects = (missing.path[:-1], new.path[:-1]) if missing.path[-1] == new.path[-1] else ((), ())
    return Pair(
        missing=missing,
        new=new,
        likeness=known.likenesses[key],
        events=missing.lacking & comparison.new.fields[new.path].seen.keys(),
        elsewhere=comparison.rarity.lasting[missing.path[-1]],
        together=(known.together or {}).get(objects, 0.0),
    )


def _together(
    tried: Sequence[Candidate], missing: Sequence[Missing], new: Sequence[New]
) -> dict[Places, float]:
    """For two objects the share of the fields in question that went from the one to the other.

    Where both are objects that came and went, they are compared as objects.
    """
    left = Counter(one.path[:-1] for one in missing)
    fresh = Counter(one.path[:-1] for one in new)
    gone, came = {one.path for one in missing}, {one.path for one in new}
    moves = Counter(
        (one.path[:-1], other.path[:-1])
        for one, other in tried
        if one.path[-1] == other.path[-1] and one.path[:-1] != other.path[:-1]
    )
    found = {}
    for (was, now), count in moves.items():
        every = fresh[now] if now in came else left[was]
        near = was[:-1] == now or now[:-1] == was or was in gone or now in came
        if 2 * count >= every and (near or count > 1) and not (was in gone and now in came):
            found[was, now] = count / every
    return found


def nested(path: Path, other: Path) -> bool:
    """Whether one of two paths is the other, or holds it."""
    return path[: len(other)] == other or other[: len(path)] == path

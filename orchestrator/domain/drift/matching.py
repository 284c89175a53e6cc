"""Which new field is which missing one: the surest pair first, and no pair where two come near."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from orchestrator.domain.drift.changes import ComparedPayloads, missing_fields
from orchestrator.domain.drift.finding import Path
from orchestrator.domain.drift.pairs import Pair
from orchestrator.domain.drift.possible import Known, nested, possible_pairs

SURE = 0.55
"""From here on it is taken for the same field, if nothing else comes near."""
MARGIN = 0.1
"""By how much the best has to be better than the next."""

_MOST_ROUNDS = 12


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What was matched, and what could be but is not clear."""

    pairs: tuple[Pair, ...]
    unclear: tuple[tuple[Pair, ...], ...]  # the pairs of one missing field that come near


def matched(comparison: ComparedPayloads) -> Matched:
    """The pairs that are clear; the comparison goes on as if they were in their old places."""
    pairs: list[Pair] = []
    every: list[Pair] = []
    known = Known()
    for _ in range(_MOST_ROUNDS):
        every = possible_pairs(comparison, known)
        clear = _clearest(every)
        if not clear:
            break
        for pair in clear:
            comparison.take_for(pair.new.path, pair.missing.path)
        pairs += clear
        known.forget(clear)
    return Matched(pairs=tuple(pairs), unclear=_unclear(every, _gone(comparison)))


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
    """Whether neither of the two is in, or holds, what others take."""
    return not any(
        (pair.missing.path != one.missing.path and nested(pair.missing.path, one.missing.path))
        or nested(pair.new.path, one.new.path)
        for one in others
    )


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

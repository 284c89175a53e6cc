"""Generated cases: accepted traffic, broken traffic, and what the diagnosis should say. By seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.drift.mutations import MAKERS, Mutation, Payload, Truth, remove
from benchmarks.drift.places import apart
from benchmarks.drift.recorded import Source, sources
from benchmarks.drift.traps import as_list, new_object, nulls, wide, without_optional
from orchestrator.domain.drift.finding import ITEM, ChangeKind, Path
from orchestrator.domain.drift.profile import profiled

ACCEPTED, BROKEN = 12, 12
"""Events of a case on each side."""
SEVERAL, MIXED, PARTIAL = "several at once", "mixed senders", "partial"
ABSENT, NULLS, LISTED, WIDE = "absent objects", "nulls", "object to list", "wide"
MANY = "many at once"
_TRIES = 60
_LEAST = 3  # events that a mutation has to reach


@dataclass(frozen=True, kw_only=True)
class Case:
    """What was changed how, and the events before and after."""

    label: str  # which sort of case it is
    source: str
    schema: dict[str, object]
    accepted: list[dict[str, Any]]
    broken: list[dict[str, Any]]
    truth: frozenset[Truth]


def generated(count: int, seed: int) -> Iterator[Case]:
    """Cases in turn: each kind alone, several at once, some senders only, and what misleads."""
    rng = random.Random(seed)
    labels = [*MAKERS, SEVERAL, MIXED, PARTIAL, ABSENT, NULLS, LISTED, MANY, WIDE]
    number = 0
    while number < count:
        source, label = rng.choice(sources()), labels[number % len(labels)]
        case = _wide(rng) if label == WIDE else _case(source, str(label), rng)
        if case is not None:
            number += 1
            yield case


def _case(source: Source, label: str, rng: random.Random) -> Case | None:
    accepted, broken = source.traffic(ACCEPTED, rng), source.traffic(BROKEN, rng)
    chosen = _chosen(source, label, accepted, broken, rng)
    if not chosen:
        return None
    truth = _told(chosen, label)
    reached = [0] * len(chosen)
    for number, payload in enumerate(broken):
        for mutation in _turn(chosen, label, number):
            reached[chosen.index(mutation)] += mutation.reaches(payload)
            mutation.apply(payload)
    broken = [one for one in broken if source.contract.violations(one)]
    if len(broken) < BROKEN // 2 or min(reached) < _LEAST:
        return None
    return Case(
        label=label,
        source=source.name,
        schema=source.schema,
        accepted=accepted,
        broken=broken,
        truth=truth,
    )


def _wide(rng: random.Random) -> Case:
    schema, accepted, broken, truth = wide(rng)
    return Case(
        label=WIDE, source="rows", schema=schema, accepted=accepted, broken=broken,
        truth=frozenset(truth),
    )  # fmt: skip


def _chosen(
    source: Source, label: str, accepted: list[Payload], broken: list[Payload], rng: random.Random
) -> list[Mutation] | None:
    """The mutations of a case, with what is around them."""
    if label == ABSENT:
        absent = without_optional(source, accepted, broken, rng)
        fresh = new_object(source, broken, rng)
        return [fresh] if absent and fresh else None
    if label == NULLS:
        return _of_nulls(source, accepted, broken, rng)
    if label == LISTED:
        found = _found(source, broken, lambda path: as_list(broken, path), rng)
        return [found] if found else None
    return _mutations(source, broken, _wanted(label, rng), rng)


def _of_nulls(
    source: Source, accepted: list[Payload], broken: list[Payload], rng: random.Random
) -> list[Mutation] | None:
    """A field that is always null is removed, and an object that has nulls is new."""
    removed = _found(source, broken, lambda path: remove(source, broken, path, rng), rng)
    fresh = new_object(source, broken, rng)
    if not removed or not fresh or not nulls(source, [*accepted, *broken], removed.truth[0][1]):
        return None
    return [removed, fresh]


def _found(
    source: Source,
    payloads: Sequence[Payload],
    make: Callable[[Path], Mutation | None],
    rng: random.Random,
) -> Mutation | None:
    paths = _paths(payloads)
    for _ in range(_TRIES):
        mutation = make(rng.choice(rng.choice(paths)))
        if mutation and _breaks(source, payloads, mutation):
            return mutation
    return None


def _wanted(label: str, rng: random.Random) -> list[ChangeKind]:
    if label in MAKERS:
        return [ChangeKind(label)]
    if label == MANY:
        return rng.choices(list(MAKERS), k=rng.randint(5, 8))
    kinds = rng.sample(list(MAKERS), rng.randint(2, 4) if label == SEVERAL else 2)
    return [ChangeKind.REMOVED, next(one for one in kinds if one is not ChangeKind.REMOVED)] if (
        label == PARTIAL
    ) else kinds  # fmt: skip


def _turn(mutations: Sequence[Mutation], label: str, number: int) -> Sequence[Mutation]:
    """The mutations of one event."""
    if label == MIXED:
        return [mutations[number % 2]]
    return mutations[number % 2 :] if label == PARTIAL else mutations


def _told(mutations: Sequence[Mutation], label: str) -> frozenset[Truth]:
    """A field that is removed from some events only is partly there."""
    partly = {MIXED: mutations, PARTIAL: mutations[:1]}.get(label, ())
    return frozenset(
        (ChangeKind.PARTIAL, path, to)
        if kind is ChangeKind.REMOVED and one in partly
        else (kind, path, to)
        for one in mutations
        for kind, path, to in one.truth
    )


def _mutations(
    source: Source,
    payloads: Sequence[dict[str, Any]],
    wanted: Sequence[ChangeKind],
    rng: random.Random,
) -> list[Mutation] | None:
    """One mutation of each kind, in places of their own; each breaks the contract by itself."""
    paths = _paths(payloads)
    found: list[Mutation] = []
    for kind in wanted:
        for _ in range(_TRIES):
            path = rng.choice(rng.choice(paths))
            mutation = MAKERS[kind](source, payloads, path, rng)
            if mutation and _is_apart(mutation, found) and _breaks(source, payloads, mutation):
                found.append(mutation)
                break
        else:
            return None
    return found


def _is_apart(mutation: Mutation, others: Sequence[Mutation]) -> bool:
    taken = [path for other in others for path in other.touched]
    return all(apart(path, taken) for path in mutation.touched)


def _paths(payloads: Sequence[dict[str, Any]]) -> list[list[Path]]:
    """Fields that most events have, by the first step of their path."""
    profile = profiled(payloads)
    found: dict[str, list[Path]] = {}
    for path, field in profile.fields.items():
        if path and path[-1] != ITEM and 2 * len(field.seen) >= len(payloads):
            found.setdefault(path[0], []).append(path)
    return list(found.values())


def _breaks(source: Source, payloads: Sequence[dict[str, Any]], mutation: Mutation) -> bool:
    """Whether the contract lets none of the events through that have the field."""
    having = [one for one in payloads if mutation.reaches(one)]
    for payload in having[:6]:
        changed = copy.deepcopy(payload)
        (mutation.core or mutation.apply)(changed)
        if changed != payload and not source.contract.violations(changed):
            return False
    return len(having) >= 6

"""Ways in which a sender changes its form, each with what the diagnosis should say of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.drift.names import new_name
from benchmarks.drift.places import holders, renamed, values
from benchmarks.drift.recorded import Source
from orchestrator.domain.drift.declared import DeclaredPlaces
from orchestrator.domain.drift.finding import ITEM, ChangeKind, Path
from orchestrator.domain.drift.shapes import type_of

Payload = dict[str, Any]
Truth = tuple[ChangeKind, Path, Path | None]


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One change of a form."""

    truth: tuple[Truth, ...]
    touched: tuple[Path, ...]  # nothing else may happen here in the same case
    apply: Callable[[Payload], None]  # changes a payload where it has the field
    core: Callable[[Payload], None] | None = None  # the same without what only goes with it

    def reaches(self, payload: Payload) -> bool:
        """Whether a payload has the field; what is new reaches every one."""
        return self.truth[0][0] is ChangeKind.ADDED or any(holders(payload, self.truth[0][1]))


Make = Callable[[Source, Sequence[Payload], Path, random.Random], Mutation | None]


def rename(
    _: Source, payloads: Sequence[Payload], path: Path, rng: random.Random
) -> Mutation | None:
    """The field has another name in the same object."""
    taken = {name for one in payloads for holder in holders(one, path) for name in holder}
    name = new_name(path[-1], taken, rng)

    def apply(payload: Payload) -> None:
        for holder in list(holders(payload, path)):
            renamed(holder, path[-1], name)

    to = (*path[:-1], name)
    return Mutation(truth=((ChangeKind.RENAMED, path, to),), touched=(path, to), apply=apply)


def move(_: Source, payloads: Sequence[Payload], path: Path, rng: random.Random) -> Mutation | None:
    """The field is a level deeper in a new object, in a sibling, or a level higher."""
    name = path[-1] if rng.random() < 0.75 else new_name(path[-1], set(), rng)
    ways = [(*path[:-1], rng.choice(["details", "meta", "info", "data_v2"]), name)]
    every = [holder for payload in payloads for holder in holders(payload, path)]
    siblings = [
        one
        for one in (every[0] if every else ())
        if one != path[-1] and all(_can_hold(holder.get(one), name) for holder in every)
    ]
    ways += [(*path[:-1], one, name) for one in siblings[:2]]
    if len(path) > 1 and path[-2] != ITEM:
        ways.append((*path[:-2], name))
    to = rng.choice(ways)
    if values(payloads, to) or to[:-1] == path:
        return None

    def apply(payload: Payload) -> None:
        depth = min(len(path), len(to)) - 1
        for holder in list(holders(payload, (*path[:depth], path[depth]))):
            inner = list(holders(holder, path[depth:]))
            if not inner:
                continue
            value = inner[0].pop(path[-1])
            goal = holder.setdefault(to[depth], {}) if len(to) > depth + 1 else holder
            goal[to[-1]] = value

    return Mutation(
        truth=((ChangeKind.MOVED, path, to),), touched=(path, to[:-1] or to), apply=apply
    )


def _can_hold(value: Any, name: str) -> bool:
    return isinstance(value, dict) and name not in value


def retype(
    _: Source, payloads: Sequence[Payload], path: Path, rng: random.Random
) -> Mutation | None:
    """The field has another type."""
    before = [one for one in values(payloads, path) if one is not None]
    if not before or isinstance(before[0], dict | list):
        return None
    ways: dict[str, list[Callable[[Any], Any]]] = {
        "integer": [str, lambda one: [one], lambda one: {"value": one}],
        "boolean": [lambda one: "yes" if one else "no", int],
        "string": [len, lambda one: [one], lambda one: {"value": one}],
        "number": [str],
    }
    way = rng.choice(ways[type_of(before[0])])

    def apply(payload: Payload) -> None:
        for holder in holders(payload, path):
            if holder[path[-1]] is not None:
                holder[path[-1]] = way(holder[path[-1]])

    return Mutation(truth=((ChangeKind.RETYPED, path, None),), touched=(path,), apply=apply)


def remove(
    _: Source, payloads: Sequence[Payload], path: Path, rng: random.Random
) -> Mutation | None:
    """The field is gone; in a third of the cases something unrelated is new."""
    taken = {name for one in payloads for holder in holders(one, path) for name in holder}
    extra = new_name("", taken, rng) if rng.random() < 0.34 else None
    inventions: list[Callable[[], object]] = [
        lambda: rng.choice(["spring campaign", "please call back", "second visit"]),
        lambda: rng.random() < 0.5,
        lambda: rng.randint(1, 90),
        lambda: {"width": rng.randint(1, 9), "colour": rng.choice(["red", "blue"])},
    ]
    invent = rng.choice(inventions)

    def core(payload: Payload) -> None:
        for holder in list(holders(payload, path)):
            del holder[path[-1]]

    def apply(payload: Payload) -> None:
        for holder in list(holders(payload, path)) if extra else ():
            holder[extra or ""] = invent()
        core(payload)

    more = ((ChangeKind.ADDED, (*path[:-1], extra), None),) if extra else ()
    truth = ((ChangeKind.REMOVED, path, None), *more)
    return Mutation(truth=truth, touched=(path,), apply=apply, core=core)


def new_value(
    source: Source, payloads: Sequence[Payload], path: Path, rng: random.Random
) -> Mutation | None:
    """The field has a value that the contract does not list."""
    listed = DeclaredPlaces(source.schema).at(path).values
    if not listed or any(not isinstance(one, str) for one in values(payloads, path)):
        return None
    value = rng.choice([one.upper() for one in sorted(listed)] + ["paused", "tier-3", "gold"])
    if value in listed:
        return None

    def apply(payload: Payload) -> None:
        for holder in holders(payload, path):
            holder[path[-1]] = value

    return Mutation(truth=((ChangeKind.NEW_VALUE, path, None),), touched=(path,), apply=apply)


MAKERS: dict[ChangeKind, Make] = {
    ChangeKind.RENAMED: rename,
    ChangeKind.MOVED: move,
    ChangeKind.RETYPED: retype,
    ChangeKind.REMOVED: remove,
    ChangeKind.NEW_VALUE: new_value,
}

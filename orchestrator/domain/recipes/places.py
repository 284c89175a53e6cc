"""Where in a payload the paths of a recipe lead: one place, or with `*` one for every entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.domain.recipes.amendment import is_index

Place = tuple[str, ...]


def existing_places(value: object, steps: Sequence[str], at: Place = ()) -> Iterator[Place]:
    """The places of a path at which a payload has something."""
    if not steps:
        yield at
        return
    for step, inner in _inside(value, steps[0]):
        yield from existing_places(inner, steps[1:], (*at, step))


def empty_places(value: object, steps: Sequence[str], at: Place = ()) -> Iterator[Place]:
    """The places of a path at which a payload has nothing, not even null, and could have it."""
    if not steps:
        return
    inside = _inside(value, steps[0])
    for step, inner in inside:
        yield from empty_places(inner, steps[1:], (*at, step))
    if isinstance(value, dict) and not inside and "*" not in steps:
        yield (*at, *steps)


def value_at(value: object, place: Sequence[str]) -> object:
    """What is at a place; None where there is nothing."""
    for step in place:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and is_index(step, len(value)):
            value = value[int(step)]
        else:
            return None
    return value


def has_place(value: object, place: Sequence[str]) -> bool:
    """Whether there is something at a place, if only null."""
    return next(existing_places(value, [*place]), None) is not None


def nests_deeper(value: object, levels: int) -> bool:
    """Whether a value has lists and objects in each other deeper than so many levels."""
    inside = [value]
    for _ in range(levels + 1):
        inside = [
            inner
            for one in inside
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not inside:
            return False
    return True


def filled(to: Sequence[str], pattern: Sequence[str], place: Sequence[str]) -> Place:
    """`to` with the entries in place of its `*` that `place` has for those of `pattern`."""
    entries = iter([one for one, step in zip(place, pattern, strict=True) if step == "*"])
    return tuple(next(entries) if step == "*" else step for step in to)


def _inside(value: object, step: str) -> list[tuple[str, object]]:
    if isinstance(value, list) and step == "*":
        return [(str(index), entry) for index, entry in enumerate(value)]
    if isinstance(value, dict) and step in value:
        return [(step, value[step])]
    if isinstance(value, list) and is_index(step, len(value)):
        return [(step, value[int(step)])]
    return []

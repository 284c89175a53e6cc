"""Fields that are in their old place and changed: another type, format or value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.domain.drift.changes import ComparedPayloads
from orchestrator.domain.drift.finding import ITEM, ChangeKind, Path
from orchestrator.domain.drift.profile import Field, Profile
from orchestrator.domain.drift.report import Story, shapes_of
from orchestrator.domain.drift.shapes import format_of, listed

_TIMES = frozenset({"date-time", "date", "epoch seconds", "epoch milliseconds"})
_ENOUGH = 3  # different values on each side, from which on a format says something
_MOST_SHOWN = 5


def retyped(comparison: ComparedPayloads) -> list[Story]:
    """Fields with a type that they must not have, and times that are written otherwise."""
    found: dict[Path, Story] = {}
    for path, field in sorted(comparison.new.fields.items(), key=lambda one: len(one[0])):
        if path[:-1] in found and path:
            continue
        events, types = _wrong_types(comparison, path, field)
        if events:
            found[path] = _retyped(comparison, path, events, types)
        elif story := _rewritten(comparison, path, field):
            found[path] = story
    return list(found.values())


def _wrong_types(
    comparison: ComparedPayloads, path: Path, field: Field
) -> tuple[frozenset[int], frozenset[str]]:
    """The payloads with a wrong type at a path, and what is allowed there.

    A type that accepted payloads had is none: then the contract changed, and not the sender.
    """
    events: set[int] = set()
    allowed: set[str] = set()
    before = comparison.old.fields.get(path)
    for place, numbers in comparison.places(path):
        types = place.types if place.declared else _types_before(before, field)
        allowed |= types
        for kind, seen in field.types.items():
            if types and kind not in types and not (before and kind in before.types):
                events |= seen & numbers
    return frozenset(events), frozenset(allowed)


def _types_before(before: Field | None, now: Field) -> frozenset[str]:
    """Without a contract's word: what was there, if nothing of it is now."""
    if (
        before is None
        or set(before.types) & set(now.types)
        or "null" in {*before.types, *now.types}
    ):
        return frozenset()
    types = frozenset(before.types)
    numbers = frozenset({"integer", "number"})
    return types | numbers if types & numbers else types


def _retyped(
    comparison: ComparedPayloads, path: Path, events: frozenset[int], allowed: frozenset[str]
) -> Story:
    before, field = comparison.old.fields.get(path), comparison.new.fields[path]
    was = _said(before.types if before else allowed, comparison.old, path)
    wrong = _said(set(field.types) - allowed, comparison.new, path)
    return Story(
        kind=ChangeKind.RETYPED,
        path=comparison.actual(path, events),
        events=events,
        evidence=(
            f"it was {was} and is {wrong or 'of another type'}",
            f"before {shapes_of(before)}, now {shapes_of(field)}",
        ),
    )


def _said(types: Iterable[str], profile: Profile, path: Path) -> str:
    """Types in words; of a list also what is in it, for an object often becomes a list of them."""
    items = profile.fields.get((*path, ITEM))
    inner = " or ".join(f"{one}s" for one in sorted(items.types) if one != "null") if items else ""
    words = {"array": f"a list of {inner}" if inner else "a list", "object": "an object"}
    return " or ".join(words.get(one, one) for one in sorted(types))


def _rewritten(comparison: ComparedPayloads, path: Path, field: Field) -> Story | None:
    """A time in another form, or counted in another unit."""
    before = comparison.old.fields.get(path)
    if before is None or min(len(before.values), len(field.values)) < _ENOUGH:
        return None
    was, now = ({format_of(text) for text in one.values} for one in (before, field))
    if len(was) != 1 or not was <= _TIMES or len(now) != 1 or was == now:
        return None
    events = frozenset(field.seen)
    return Story(
        kind=ChangeKind.RETYPED,
        path=comparison.actual(path, events),
        events=events,
        evidence=(
            f"its format was {was.pop()} and is {now.pop()}",
            f"before {shapes_of(before)}, now {shapes_of(field)}",
        ),
    )


def new_values(comparison: ComparedPayloads) -> list[Story]:
    """Fields with a value that the contract does not list."""
    return [story for path in list(comparison.new.fields) if (story := _unlisted(comparison, path))]


def _unlisted(comparison: ComparedPayloads, path: Path) -> Story | None:
    field, events = comparison.new.fields[path], set[int]()
    before = comparison.old.fields.get(path, Field()).values
    known: set[str] = set()
    unknown: dict[str, int] = {}
    for place, numbers in comparison.places(path):
        if place.values is None:
            continue
        fitting = numbers - _of_other_types(field, place.types)
        known |= place.values
        for text, seen in field.values.items():
            if text not in place.values and text not in before and seen & fitting:
                events |= seen & fitting
                unknown[text] = len(seen & fitting)
    if not events:
        return None
    evidence = (*_said_new_values(unknown, known), f"the contract lists {_some(known)}")
    actual = comparison.actual(path, events)
    return Story(
        kind=ChangeKind.NEW_VALUE, path=actual, events=frozenset(events), evidence=evidence
    )


def _of_other_types(field: Field, types: frozenset[str]) -> set[int]:
    return {number for kind, seen in field.types.items() if kind not in types for number in seen}


def _said_new_values(unknown: dict[str, int], known: set[str]) -> Iterator[str]:
    written = {text.casefold(): text for text in known}
    for text in sorted(unknown, key=lambda one: (-unknown[one], one))[:_MOST_SHOWN]:
        events = "1 event" if unknown[text] == 1 else f"{unknown[text]} events"
        said = f"{listed(text)} is new, in {events}"
        same = written.get(text.strip().casefold())
        yield f"{said}; it is `{same}` otherwise written" if same else said


def _some(known: set[str]) -> str:
    shown = ", ".join(listed(text) for text in sorted(known)[:_MOST_SHOWN])
    return f"{shown} ..." if len(known) > _MOST_SHOWN else shown or "nothing"

"""What no pair explains: fields that are gone, and fields that take nothing's place."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.domain.drift.changes import ComparedPayloads, Missing, missing_fields, new_fields
from orchestrator.domain.drift.finding import ChangeKind, Path
from orchestrator.domain.drift.report import Story, examples, presence


def gone(comparison: ComparedPayloads, explained: Collection[Path]) -> list[Story]:
    """Fields that must be there and are not; a holder stands for all that it held."""
    taken = [*(one.was for one in comparison.origins), *explained]
    told: list[Path] = []
    found = []
    for missing in missing_fields(comparison):
        path = missing.path
        if not missing.certain or any(_under(path, one) for one in (*told, *explained)):
            continue
        if any(_under(one, path) for one in taken):
            continue  # what it held stands elsewhere: the rest is looked at by itself
        told.append(path)
        found.append(_gone(comparison, missing))
    return found


def _gone(comparison: ComparedPayloads, missing: Missing) -> Story:
    path, new = missing.path, comparison.new
    seen = new.fields[path].seen if path in new.fields else {}
    evidence = [presence(comparison, path)]
    if seen:
        evidence.append(f"it is missing in {len(missing.certain)} and there in {len(seen)} events")
    if not any(place.requires(path[-1]) for place, _ in comparison.places(path[:-1])):
        evidence.append("the contract does not ask for it")
    return Story(
        kind=ChangeKind.PARTIAL if seen else ChangeKind.REMOVED,
        path=path,
        events=missing.certain,
        evidence=(*evidence, "nothing new looks like it"),
    )


def added(comparison: ComparedPayloads, explained: Collection[Path]) -> list[Story]:
    """Fields that are new and not let in, or in every event; a holder stands for what it holds."""
    taken = [one.now for one in comparison.origins]
    told = list(explained)
    found = []
    for new in new_fields(comparison):
        path = new.path
        if not new.certain or any(_under(path, one) for one in told):
            continue
        if any(_under(one, path) or _under(path, one) for one in taken):
            continue
        told.append(path)
        events = frozenset(comparison.new.fields[path].seen)
        evidence = (presence(comparison, path), f"it holds {examples(comparison.new, path)}")
        found.append(Story(kind=ChangeKind.ADDED, path=path, events=events, evidence=evidence))
    return found


def too_much(comparison: ComparedPayloads) -> Story:
    """That more is other than can be told apart."""
    missing = [one for one in missing_fields(comparison) if one.certain]
    new = [one for one in new_fields(comparison) if one.certain]
    events = {number for one in missing for number in one.certain}
    events |= {number for one in new for number in comparison.new.fields[one.path].seen}
    said = f"{len(missing)} fields are missing and {len(new)} are new: too many to tell them apart"
    return Story(kind=ChangeKind.UNCLEAR, path=(), events=frozenset(events), evidence=(said,))


def _under(path: Path, above: Path) -> bool:
    """Whether a path is another, or is under it."""
    return path[: len(above)] == above

"""What no pair explains: fields that are gone, and fields that take nothing's place."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orchestrator.domain.drift.changes import ComparedPayloads, Missing, missing_fields, new_fields
from orchestrator.domain.drift.finding import ChangeKind, Path, placed
from orchestrator.domain.drift.profile import Profile
from orchestrator.domain.drift.report import Story, examples, presence


def gone(comparison: ComparedPayloads, explained: Collection[Path]) -> list[Story]:
    """Fields that must be there and are not; an object is named with all that it held."""
    taken = [*(one.was for one in comparison.origins), *explained]
    names = {one.path[-1]: one.path for one in new_fields(comparison)}
    told: list[Path] = []
    found = []
    for missing in missing_fields(comparison):
        path = missing.path
        if not missing.certain or any(_under(path, one) for one in (*told, *explained)):
            continue
        if _is_emptied(comparison.old, path, taken):
            continue
        told.append(path)
        found.append(_gone(comparison, missing, names))
    return found


def _gone(comparison: ComparedPayloads, missing: Missing, names: Mapping[str, Path]) -> Story:
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
        evidence=(*evidence, _said_of_new(names.get(path[-1]))),
    )


def _said_of_new(path: Path | None) -> str:
    if path is None:
        return "nothing new looks like it"
    return f"`{placed(path)}` is new and has its name; nothing else says that it is the same"


def added(comparison: ComparedPayloads, explained: Collection[Path]) -> list[Story]:
    """Fields that are new and not let in, or in every event; an object with what it holds."""
    taken = [one.now for one in comparison.origins]
    told = list(explained)
    found = []
    for new in new_fields(comparison):
        path = new.path
        if not new.certain or new.within or any(_under(path, one) for one in told):
            continue
        if any(_under(path, one) for one in taken) or _is_emptied(comparison.new, path, taken):
            continue
        told.append(path)
        events = frozenset(comparison.new.fields[path].seen)
        evidence = (presence(comparison, path), f"it holds {examples(comparison.new, path)}")
        actual = comparison.actual(path, events)
        found.append(Story(kind=ChangeKind.ADDED, path=actual, events=events, evidence=evidence))
    return found


def _is_emptied(profile: Profile, path: Path, taken: Collection[Path]) -> bool:
    """Whether all that an object holds is elsewhere: then its fields say it, one by one."""
    if not any(_under(one, path) for one in taken):
        return False
    leaves = [one for one in profile.below(path) if not profile.below(one, 1)]
    return all(any(_under(one, other) for other in taken) for one in leaves)


def _under(path: Path, above: Path) -> bool:
    """Whether a path is another, or is under it."""
    return path[: len(above)] == above

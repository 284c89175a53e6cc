"""What is true of two versions: what a person read off, and what one has and the other has not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from benchmarks.drift.mutations import Truth
from benchmarks.drift.real.document import Json
from orchestrator.domain.drift.declared import DeclaredPlaces
from orchestrator.domain.drift.finding import ITEM, ChangeKind, Path
from orchestrator.domain.drift.profile import Profile, profiled

_BY_OLD_PLACE = (ChangeKind.REMOVED, ChangeKind.PARTIAL)  # named by where they were


def truths(
    accepted: Sequence[object], broken: Sequence[object], schema: Json, said: Mapping[Path, Path]
) -> set[Truth]:
    """Renamed and moved fields are those that were read off; all else follows from the payloads."""
    old, new = profiled(accepted), profiled(broken)
    declared = _meant(schema, broken)
    named = {was: now for was, now in said.items() if was in old.fields and now in new.fields}
    for was, now in sorted(named.items(), key=lambda one: len(one[1])):
        if now in new.fields:
            new.relocate(now, was)
    found: set[Truth] = {
        (ChangeKind.RENAMED if was[:-1] == now[:-1] else ChangeKind.MOVED, was, now)
        for was, now in named.items()
    }
    retyped = {path for path in new.fields if _is_retyped(old, new, declared, path)}
    tops = _tops(retyped)
    rest = {
        *((ChangeKind.RETYPED, path, None) for path in tops),
        *_missing(old, new, declared, tops),
        *_fresh(old, new, declared, tops),
        *_values(old, new, declared, tops),
    } - _emptied(accepted, broken, named)
    return found | {
        (kind, path if kind in _BY_OLD_PLACE else _now(path, named), to) for kind, path, to in rest
    }


def _meant(schema: Json, broken: Sequence[object]) -> DeclaredPlaces:
    """The contract with those of its alternatives that the payloads mean."""
    whole = DeclaredPlaces(schema)
    chosen = {id(one): one for payload in broken for one in whole.meant_by(payload)}
    return whole.narrowed(tuple(chosen.values()))


def _emptied(
    accepted: Sequence[object], broken: Sequence[object], named: Mapping[Path, Path]
) -> set[Truth]:
    """Objects that are gone, or new, with nothing but what was moved: the moves say it all."""
    found: set[Truth] = set()
    for kind, payloads, places in (
        (ChangeKind.REMOVED, accepted, named.keys()),
        (ChangeKind.ADDED, broken, named.values()),
    ):
        profile = profiled(payloads)
        above = {path[:depth] for path in places for depth in range(1, len(path))}
        for path in above:
            rest = [one for one in profile.below(path) if not profile.below(one)]
            if all(_is_under(one, places) for one in rest):
                found.add((kind, path, None))
    return found


def _now(path: Path, named: Mapping[Path, Path]) -> Path:
    """Where what is looked at as `path` is in the new version."""
    for was in sorted(named, key=len, reverse=True):
        if path[: len(was)] == was:
            return (*named[was], *path[len(was) :])
    return path


def _is_retyped(old: Profile, new: Profile, declared: DeclaredPlaces, path: Path) -> bool:
    if path not in old.fields:
        return False
    fresh = set(new.fields[path].types) - set(old.fields[path].types)
    return bool(fresh - declared.at(path).types)


def _missing(
    old: Profile, new: Profile, declared: DeclaredPlaces, retyped: Collection[Path]
) -> Iterator[Truth]:
    for path in old.fields.keys() - {()}:
        if path[-1] == ITEM or old.lacking(path) or _is_under(path, retyped):
            continue
        if new.lacking(path) and declared.at(path[:-1]).requires(path[-1]):
            yield (ChangeKind.PARTIAL if path in new.fields else ChangeKind.REMOVED), path, None


def _fresh(
    old: Profile, new: Profile, declared: DeclaredPlaces, retyped: Collection[Path]
) -> Iterator[Truth]:
    for path in new.fields.keys() - old.fields.keys():
        shut = not declared.at(path).alternatives
        if shut and path[-1] != ITEM and old.lacking(path) and not _is_under(path, retyped):
            yield ChangeKind.ADDED, path, None


def _values(
    old: Profile, new: Profile, declared: DeclaredPlaces, retyped: Collection[Path]
) -> Iterator[Truth]:
    for path, one in new.fields.items():
        listed = declared.at(path).values
        before = old.fields[path].values if path in old.fields else {}
        if listed and set(one.values) - listed - set(before) and path not in retyped:
            yield ChangeKind.NEW_VALUE, path, None


def _tops(paths: set[Path]) -> set[Path]:
    return {one for one in paths if not any(one[:depth] in paths for depth in range(len(one)))}


def _is_under(path: Path, others: Collection[Path]) -> bool:
    return any(path[: len(one)] == one for one in others)

"""Which fields are missing and which are new, in the broken payloads against the accepted ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from orchestrator.domain.drift.declared import Alternative, DeclaredPlaces, Place
from orchestrator.domain.drift.finding import ITEM, Path
from orchestrator.domain.drift.profile import Profile, profiled
from orchestrator.domain.drift.rarity import Rarity, rarity_of

_ENOUGH = 10
"""Objects on each side from which on "always" and "never" say something without a contract."""


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A field that is not where it should be."""

    path: Path
    lacking: frozenset[int]  # broken payloads without it
    certain: frozenset[int]  # those of them where it must be


@dataclass(frozen=True, kw_only=True)
class New:
    """A field that accepted payloads did not have."""

    path: Path
    certain: bool  # the contract does not let it be there, or every payload has it of a sudden
    within: bool = False  # it is in a field that became an object or a list: that says it


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A new field that was taken for a missing one."""

    was: Path
    now: Path
    seen: frozenset[int]  # broken payloads that have it


@dataclass(kw_only=True)
class ComparedPayloads:
    """Accepted payloads, broken payloads, and the contract as each of the broken can mean it."""

    old: Profile
    new: Profile
    contracts: list[tuple[DeclaredPlaces, frozenset[int]]]
    rarity: Rarity
    origins: list[Origin] = field(default_factory=list)  # fields that were taken for others

    def places(self, path: Path) -> list[tuple[Place, frozenset[int]]]:
        """What the contract says about a path, for each of the broken payloads."""
        return [(declared.at(path), numbers) for declared, numbers in self.contracts]

    def take_for(self, now: Path, was: Path) -> None:
        """Go on as if the field at `now` were at `was` as before."""
        seen = frozenset(self.new.fields[now].seen)
        self.new.relocate(now, was)
        self.origins.append(Origin(was=was, now=now, seen=seen))

    def former(self, path: Path) -> Path:
        """Where the value at `path` in the broken payloads is looked at."""
        for one in self.origins:
            if path[: len(one.now)] == one.now:
                return (*one.was, *path[len(one.now) :])
        return path

    def actual(self, path: Path, events: AbstractSet[int]) -> Path:
        """Where in these of the broken payloads the value is that is looked at as `path`."""
        for one in self.origins:
            if path[: len(one.was)] == one.was and 2 * len(events & one.seen) > len(events):
                return (*one.now, *path[len(one.was) :])
        return path


def compared(
    accepted: Sequence[object], broken: Sequence[object], schema: Mapping[str, object] | None
) -> ComparedPayloads:
    """Both sets of payloads as profiles, ready to be compared."""
    whole = DeclaredPlaces(schema or {})
    groups: dict[tuple[int, ...], tuple[tuple[Alternative, ...], set[int]]] = {}
    for number, payload in enumerate(broken):
        chosen = whole.meant_by(payload)
        groups.setdefault(tuple(map(id, chosen)), (chosen, set()))[1].add(number)
    contracts = [(whole.narrowed(one), frozenset(numbers)) for one, numbers in groups.values()]
    old, new = profiled(accepted), profiled(broken)
    return ComparedPayloads(old=old, new=new, contracts=contracts, rarity=rarity_of(old, new))


def missing_fields(comparison: ComparedPayloads) -> list[Missing]:
    """Fields that broken payloads lack, holders before what they hold."""
    old, new = comparison.old, comparison.new
    known = dict.fromkeys(path for path in old.fields if path and path[-1] != ITEM)
    for path, known_one in new.fields.items():
        if known_one.objects:
            for place, _ in comparison.places(path):
                known.update(dict.fromkeys((*path, name) for name in sorted(place.required())))
    found: dict[Path, Missing] = {}
    for path in sorted(known, key=len):
        if one := _missing(comparison, path, found.get(path[:-1])):
            found[path] = one
    return list(found.values())


def _missing(comparison: ComparedPayloads, path: Path, above: Missing | None) -> Missing | None:
    """Where a field is missing: its object is without it, or is missing itself."""
    new = comparison.new
    direct = new.lacking(path)
    lacking, certain = set(direct), set[int]()
    if above:
        seen = new.fields[path].seen.keys() if path in new.fields else set[int]()
        lacking |= above.lacking - seen
        certain |= above.certain - seen
    if not lacking:
        return None
    for place, numbers in comparison.places(path[:-1]):
        if place.requires(path[-1]) and not _never(comparison, path):
            certain |= numbers & direct
    if _always(comparison, path):
        certain |= direct
    return Missing(path=path, lacking=frozenset(lacking), certain=frozenset(certain))


def _never(comparison: ComparedPayloads, path: Path) -> bool:
    """Whether accepted payloads could have had it and none did: the contract changed since."""
    holder = comparison.old.fields.get(path[:-1])
    return holder is not None and holder.objects.total() > 0 and path not in comparison.old.fields


def _always(comparison: ComparedPayloads, path: Path) -> bool:
    """Whether every accepted object had it and none of the broken has, of enough of each."""
    return (
        _is_frequent(comparison, path[:-1])
        and comparison.old.rate(path) == 1
        and path not in comparison.new.fields
    )


def _is_frequent(comparison: ComparedPayloads, path: Path) -> bool:
    """Whether enough objects were at a place before, and are there now."""
    both = (comparison.old.fields.get(path), comparison.new.fields.get(path))
    return all(one is not None and one.objects.total() >= _ENOUGH for one in both)


def new_fields(comparison: ComparedPayloads) -> list[New]:
    """Fields that no accepted payload had, holders before what they hold.

    The parts of a field that became an object belong to that change, unless they moved there.
    """
    old = comparison.old
    found: dict[Path, New] = {}
    for path in sorted(comparison.new.fields, key=len):
        if not path or path[-1] == ITEM or path in old.fields:
            continue
        within = _became_holder(comparison, path)
        certain = within or _is_unexpected(comparison, path) or _is_certain(found, path[:-1])
        if certain or _is_remarkable(comparison, path):
            found[path] = New(path=path, certain=certain, within=within)
    return list(found.values())


def _is_unexpected(comparison: ComparedPayloads, path: Path) -> bool:
    """Whether the contract does not let a field be there, or says nothing and most have it."""
    new, places = comparison.new, comparison.places(path)
    seen = new.fields[path].seen.keys()
    if any(not place.alternatives and numbers & seen for place, numbers in places):
        return True
    enough = _is_frequent(comparison, path[:-1])
    return enough and new.rate(path) > 0.5 and not any(place.declared for place, _ in places)


def _is_remarkable(comparison: ComparedPayloads, path: Path) -> bool:
    """Whether a field may be there, but never was where it could have been, and now mostly is."""
    holder = comparison.old.fields.get(path[:-1])
    could = holder.objects.total() if holder else 0
    return could >= _ENOUGH // 2 and comparison.new.rate(path) > 0.5


def _is_certain(found: Mapping[Path, New], path: Path) -> bool:
    return path in found and found[path].certain


def _became_holder(comparison: ComparedPayloads, path: Path) -> bool:
    """Whether something above it was there before, and was neither an object nor a list as now."""
    for depth in range(1, len(path)):
        before = comparison.old.fields.get(path[:depth])
        types = set(before.types) - {"null"} if before else set[str]()
        if types and ("array" if path[depth] == ITEM else "object") not in types:
            return True
    return False

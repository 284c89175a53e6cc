"""What a set of payloads has: every path with its types, values and in how many payloads."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from orchestrator.domain.drift.finding import ITEM, Path
from orchestrator.domain.drift.formats import Looks, looks_of
from orchestrator.domain.drift.shapes import text_of, type_of

MOST_FIELDS = 5_000
MOST_ITEMS = 50
"""Items of one array that are looked at."""
MOST_VALUES = 100
"""Different values that are kept of one field."""
DEEPEST = 24


@dataclass(kw_only=True)
class Field:
    """The values at one path. Payloads are known by their number."""

    seen: Counter[int] = field(default_factory=Counter)  # times that it occurs in each payload
    objects: Counter[int] = field(default_factory=Counter)  # times that it is an object there
    types: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    values: dict[str, set[int]] = field(default_factory=dict)  # scalars as text, and where

    @cached_property
    def looks(self) -> Looks | None:
        """What the values look like, once all are counted in."""
        return looks_of(self.values)

    def note(self, value: object, number: int) -> None:
        """Count one value in."""
        kind = type_of(value)
        self.seen[number] += 1
        self.types[kind].add(number)
        if kind == "object":
            self.objects[number] += 1
        text = text_of(value)
        if text in self.values:
            self.values[text].add(number)
        elif text is not None and len(self.values) < MOST_VALUES:
            self.values[text] = {number}

    def absorb(self, other: Field) -> None:
        """Count all in that another field has."""
        self.__dict__.pop("looks", None)
        self.seen += other.seen
        self.objects += other.objects
        for kind, numbers in other.types.items():
            self.types[kind] |= numbers
        for text, numbers in other.values.items():
            self.values[text] = self.values.get(text, set()) | numbers


@dataclass(kw_only=True)
class Profile:
    """The fields of a set of payloads by path; () is the payload itself."""

    size: int
    fields: dict[Path, Field]

    def rate(self, path: Path) -> float:
        """The share of the objects that could have a field and have it."""
        holder = self.fields.get(path[:-1])
        holders = holder.objects.total() if holder else 0
        if path[-1] == ITEM or not holders:
            return 0.0
        return min(1.0, self.fields[path].seen.total() / holders) if path in self.fields else 0.0

    def lacking(self, path: Path) -> set[int]:
        """The payloads where an object that could have a field is without it."""
        holder, own = self.fields.get(path[:-1]), self.fields.get(path)
        if holder is None:
            return set()
        seen = own.seen if own else Counter[int]()
        return {number for number, times in holder.objects.items() if seen[number] < times}

    @cached_property
    def _names(self) -> dict[Path, list[str]]:
        found: dict[Path, list[str]] = {}
        for path in self.fields:
            if path:
                found.setdefault(path[:-1], []).append(path[-1])
        return found

    def below(self, path: Path, most: int = MOST_FIELDS) -> list[Path]:
        """Paths under a path, holders before what they hold; at most so many."""
        found: list[Path] = []
        todo = deque([path])
        while todo and len(found) < most:
            above = todo.popleft()
            inner = [(*above, name) for name in self._names.get(above, ())]
            found += inner
            todo.extend(inner)
        return found[:most]

    def relocate(self, source: Path, target: Path) -> None:
        """Take the value at `source` for the value at `target`."""
        for path in (source, *self.below(source)):
            moved = self.fields.pop(path)
            self.fields.setdefault((*target, *path[len(source) :]), Field()).absorb(moved)
        self.__dict__.pop("_names", None)


def profiled(payloads: Sequence[object]) -> Profile:
    """The profile of payloads, bounded in fields, depth, items and values."""
    fields: dict[Path, Field] = {}
    for number, payload in enumerate(payloads):
        for path, value in _walk(payload, ()):
            known = fields.get(path)
            if known is None and len(fields) < MOST_FIELDS:
                known = fields[path] = Field()
            if known is not None:
                known.note(value, number)
    return Profile(size=len(payloads), fields=fields)


def _walk(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    yield path, value
    if len(path) >= DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walk(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value[:MOST_ITEMS]:
            yield from _walk(inner, (*path, ITEM))

"""What is known of a value before a payload has come: its kinds, its place in the contract."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from orchestrator.domain.contracts.declared import Declared

_KINDS = {
    "null": "null",
    "boolean": "bool",
    "integer": "int",
    "number": "double",
    "string": "string",
    "array": "list",
    "object": "map",
}  # of JSON, by its name in a contract
OTHERS = frozenset({"uint", "bytes", "timestamp", "duration", "type", "optional"})
ALL = frozenset(_KINDS.values()) | OTHERS
NUMBERS = frozenset({"int", "uint", "double"})

NAMES = {
    "int": "whole number",
    "double": "decimal number",
    "uint": "unsigned number",
    "bool": "true or false",
    "string": "text",
    "map": "object",
}

Steps = tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """What is known of one value."""

    kinds: frozenset[str] = ALL  # CEL's types that it can have; ALL, and nothing is known
    place: Declared | None = None  # where in the contract its properties and entries are declared
    at: str = ""  # that place as people write it: `data.lines[]`
    entry: Value | None = None  # of a list or map that was computed: what it holds
    options: tuple[object, ...] | None = None  # all that it can be, where the contract names it
    sure: frozenset[Steps] = frozenset()  # properties that were asked for before: they are there

    @property
    def is_known(self) -> bool:
        """Whether anything is said of its kind."""
        return self.kinds != ALL


UNKNOWN = Value()
NOTHING = Value(kinds=frozenset())
"""What an empty list holds."""


def of_kind(*kinds: str) -> Value:
    """A value of one of these kinds."""
    return Value(kinds=frozenset(kinds))


def declared(place: Declared, at: str) -> Value:
    """The value at a place of the contract."""
    if not place.is_said:
        return Value(place=place, at=at)
    kinds = frozenset(_KINDS[name] for name in place.types if name in _KINDS)
    return Value(kinds=kinds, place=place, at=at, options=place.options())


def joined(values: Iterable[Value]) -> Value:
    """What is known of a value that is one of these."""
    some = [value for value in values if value.kinds]
    if not some:
        return NOTHING
    first = some[0]
    if all(one == first for one in some):
        return first
    if any(not one.is_known for one in some):
        return UNKNOWN
    same_place = all(_same(one.place, first.place) for one in some)
    entries = [one.entry for one in some if one.entry is not None]
    return Value(
        kinds=frozenset().union(*(one.kinds for one in some)),
        place=first.place if same_place else None,
        at=first.at if same_place else "",
        entry=joined(entries) if len(entries) == len(some) else None,
        sure=frozenset.intersection(*(one.sure for one in some)),
    )


def _same(one: Declared | None, other: Declared | None) -> bool:
    return one is other or bool(one and other and one.schema is other.schema)


def without_null(value: Value) -> Value:
    """The same, where it was found not to be null."""
    return replace(value, kinds=value.kinds - {"null"}) if value.is_known else value


def said(kinds: frozenset[str]) -> str:
    """Kinds as people call them: `whole number or text`."""
    return " or ".join(sorted(NAMES.get(kind, kind) for kind in kinds))

"""A contract as a graph of its parts: which part the validator goes to from which, and how.

A part leads to others for the same value (`allOf`, `$ref`, …) or for what the value holds
(`properties`, `items`, …). The cost of a contract is counted on this graph.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.domain.contracts.document import Path, at_pointer
from orchestrator.domain.contracts.pattern_cost import Effort, effort_of

MOST_PARTS = 10_000
"""Schemas of one contract: to check that many takes about a second."""

_HERE_LISTS = ("allOf", "anyOf", "oneOf")
_HERE_ONE = ("not", "if", "then", "else")
_HERE_BY_NAME = ("dependentSchemas", "dependencies")
_OTHER_PROPERTIES = ("additionalProperties", "unevaluatedProperties")
_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")
_OTHER_ITEMS = ("items", "additionalItems", "unevaluatedItems")

_SAYING = (
    "type", "enum", "const", "pattern", "format", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems",
    "contains", "minProperties", "maxProperties", "dependentRequired", "propertyNames", "not",
    "additionalProperties",
)  # fmt: skip
_STEPS_AN_OPTION = 35  # to compare a value with an object or array that `enum` lists
_NO_SCHEMAS = ("enum", "const", "default", "examples")


@dataclass(kw_only=True, eq=False, slots=True)
class Part:
    """One schema of a contract."""

    path: Path
    steps: int = 1  # for any value: its keywords, and the options that it compares with
    errors: int = 1  # the most that it says of one value, those of its parts not counted
    patterns: list[Effort] = field(default_factory=list)  # for a text
    here: list[Part] = field(default_factory=list)  # for the same value
    keys: dict[str, Part] = field(default_factory=dict)  # for the property of that name
    places: list[Part] = field(default_factory=list)  # for the entry at that place of an array
    each_property: list[Part] = field(default_factory=list)
    other_properties: list[Part] = field(default_factory=list)  # those that `keys` does not have
    each_item: list[Part] = field(default_factory=list)
    other_items: list[Part] = field(default_factory=list)  # those past `places`
    names: Part | None = None  # for each property's name
    name_patterns: list[Effort] = field(default_factory=list)  # of `patternProperties`
    unique: bool = False
    unevaluated: bool = False  # it asks once more which of its parts hold
    union: bool = False  # its error holds the errors of each alternative

    def children(self) -> Iterator[Part]:
        """The parts for what a value holds."""
        yield from self.keys.values()
        yield from self.places
        yield from self.each_property
        yield from self.other_properties
        yield from self.each_item
        yield from self.other_items


class TooManyParts(Exception):
    """Raised for a contract of more than MOST_PARTS schemas."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All parts of a contract that its root leads to."""

    root: Part
    every: tuple[Part, ...]


def parts_of(schema: Mapping[str, object]) -> Parts:
    """The graph of a contract whose references lead to its own parts. Raises TooManyParts."""
    gathering = _Gathering(schema)
    root = gathering.part(schema, ())
    return Parts(root=root, every=tuple(gathering.finish()))


class _Gathering:
    """Makes a part of each schema once, without recursion: contracts may nest and refer deeply."""

    def __init__(self, schema: Mapping[str, object]) -> None:
        self._schema = schema
        self._parts: dict[int, Part] = {}
        self._todo: list[tuple[Mapping[str, object], Part]] = []
        self._anything = Part(path=())
        self._homes: dict[int, Mapping[str, object]] = {}
        self._anchors: dict[tuple[int, str], tuple[Mapping[str, object], Path]] = {}
        self._dynamic: dict[str, list[tuple[Mapping[str, object], Path]]] = {}
        self._find_anchors()

    def finish(self) -> Iterator[Part]:
        yield self._anything
        while self._todo:
            schema, part = self._todo.pop()
            self._fill(part, schema)
            yield part

    def part(self, schema: object, path: Path) -> Part:
        """The part of a schema; a boolean one costs what any schema costs."""
        if not isinstance(schema, dict):
            return self._anything
        found = self._parts.get(id(schema))
        if found is None:
            if len(self._parts) >= MOST_PARTS:
                raise TooManyParts
            found = self._parts[id(schema)] = Part(path=path)
            self._todo.append((schema, found))
        return found

    def _find_anchors(self) -> None:
        todo: list[tuple[object, Path, Mapping[str, object]]] = [(self._schema, (), self._schema)]
        while todo:
            value, path, home = todo.pop()
            if isinstance(value, list):
                todo.extend((one, (*path, place), home) for place, one in enumerate(value))
            if not isinstance(value, dict):
                continue
            named = value.get("$id")
            if path and isinstance(named, str) and not named.startswith("#"):
                home = value
            self._homes[id(value)] = home
            for keyword in ("$id", "$anchor", "$dynamicAnchor"):
                if isinstance(name := value.get(keyword), str):
                    self._anchors.setdefault((id(home), name.lstrip("#")), (value, path))
            if isinstance(name := value.get("$dynamicAnchor"), str):
                self._dynamic.setdefault(name, []).append((value, path))
            todo.extend(
                (one, (*path, key), home) for key, one in value.items() if key not in _NO_SCHEMAS
            )

    def _fill(self, part: Part, schema: Mapping[str, object]) -> None:
        part.steps += len(schema)
        part.steps += sum(_compared(option) for option in _options(schema))
        part.errors += sum(key in _SAYING for key in schema)
        if isinstance(required := schema.get("required"), list):
            part.errors += len(required)
        if isinstance(pattern := schema.get("pattern"), str):
            part.patterns.append(effort_of(pattern))
        part.unique = schema.get("uniqueItems") is True
        part.unevaluated = not schema.keys().isdisjoint(_UNEVALUATED)
        part.union = "anyOf" in schema or "oneOf" in schema
        part.here.extend(self._here(part, schema))
        self._fill_properties(part, schema)
        self._fill_items(part, schema)

    def _here(self, part: Part, schema: Mapping[str, object]) -> Iterator[Part]:
        for key in _HERE_LISTS:
            if isinstance(listed := schema.get(key), list):
                for place, one in enumerate(listed):
                    yield self.part(one, (*part.path, key, place))
        for key in _HERE_ONE:
            if key in schema:
                yield self.part(schema[key], (*part.path, key))
        for key in _HERE_BY_NAME:
            for name, one in _mapping(schema, key):
                yield self.part(one, (*part.path, key, name))
        for key in ("$ref", "$dynamicRef"):
            if isinstance(ref := schema.get(key), str):
                yield from self._referred(schema, ref, dynamic=key == "$dynamicRef")

    def _fill_properties(self, part: Part, schema: Mapping[str, object]) -> None:
        for name, one in _mapping(schema, "properties"):
            part.keys[name] = self.part(one, (*part.path, "properties", name))
        for pattern, one in _mapping(schema, "patternProperties"):
            part.name_patterns.append(effort_of(pattern))
            part.each_property.append(self.part(one, (*part.path, "patternProperties", pattern)))
        for key in _OTHER_PROPERTIES:
            if key in schema:
                part.other_properties.append(self.part(schema[key], (*part.path, key)))
        if "propertyNames" in schema:
            part.names = self.part(schema["propertyNames"], (*part.path, "propertyNames"))

    def _fill_items(self, part: Part, schema: Mapping[str, object]) -> None:
        for key in ("prefixItems", "items"):
            if isinstance(listed := schema.get(key), list):
                for place, one in enumerate(listed):
                    part.places.append(self.part(one, (*part.path, key, place)))
        for key in _OTHER_ITEMS:
            if key in schema and not isinstance(schema[key], list):
                part.other_items.append(self.part(schema[key], (*part.path, key)))
        if "contains" in schema:
            inner = self.part(schema["contains"], (*part.path, "contains"))
            part.each_item.extend([inner, inner])  # `unevaluatedItems` asks it once more

    def _referred(self, schema: Mapping[str, object], ref: str, *, dynamic: bool) -> Iterable[Part]:
        """The parts that a reference may lead to; a dynamic one, to any that takes its name."""
        home = self._homes.get(id(schema), self._schema)
        name = ref.partition("#")[2]
        if dynamic and name in self._dynamic:
            return [self.part(*found) for found in self._dynamic[name]]
        if found := self._anchors.get((id(home), name)):
            return [self.part(*found)]
        try:
            leads_to = at_pointer(home, name) if name[:1] in ("", "/") else None
        except LookupError:
            leads_to = None
        if leads_to is None:
            return []  # `reference_faults` or the validator says so, with the place
        return [self.part(leads_to, tuple(name.split("/")[1:]))]


def _mapping(schema: Mapping[str, object], key: str) -> Iterable[tuple[str, object]]:
    value = schema.get(key)
    return value.items() if isinstance(value, dict) else ()


def _options(schema: Mapping[str, object]) -> Iterator[object]:
    if isinstance(listed := schema.get("enum"), list):
        yield from listed
    if "const" in schema:
        yield schema["const"]


def _compared(option: object) -> int:
    """The steps to compare a value with an option; plain ones are looked up all at once."""
    if not isinstance(option, dict | list):
        return 0
    todo: list[object] = [option]
    seen = 0
    while todo:
        one = todo.pop()
        seen += 1
        if isinstance(one, dict):
            todo.extend(one.values())
        elif isinstance(one, list):
            todo.extend(one)
    return _STEPS_AN_OPTION + seen

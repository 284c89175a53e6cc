"""Which places of a payload are personal, decided from the compiled contract alone.

A place is personal where any schema that may hold for it, or for a place around it, has the mark,
whatever branch the payload takes. In a contract that marks anything, a place that it does not
declare is personal too: there a sender puts a field that was renamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

from orchestrator.domain.commitments import is_telling
from orchestrator.domain.contracts.document import at_pointer, subschemas
from orchestrator.domain.contracts.paths import matches
from orchestrator.domain.personal.marks import ANY_KIND, kind_marked

_SAME_PLACE = ("allOf", "anyOf", "oneOf", "if", "then", "else", "not")
_BY_NAME = ("dependentSchemas", "dependencies")  # their values are about the same place
_OTHER_NAMES = ("additionalProperties", "unevaluatedProperties")
_OTHER_ITEMS = ("additionalItems", "unevaluatedItems")
_MOST_KEPT = 10_000  # steps

Schema = Mapping[str, object]
Schemas = tuple[Schema, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """One place of a payload."""

    schemas: Schemas  # all that may hold for it; () where it is not declared
    kind: str | None  # of the mark on it or around it, ANY_KIND without one; None: not personal

    @property
    def is_personal(self) -> bool:
        """Whether the value there, and all that is in it, is personal."""
        return self.kind is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unmarked:
    """A property that the contract declares and does not mark."""

    holder: str  # the name of what it is in, lists left out; empty: of the payload
    name: str
    schemas: Schemas


class PersonalPlaces:
    """The personal places of one contract."""

    def __init__(self, contract: Schema) -> None:
        self._contract = contract
        self.has_marks = any(kind_marked(part) is not None for _, part in subschemas(contract))
        self._steps: dict[tuple[tuple[int, ...], str | None, object], Spot] = {}

    @cached_property
    def whole(self) -> Spot:
        """The whole payload."""
        return self._spot([self._contract], None) if self.has_marks else NOT_PERSONAL

    def at(self, path: Iterable[str | int]) -> Spot:
        """The place that a path leads to; a number is a place in a list."""
        spot = self.whole
        for step in path:
            spot = self.into(spot, step)
        return spot

    def into(self, spot: Spot, step: str | int) -> Spot:
        """The place one step further."""
        if not self.has_marks:
            return NOT_PERSONAL
        if not spot.schemas:
            return spot
        token = _token(spot.schemas, step)
        if token is _UNKEPT:
            return self._spot(_below(spot.schemas, step), spot.kind)
        key = (tuple(map(id, spot.schemas)), spot.kind, token)
        if key not in self._steps:
            if len(self._steps) >= _MOST_KEPT:
                self._steps.clear()
            self._steps[key] = self._spot(_below(spot.schemas, step), spot.kind)
        return self._steps[key]

    def any_item(self, spot: Spot) -> Spot:
        """Any entry of the list at a place."""
        if not (self.has_marks and spot.schemas):
            return spot
        return self._spot(_any_item(spot.schemas), spot.kind)

    def holds_personal(self, spot: Spot) -> bool:
        """Whether something in a value there can be personal, or the whole of it."""
        if not self.has_marks:
            return False
        seen: set[int] = set()
        todo = [spot]
        while todo:
            one = todo.pop()
            if one.is_personal or _is_open(one.schemas):
                return True
            if not seen.issuperset(map(id, one.schemas)):
                seen.update(map(id, one.schemas))
                todo += (self._spot(below, None) for below in _all_below(one.schemas))
        return False

    def shows_name(self, holder: Spot, name: str) -> bool:
        """Whether the name of a property says nothing of anybody.

        Names that the contract declares do not, nor does a plain new name beside them, which is how
        a renamed field is found; but keys that a sender makes up may be mail addresses.
        """
        if any(name in _mapping(one.get("properties")) for one in holder.schemas):
            return True
        speaks_of_any = any(
            isinstance(one.get(word), dict)
            for one in holder.schemas
            for word in (*_OTHER_NAMES, "patternProperties", "propertyNames")
        )
        beside = any(one.get("properties") for one in holder.schemas)
        return beside and not (speaks_of_any or holder.is_personal or is_telling(name))

    def unmarked(self) -> Iterator[Unmarked]:
        """Each declared property that is not personal, once."""
        seen: set[int] = set()
        todo: list[tuple[str, Spot]] = [("", self._spot([self._contract], None))]
        while todo:
            holder, spot = todo.pop()
            if spot.is_personal or seen.issuperset(map(id, spot.schemas)):
                continue
            seen.update(map(id, spot.schemas))
            for name in _names_in(spot.schemas):
                inner = self._spot(_of(spot.schemas, name), None)
                todo.append((name, inner))
                if not inner.is_personal:
                    yield Unmarked(holder=holder, name=name, schemas=inner.schemas)
            todo += (
                (holder, self._spot(one, None)) for one in _all_below(spot.schemas, unnamed=True)
            )

    def _spot(self, schemas: Iterable[Schema], around: str | None) -> Spot:
        every = self._all_of(schemas)
        kinds = [kind for one in every if (kind := kind_marked(one)) is not None]
        if not every:
            return Spot(schemas=(), kind=around or ANY_KIND)
        named = next(filter(None, kinds), None)
        return Spot(schemas=every, kind=named or around or (ANY_KIND if kinds else around))

    def _all_of(self, schemas: Iterable[Schema]) -> Schemas:
        """These schemas and all that may hold for the same place, each once."""
        found: dict[int, Schema] = {}
        todo = list(schemas)
        while todo:
            schema = todo.pop()
            if id(schema) not in found:
                found[id(schema)] = schema
                todo += self._beside(schema)
        return tuple(found.values())

    def _beside(self, schema: Schema) -> Iterator[Schema]:
        for keyword in _SAME_PLACE:
            yield from _objects(schema.get(keyword))
        for keyword in _BY_NAME:
            yield from _objects(list(_mapping(schema.get(keyword)).values()))
        for keyword in ("$ref", "$dynamicRef"):
            if isinstance(named := schema.get(keyword), str):
                yield from self._referred(named)

    def _referred(self, ref: str) -> list[Schema]:
        pointer = unquote(ref.removeprefix("#"))
        if pointer and not pointer.startswith("/"):
            return self._anchors.get(pointer, [])
        try:
            return _objects(at_pointer(self._contract, pointer))
        except LookupError:  # the contract's check has said so
            return []

    @cached_property
    def _anchors(self) -> dict[str, list[Schema]]:
        found: dict[str, list[Schema]] = {}
        for _, part in subschemas(self._contract):
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(said := part.get(keyword), str):
                    found.setdefault(said, []).append(part)
            if isinstance(said := part.get("$id"), str) and said.startswith("#"):  # draft 7
                found.setdefault(said[1:], []).append(part)
        return found


NOT_PERSONAL = Spot(schemas=(), kind=None)
"""The place of a value that comes from no personal one."""

_UNKEPT = object()


def _token(schemas: Schemas, step: str | int) -> object:
    """What a step is kept by: made-up names are without number, and as long as a payload."""
    if isinstance(step, int):
        return min(step, max((len(_items_of(one)[0]) for one in schemas), default=0))
    if any(step in _mapping(one.get("properties")) for one in schemas):
        return step
    return _UNKEPT if any(one.get("patternProperties") for one in schemas) else None


def _below(schemas: Schemas, step: str | int) -> Iterator[Schema]:
    return _item(schemas, step) if isinstance(step, int) else _of(schemas, step)


def _of(schemas: Schemas, name: str) -> Iterator[Schema]:
    """What may hold for the property of a name."""
    for schema in schemas:
        declared, patterns = _mapping(schema.get("properties")), schema.get("patternProperties")
        fitting = [
            one
            for pattern, one in _mapping(patterns).items()
            if matches(pattern, name) is not False
        ]
        own = [*([declared[name]] if name in declared else []), *fitting]
        yield from _objects(own, said=True)
        for keyword in () if own else _OTHER_NAMES:
            yield from _objects(schema.get(keyword))


def _item(schemas: Schemas, place: int) -> Iterator[Schema]:
    """What may hold for the entry at a place of a list."""
    for schema in schemas:
        first, rest = _items_of(schema)
        yield from _objects(first[place : place + 1] or rest, said=True)
        for keyword in ("contains", "unevaluatedItems"):
            yield from _objects(schema.get(keyword))


def _any_item(schemas: Schemas) -> Iterator[Schema]:
    for schema in schemas:
        for each in _items_of(schema):
            yield from _objects(each, said=True)
        for keyword in ("contains", "unevaluatedItems"):
            yield from _objects(schema.get(keyword))


def _items_of(schema: Schema) -> tuple[list[object], list[object]]:
    """The schemas of the first entries of a list, and those of all after them."""
    first, rest = schema.get("prefixItems"), schema.get("items")
    if isinstance(rest, list):  # draft 7
        first, rest = rest, schema.get("additionalItems")
    return first if isinstance(first, list) else [], [] if rest is None else [rest]


def _names_in(schemas: Schemas) -> Iterable[str]:
    return dict.fromkeys(name for one in schemas for name in _mapping(one.get("properties")))


def _all_below(schemas: Schemas, *, unnamed: bool = False) -> Iterator[list[Schema]]:
    """What may hold for anything that is declared one step further, or has no name there."""
    for schema in schemas:
        first, rest = _items_of(schema)
        every = [*first, *rest, *_mapping(schema.get("patternProperties")).values()]
        every += (
            schema.get(keyword) for keyword in (*_OTHER_NAMES, "unevaluatedItems", "contains")
        )
        every += () if unnamed else _mapping(schema.get("properties")).values()
        for one in _objects(every):
            yield [one]


def _is_open(schemas: Schemas) -> bool:
    """Whether a value there may hold what no schema declares; where that is not sure, it may."""
    return any(map(_takes_anything, schemas))


def _takes_anything(schema: Schema) -> bool:
    said = schema.get("type")
    types = {said} if isinstance(said, str) else set(said) if isinstance(said, list) else None
    if "enum" in schema or "const" in schema:
        return False
    if types is None and not schema.keys().isdisjoint(_SAYING):
        types = {"object"} if "properties" in schema else set()  # the parts say it
    closed = any(schema.get(keyword) is False for keyword in _OTHER_NAMES)
    objects = types is None or "object" in types
    lists = types is None or "array" in types
    return (objects and not closed) or (lists and "items" not in schema)


_SAYING = frozenset({*_SAME_PLACE, "$ref", "$dynamicRef", "properties"})


def _objects(value: object, *, said: bool = False) -> list[Schema]:
    """The schemas there, one or a list; with `said` also `true`: it declares, and says nothing."""
    each: Sequence[object] = value if isinstance(value, list) else [value]
    asked = (_ANYTHING if said and one is True else one for one in each)
    return [one for one in asked if isinstance(one, dict)]


_ANYTHING: dict[str, object] = {}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}

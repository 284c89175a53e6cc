"""A place in valid payloads, as the contract declares it: what it is, and what it holds.

A place may be within a list or behind a key that the sender makes up, where a path of names ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.contracts.paths import ANY, ContractPaths, Schema
from orchestrator.domain.text.hints import nearest

Options = tuple[object, ...] | None
"""The values that can be somewhere, where the contract names them all."""


@dataclass(frozen=True, kw_only=True)
class Undeclared:
    """A property that the contract does not declare."""

    names: tuple[str, ...]  # what it declares there instead
    nearest: str | None  # the one of them that was probably meant


@dataclass(frozen=True, kw_only=True)
class Member:
    """A property that the contract declares."""

    place: Declared
    required: bool  # whether every valid object there has it
    in_object: bool  # whether there is always an object there


class Declared:
    """One place of a contract."""

    __slots__ = ("_paths", "schema", "types")

    def __init__(self, paths: ContractPaths, schema: Schema) -> None:
        self._paths = paths
        self.schema = schema
        self.types = paths.types_of(schema)  # in JSON Schema's names; ANY where nothing is said

    @property
    def is_said(self) -> bool:
        """Whether the contract says anything of the type."""
        return self.types != ANY

    def names(self) -> tuple[str, ...]:
        """The properties that are declared."""
        return self._paths.names(self.schema)

    def member(self, name: str) -> Member | Undeclared:
        """The property of that name."""
        schemas, required = self._paths.member(self.schema, name)
        if not schemas:
            names = self._paths.names(self.schema)
            return Undeclared(names=names, nearest=nearest(name, names))
        is_object = self._paths.types_of(self.schema, by_shape=True) == {"object"}
        place = Declared(self._paths, self._paths.both(schemas))
        return Member(place=place, required=required, in_object=is_object)

    def is_closed(self) -> bool:
        """Whether no valid object there has a property that is not declared."""
        keywords = ("additionalProperties", "unevaluatedProperties")
        parts = list(self._parts(self.schema))
        return any(part.get(one) is False for part in parts for one in keywords)

    def item(self, index: int | None = None) -> Declared:
        """The entry of a list at an index, or any entry of it."""
        return Declared(self._paths, self._all(self._items(self.schema, index, {})))

    def value(self) -> Declared:
        """The value of a key that the sender makes up."""
        return Declared(self._paths, self._all([*self._values(self.schema)]))

    def options(self) -> tuple[object, ...] | None:
        """The values that `enum` or `const` name, where one of them decides; None for any."""
        return self._options(self.schema, {})

    def said(self, keyword: str) -> tuple[object, ...]:
        """What the parts that hold whatever the payload say by a keyword."""
        return tuple(one[keyword] for one in self._parts(self.schema) if keyword in one)

    def bounds(self) -> tuple[int, int | None]:
        """How many entries a list has at least, and at most if that is said."""
        least, most = 0, None
        for part in self._parts(self.schema):
            said = part.get("minItems")
            least = max(least, said if isinstance(said, int) else 0)
            said = part.get("maxItems")
            if isinstance(said, int):
                most = said if most is None else min(most, said)
        return least, most

    def _all(self, schemas: Sequence[Schema]) -> Schema:
        said = [schema for schema in schemas if schema is not True]
        return self._paths.both(said) if said else True

    def _parts(
        self, schema: Schema, seen: set[int] | None = None
    ) -> Iterator[Mapping[str, object]]:
        """The schema and all that hold with it whatever the payload, each once."""
        seen = set() if seen is None else seen
        if isinstance(schema, bool) or id(schema) in seen:
            return
        seen.add(id(schema))
        if not self._paths.is_reference(schema):
            yield schema
        for part in self._paths.all_of(schema):
            yield from self._parts(part, seen)

    def _items(
        self, schema: Schema, index: int | None, known: dict[int, list[Schema]]
    ) -> list[Schema]:
        """`known` are those of schemas that were looked at; none of one that refers to itself."""
        if id(schema) not in known:
            known[id(schema)] = []
            known[id(schema)] = [*self._own_items(schema, index, known)]
        return known[id(schema)]

    def _own_items(
        self, schema: Schema, index: int | None, known: dict[int, list[Schema]]
    ) -> Iterator[Schema]:
        for part in self._parts(schema):
            yield _own_item(self._paths, part, index)
            for branches in self._paths.either(part):
                lists = [one for one in branches if "array" in self._paths.types_of(one)]
                each = [self._all(self._items(one, index, known)) for one in lists]
                if each:
                    yield self._paths.any_of(each)

    def _values(self, schema: Schema) -> Iterator[Schema]:
        for part in self._parts(schema):
            others = part.get("additionalProperties")
            if not isinstance(others, dict | bool):
                continue
            declared: list[Schema] = [] if others is False else [others]
            for keyword in ("properties", "patternProperties"):
                named = part.get(keyword)
                declared += named.values() if isinstance(named, dict) else ()
            if declared:
                yield self._paths.any_of(declared)

    def _options(self, schema: Schema, known: dict[int, Options]) -> Options:
        """`known` are those of schemas that were looked at; None of one that refers to itself."""
        if id(schema) not in known:
            known[id(schema)] = None
            known[id(schema)] = self._own_options(schema, known)
        return known[id(schema)]

    def _own_options(self, schema: Schema, known: dict[int, Options]) -> Options:
        for part in self._parts(schema):
            if "const" in part:
                return (part["const"],)
            if isinstance(listed := part.get("enum"), list):
                return tuple(listed)
            for branches in self._paths.either(part):
                each = {id(one): self._options(one, known) for one in branches}
                if each and all(one is not None for one in each.values()):
                    return tuple(value for one in each.values() for value in one or ())
        return None


def _own_item(paths: ContractPaths, schema: Mapping[str, object], index: int | None) -> Schema:
    """What the schema's own keywords say of an entry."""
    listed, rest = schema.get("prefixItems"), schema.get("items", True)
    if isinstance(rest, list):  # draft 7
        listed, rest = rest, schema.get("additionalItems", True)
    first: list[Schema] = [one for one in _list(listed) if isinstance(one, dict | bool)]
    others: Schema = rest if isinstance(rest, dict | bool) else True
    if index is not None:
        return first[index] if index < len(first) else others
    each = [*first, *([] if others is False and first else [others])]
    return paths.any_of(each)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []

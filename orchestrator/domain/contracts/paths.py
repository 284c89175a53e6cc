"""What a contract says about a path into the payload: declared or not, always there, of what type.

Only what is certain of every valid payload is claimed; where alternatives differ, the claim is the
wider one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from jsonschema_rs import Draft202012Validator, FancyRegexOptions

from orchestrator.domain.contracts.document import DRAFT_7, at_pointer, draft_of
from orchestrator.domain.contracts.pattern_cost import BACKTRACKS
from orchestrator.domain.text.hints import nearest

_PATTERNS = FancyRegexOptions(backtrack_limit=BACKTRACKS)

ANY = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})

Schema = Mapping[str, object] | bool


@dataclass(frozen=True, kw_only=True)
class DeclaredPath:
    """A path that the contract declares."""

    types: frozenset[str]  # what can be there, in JSON Schema's names
    always: bool  # whether every valid payload has it


@dataclass(frozen=True, kw_only=True)
class UndeclaredPath:
    """A path that the contract does not declare."""

    step: int  # the first step that is not declared, from 0
    names: tuple[str, ...]  # what is declared there instead
    nearest: str | None  # the one of them that was probably meant


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What parts of a schema say about one property."""

    schemas: tuple[Schema, ...] = ()  # all of them hold for it; () is not declared
    required: bool = False


class ContractPaths:
    """Answers for the paths of one contract."""

    def __init__(self, contract: Mapping[str, object]) -> None:
        self._root = contract
        self._ref_stands_alone = draft_of(contract) == DRAFT_7
        # What is being looked at counts as unknown, so a schema that refers to itself comes to an
        # end. Keys are identities: every schema, made ones too, is kept for as long as this.
        self._types: dict[tuple[int, bool], frozenset[str]] = {}
        self._found: dict[tuple[int, str], _Found] = {}
        self._made: list[Schema] = []

    def find(self, steps: Sequence[str]) -> DeclaredPath | UndeclaredPath:
        """What the contract says about the property path `steps`; () is the whole payload.

        A part that names properties is taken to mean an object where it does not say so.
        """
        schema: Schema = self._root
        always = True
        for index, step in enumerate(steps):
            found = self._property(schema, step)
            if not found.schemas:
                names = self.names(schema)
                return UndeclaredPath(step=index, names=names, nearest=nearest(step, names))
            is_object = self.types_of(schema, by_shape=True) == {"object"}
            always = always and is_object and found.required
            schema = self.both(found.schemas)
        return DeclaredPath(types=self.types_of(schema, by_shape=False), always=always)

    def member(self, schema: Schema, name: str) -> tuple[tuple[Schema, ...], bool]:
        """All schemas that hold for a property, () if it is not declared; and if it is required."""
        found = self._property(schema, name)
        return found.schemas, found.required

    def _property(self, schema: Schema, name: str) -> _Found:
        if isinstance(schema, bool):
            return _Found()
        key = (id(schema), name)
        if key not in self._found:
            self._found[key] = _Found()
            self._found[key] = _every([*self._own(schema, name), *self._inner(schema, name)])
        return self._found[key]

    def _own(self, schema: Mapping[str, object], name: str) -> Iterator[_Found]:
        """What the schema itself says, its references and combinators aside."""
        if self.is_reference(schema):
            return
        if name in _mapping(schema.get("properties")):
            yield _Found(schemas=(_schema(_mapping(schema["properties"])[name]),))
        for pattern, inner in _mapping(schema.get("patternProperties")).items():
            if _matches(pattern, name):
                yield _Found(schemas=(_schema(inner),))
        yield _Found(required=name in _sequence(schema.get("required")))

    def _inner(self, schema: Mapping[str, object], name: str) -> Iterator[_Found]:
        for part in self.all_of(schema):
            yield self._property(part, name)
        for branches in self.either(schema):
            yield self._alternatives(branches, name)
        for part in self._conditional(schema):
            if self._property(part, name).schemas:
                yield _Found(schemas=(True,))  # declared, but of a type that depends

    def _alternatives(self, branches: Sequence[Schema], name: str) -> _Found:
        """What holds whichever of `branches` the payload follows."""
        found = [self._property(branch, name) for branch in branches]
        if not any(one.schemas for one in found):
            return _Found(required=bool(found) and all(one.required for one in found))
        schemas = [
            self.both(one.schemas) if one.schemas else True
            for one, branch in zip(found, branches, strict=True)
            if one.schemas or not self._forbids(branch, name)
        ]
        return _Found(
            schemas=(self._make({"anyOf": schemas}),),
            required=all(one.required for one in found),
        )

    def _forbids(self, schema: Schema, name: str, seen: frozenset[int] = frozenset()) -> bool:
        """Whether nothing that fits a schema, which does not declare `name`, can have it."""
        if isinstance(schema, bool):
            return not schema
        if id(schema) in seen:  # it refers to itself, and says nothing
            return False
        if "object" not in self.types_of(schema, by_shape=False):
            return True
        if self.is_reference(schema):
            return self._forbids(self._target(schema), name, seen | {id(schema)})
        return schema.get("additionalProperties") is False

    def types_of(self, schema: Schema, *, by_shape: bool = False) -> frozenset[str]:
        """The types that can be there. `by_shape`: naming properties means an object."""
        if isinstance(schema, bool):
            return ANY if schema else frozenset()
        key = (id(schema), by_shape)
        if key not in self._types:
            self._types[key] = ANY
            types = ANY if self.is_reference(schema) else _own_types(schema, by_shape=by_shape)
            for part in self.all_of(schema):
                types &= self.types_of(part, by_shape=by_shape)
            for branches in self.either(schema):
                each = (self.types_of(branch, by_shape=by_shape) for branch in branches)
                types &= frozenset().union(*each)
            self._types[key] = types
        return self._types[key]

    def names(self, schema: Schema) -> tuple[str, ...]:
        """The properties that are declared at a place, in the contract's order."""
        return tuple(dict.fromkeys(self._names(schema, set())))

    def _names(self, schema: Schema, seen: set[int]) -> Iterator[str]:
        if isinstance(schema, bool) or id(schema) in seen:
            return
        seen.add(id(schema))
        if not self.is_reference(schema):
            yield from _mapping(schema.get("properties"))
        branches = [branch for branches in self.either(schema) for branch in branches]
        for part in (*self.all_of(schema), *branches, *self._conditional(schema)):
            yield from self._names(part, seen)

    def all_of(self, schema: Mapping[str, object]) -> list[Schema]:
        """The parts that hold beside the schema itself for the same value."""
        parts = [self._target(schema)] if "$ref" in schema else []
        if self.is_reference(schema):
            return parts
        return [*parts, *map(_schema, _sequence(schema.get("allOf")))]

    def either(self, schema: Mapping[str, object]) -> list[list[Schema]]:
        """The alternatives of its `anyOf` and of its `oneOf`."""
        if self.is_reference(schema):
            return []
        keywords = [keyword for keyword in ("anyOf", "oneOf") if keyword in schema]
        return [[_schema(one) for one in _sequence(schema[keyword])] for keyword in keywords]

    def _conditional(self, schema: Mapping[str, object]) -> list[Schema]:
        if self.is_reference(schema):
            return []
        parts = [schema[keyword] for keyword in ("then", "else") if keyword in schema]
        for keyword in ("dependentSchemas", "dependencies"):
            parts.extend(_mapping(schema.get(keyword)).values())
        return [_schema(part) for part in parts if isinstance(part, dict | bool)]

    def is_reference(self, schema: Mapping[str, object]) -> bool:
        """Whether all but `$ref` is to be ignored, as draft 7 has it."""
        return self._ref_stands_alone and "$ref" in schema

    def _target(self, schema: Mapping[str, object]) -> Schema:
        ref = schema["$ref"]
        if isinstance(ref, str) and (ref == "#" or ref.startswith("#/")):
            try:
                return _schema(at_pointer(self._root, ref[1:]))
            except LookupError:
                return True
        return True

    def both(self, schemas: Sequence[Schema]) -> Schema:
        """What holds where all of these schemas hold."""
        return schemas[0] if len(schemas) == 1 else self._make({"allOf": list(schemas)})

    def any_of(self, schemas: Sequence[Schema]) -> Schema:
        """What holds where one of these schemas holds."""
        return schemas[0] if len(schemas) == 1 else self._make({"anyOf": list(schemas)})

    def _make(self, schema: Mapping[str, object]) -> Schema:
        self._made.append(schema)
        return schema


def _every(found: Iterable[_Found]) -> _Found:
    parts = list(found)
    # Each once: parts that refer to the same ones twice would double them at every level.
    schemas = {id(schema): schema for part in parts for schema in part.schemas}
    return _Found(
        schemas=tuple(schemas.values()),
        required=any(part.required for part in parts),
    )


def _own_types(schema: Mapping[str, object], *, by_shape: bool) -> frozenset[str]:
    named = schema.get("type")
    types = ANY
    if isinstance(named, str | list):
        types = frozenset([named] if isinstance(named, str) else map(str, named))
        types |= {"integer"} if "number" in types else frozenset()
    elif by_shape and ("properties" in schema or "required" in schema):
        types = frozenset({"object"})
    if "enum" in schema:
        types &= frozenset().union(*map(_types_of_value, _sequence(schema["enum"])))
    if "const" in schema:
        types &= _types_of_value(schema["const"])
    return types


def _types_of_value(value: object) -> frozenset[str]:
    match value:
        case None:
            return frozenset({"null"})
        case bool():
            return frozenset({"boolean"})
        case int() | float():
            return frozenset({"integer", "number"})
        case str():
            return frozenset({"string"})
        case list():
            return frozenset({"array"})
    return frozenset({"object"})


def _matches(pattern: str, name: str) -> bool:
    return matches(pattern, name) is True


def matches(pattern: str, name: str) -> bool | None:
    """Whether a pattern of the contract fits a name; None where that is not to be found out."""
    matcher = _matcher(pattern)
    if matcher is None:
        return None
    if matcher.is_valid(name):
        return True
    return None if next(matcher.iter_errors(name)).kind.name != "pattern" else False


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Draft202012Validator | None:
    """What matches names as the contract itself does, in a bounded number of steps."""
    try:
        return Draft202012Validator({"pattern": pattern}, pattern_options=_PATTERNS)
    except ValueError:
        return None


def _schema(value: object) -> Schema:
    return value if isinstance(value, dict | bool) else True


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()

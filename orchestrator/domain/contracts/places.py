"""Where in a payload something is, in the contract's own words: names that it declares, else `*`.

A sender makes up the keys of a map, and they may be mail addresses. A name that the contract does
not declare is not part of a place that titles, alerts and pages without a login show.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote

from orchestrator.domain.contracts.document import at_pointer, subschemas

ANY = "*"
"""A step that differs from payload to payload: a made-up name, or a place in an array."""

_SAME_PLACE = ("allOf", "anyOf", "oneOf", "if", "then", "else", "not")
_BY_NAME = ("dependentSchemas", "dependencies")  # their values are about the same place
_INTO_NAMES = ("additionalProperties", "unevaluatedProperties")
_INTO_ITEMS = ("prefixItems", "items", "additionalItems", "contains", "unevaluatedItems")

_MOST_KEPT = 10_000  # steps; a contract of alternatives in alternatives has more sets than parts

Schemas = tuple[Mapping[str, object], ...]


class Places:
    """The places of one contract. Every schema that may hold for a place counts, whatever branch.

    What was found once is kept: however many violations a payload has, each part of the contract
    is looked at once for each set of schemas that leads there.
    """

    def __init__(self, contract: Mapping[str, object]) -> None:
        self._contract = contract
        self._next: dict[tuple[tuple[int, ...], str | None], Schemas] = {}
        self._anchors: dict[str, list[Mapping[str, object]]] | None = None
        self._start = self._all_of([contract])

    def masked(self, path: Sequence[str | int]) -> tuple[str, ...]:
        """A path into a payload, `*` for each step that the contract does not name."""
        found, schemas = [], self._start
        for step in path:
            name = step if isinstance(step, str) and _declares(schemas, step) else None
            found.append(ANY if name is None else name)
            schemas = self._into(schemas, name)
        return tuple(found)

    def readable(self, path: Sequence[str]) -> tuple[str, ...]:
        """The same for a name that somebody may read: a new one beside declared ones counts too.

        A field's new name is found there, and a made-up key where the contract speaks of any name.
        """
        masked, last = self.masked(path), len(path) - 1
        if last < 0 or masked[last] != ANY or not self._names_fields(path[:last]):
            return masked
        return (*masked[:last], path[last])

    def _names_fields(self, path: Sequence[str]) -> bool:
        schemas = self._start
        for step in path:
            schemas = self._into(schemas, step if _declares(schemas, step) else None)
        speaks_of_any = any(
            isinstance(one.get(keyword), dict)
            for one in schemas
            for keyword in (*_INTO_NAMES, "patternProperties")
        )
        return not speaks_of_any and any(one.get("properties") for one in schemas)

    def _into(self, schemas: Schemas, name: str | None) -> Schemas:
        key = (tuple(map(id, schemas)), name)
        if key not in self._next:
            if len(self._next) >= _MOST_KEPT:
                self._next.clear()
            self._next[key] = self._all_of(_below(schemas, name))
        return self._next[key]

    def _all_of(self, schemas: Iterable[Mapping[str, object]]) -> Schemas:
        """These schemas and all that hold for the same place, each once."""
        found: dict[int, Mapping[str, object]] = {}
        todo = list(schemas)
        while todo:
            schema = todo.pop()
            if id(schema) not in found:
                found[id(schema)] = schema
                todo += self._beside(schema)
        return tuple(found.values())

    def _beside(self, schema: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
        for keyword in _SAME_PLACE:
            yield from _objects(schema.get(keyword))
        for keyword in _BY_NAME:
            yield from _values(schema.get(keyword))
        for keyword in ("$ref", "$dynamicRef"):
            if isinstance(named := schema.get(keyword), str):
                yield from self._referred(named)

    def _referred(self, ref: str) -> list[Mapping[str, object]]:
        pointer = unquote(ref.removeprefix("#"))
        if pointer and not pointer.startswith("/"):
            return self._anchored(pointer)
        try:
            return list(_objects(at_pointer(self._contract, pointer)))
        except LookupError:  # the contract's check has said so
            return []

    def _anchored(self, name: str) -> list[Mapping[str, object]]:
        if self._anchors is None:
            self._anchors = {}
            for _, part in subschemas(self._contract):
                for keyword in ("$anchor", "$dynamicAnchor"):
                    if isinstance(said := part.get(keyword), str):
                        self._anchors.setdefault(said, []).append(part)
        return self._anchors.get(name, [])


def _declares(schemas: Schemas, name: str) -> bool:
    return any(
        isinstance(declared := one.get("properties"), dict) and name in declared for one in schemas
    )


def _below(schemas: Schemas, name: str | None) -> Iterator[Mapping[str, object]]:
    """What holds one step further: for a declared name, or for any other name or item."""
    for schema in schemas:
        declared = schema.get("properties")
        if name is not None and isinstance(declared, dict):
            yield from _objects(declared.get(name))
        yield from _values(schema.get("patternProperties"))
        for keyword in _INTO_NAMES if name is not None else (*_INTO_NAMES, *_INTO_ITEMS):
            yield from _objects(schema.get(keyword))


def _objects(value: object) -> list[Mapping[str, object]]:
    """The schemas there, one or a list; `true` and `false` say nothing of names."""
    each = value if isinstance(value, list) else [value]
    return [one for one in each if isinstance(one, dict)]


def _values(value: object) -> list[Mapping[str, object]]:
    each = value.values() if isinstance(value, dict) else ()
    return [one for one in each if isinstance(one, dict)]

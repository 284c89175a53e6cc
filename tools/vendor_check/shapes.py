"""What a schema lets through, as a list of plain alternatives without allOf, anyOf, oneOf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import islice, product

from connectors.definition.paths import Select, Steps
from tools.vendor_check.nodes import Node

_MOST_SHAPES = 200
_MOST_NESTED = 12  # compositions inside compositions; a schema may contain itself
_LIST = frozenset({"array"})
_PLAIN = ("enum", "const", "minLength", "maxLength", "minimum", "maximum")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One alternative of a schema."""

    types: frozenset[str] | None = None  # None: any
    properties: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    others: Node | None = None  # additionalProperties; None where nothing is said of them
    items: Node | None = None
    plain: tuple[Mapping[str, object], ...] = ()  # what a text or a number has to hold

    @property
    def open(self) -> bool:
        """Whether an object may have properties that nothing is said of."""
        if self.others is not None:
            return self.others.value is not False
        return not self.properties


def shapes(schema: Node, nested: int = 0) -> list[Shape]:
    """The alternatives of a schema."""
    if nested > _MOST_NESTED or not isinstance(schema.value, dict):
        return [Shape()]
    groups = [[_own(schema)]]
    groups += [shapes(part, nested + 1) for part in schema.get("allOf").elements()]
    for word in ("oneOf", "anyOf"):
        parts = schema.get(word).elements()
        found = [shape for part in parts for shape in shapes(part, nested + 1)]
        groups += [found] if found else []
    return [reduce(_both, one) for one in islice(product(*groups), _MOST_SHAPES)]


def reaches(schema: Node, path: Steps) -> bool:
    """Whether a value of the schema may have something at a path."""
    return not path or any(_reaches(shape, path) for shape in shapes(schema))


def _reaches(shape: Shape, path: Steps) -> bool:
    step, rest = path[0], path[1:]
    if shape.types is not None and not shape.types & {"object", "array"}:
        return False
    if isinstance(step, Select) or step.isdecimal():
        if shape.items is not None:
            return reaches(shape.items, rest)
        if isinstance(step, Select) or shape.types == _LIST:
            return shape.types is None or "array" in shape.types
    elif shape.types == _LIST:
        return False
    if step in shape.properties:
        return all(reaches(one, rest) for one in shape.properties[step])
    if shape.others is not None and isinstance(shape.others.value, dict):
        return reaches(shape.others, rest)
    return shape.open and shape.items is None


def _own(schema: Node) -> Shape:
    said = schema.value
    types, required = said.get("type"), said.get("required")
    others, items = schema.get("additionalProperties"), schema.get("items")
    return Shape(
        types=_types([types] if isinstance(types, str) else types),
        properties={name: (one,) for name, one in schema.get("properties").members()},
        required=frozenset(required if isinstance(required, list) else ()),
        others=None if others.value is None else others,
        items=None if items.value is None else items,
        plain=({word: said[word] for word in _PLAIN if word in said},),
    )


def _types(said: object) -> frozenset[str] | None:
    """The types of which a value is one; null is left out beside others, for none is ever sent."""
    found = frozenset(said) if isinstance(said, list) else frozenset[str]()
    return found - {"null"} or found or None


def _both(one: Shape, other: Shape) -> Shape:
    types = one.types if other.types is None else other.types
    if one.types is not None and other.types is not None:
        types = one.types & other.types or other.types
    names = [*one.properties, *(name for name in other.properties if name not in one.properties)]
    return Shape(
        types=types,
        properties={
            name: one.properties.get(name, ()) + other.properties.get(name, ()) for name in names
        },
        required=one.required | other.required,
        others=other.others if one.others is None else one.others,
        items=other.items if one.items is None else one.items,
        plain=one.plain + other.plain,
    )

"""The schema of a value's document, made of the types of its fields."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from orchestrator.domain.documents.strict_json import LARGEST_INTEGER, SMALLEST_INTEGER

Schema = dict[str, object]

ANY_JSON: Schema = {"$ref": "#/components/schemas/JsonValue"}
"""Any value of JSON that the door reads."""

JSON: Schema = {
    "description": "any value; a number that other readers would change is refused",
    "anyOf": [
        {"type": ["string", "boolean", "null"]},
        {"type": "number", "minimum": SMALLEST_INTEGER, "maximum": LARGEST_INTEGER},
        {"type": "array", "items": ANY_JSON},
        {"type": "object", "additionalProperties": ANY_JSON},
    ],
}

_PLAIN: Mapping[object, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
}


class Schemas:
    """Schemas of values by the names of their types, for `components`."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        """The schema of a type; a mapping is a schema already, in which types stand for theirs."""
        if isinstance(kind, Mapping):
            return {key: self._inside(value) for key, value in kind.items()}
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        origin, inside = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return self._any_of(inside)
        if origin is Literal:
            return {"enum": list(inside)}
        if isinstance(origin, type):
            return self._of_many(origin, inside)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"enum": [one.value for one in kind]}
        return self._of_value(kind) if isinstance(kind, type) and is_dataclass(kind) else {}

    def _inside(self, value: Any) -> object:
        if isinstance(value, Mapping):
            return self.of(value)
        if isinstance(value, list):
            return [self._inside(one) for one in value]
        if isinstance(value, type) or get_origin(value) is not None:
            return self.of(value)
        return value

    def _any_of(self, inside: Sequence[Any]) -> Schema:
        found = [self.of(one) for one in inside]
        return found[0] if len(found) == 1 else {"anyOf": found}

    def _of_many(self, origin: type, inside: Sequence[Any]) -> Schema:
        if issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(inside[1])}
        if origin is tuple and inside[-1] is not Ellipsis:
            each = [self.of(one) for one in inside]
            return {"type": "array", "prefixItems": each, "minItems": len(each)}
        return {"type": "array", "items": self.of(inside[0])}

    def _of_value(self, kind: type) -> Schema:
        name = kind.__name__.lstrip("_")
        if name not in self.named:
            self.named[name] = {}  # it may hold itself
            self.named[name] = self._object(kind)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, kind: type) -> Schema:
        said = " ".join((kind.__doc__ or "").split("\n\n")[0].split())
        if hasattr(kind, "as_json"):  # its keys are not its fields
            return {"type": "object", "description": said}
        hints = get_type_hints(kind)
        return {
            "type": "object",
            "description": said,
            "properties": {one.name: self.of(hints[one.name]) for one in fields(kind)},
            "required": [one.name for one in fields(kind)],
        }


def list_of(kind: Any, name: str) -> Schema:
    """The schema of a page of a list."""
    return {
        "type": "object",
        "required": [name, "next"],
        "properties": {
            name: {"type": "array", "items": kind},
            "next": {
                "type": ["string", "null"],
                "description": "the cursor of the next page; null: there is none",
            },
        },
    }

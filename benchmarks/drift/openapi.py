"""A vendor's OpenAPI document: objects from its examples, and its schemas as closed contracts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any

from ruamel.yaml import YAML

from orchestrator.domain.drift.finding import ITEM, Path

Json = dict[str, Any]

_DEEPEST = 5
_MOST = 12  # objects of one schema
_EMPTY = {"string": "text", "integer": 1, "number": 1.5, "boolean": True}


class Document:
    """One version of the vendor's document."""

    def __init__(self, version: str, file: File) -> None:
        text = file.read_text("utf-8")
        # Through JSON: dates become text, and no two places share an object.
        self.raw: Json = json.loads(json.dumps(YAML(typ="safe").load(text), default=str))
        self.version = version
        self.schemas: Json = self.raw["components"]["schemas"]

    def at(self, schema: Json) -> Json:
        """What a schema stands for."""
        while "$ref" in schema:
            found: Any = self.raw
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found.get(step, {})
            schema = found
        return schema

    def objects(self, name: str) -> list[Any]:
        """Objects of a schema: one, and one more for each value or alternative that it lists."""
        first = self._example(self.schemas[name], 0, {})
        found = [first]
        for path, choices in self._choices(self.schemas[name], (), 0):
            others = range(1, min(choices, _MOST))
            found += [self._example(self.schemas[name], 0, {path: number}) for number in others]
        return found[:_MOST]

    def contract(self, schema: Json, depth: int = 0) -> Json:
        """A schema as a contract: closed, with all that it declares asked for."""
        schema = self.at(schema)
        if depth > _DEEPEST:
            return {}
        if branches := schema.get("oneOf") or schema.get("anyOf"):
            return {"anyOf": [self.contract(one, depth + 1) for one in branches]}
        made = self._closed(schema, depth)
        if "type" in made and schema.get("nullable"):
            made["type"] = [made["type"], "null"]
        return made

    def _closed(self, schema: Json, depth: int) -> Json:
        if properties := self._properties(schema):
            return {
                "type": "object",
                "additionalProperties": False,
                "required": sorted(properties),
                "properties": {
                    name: self.contract(one, depth + 1) for name, one in properties.items()
                },
            }
        if schema.get("type") == "array":
            return {"type": "array", "items": self.contract(schema.get("items", {}), depth + 1)}
        return {word: schema[word] for word in ("type", "enum") if word in schema}

    def _properties(self, schema: Json) -> Json:
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            found |= self._properties(self.at(part))
        return found

    def _choices(self, schema: Json, path: Path, depth: int) -> Iterator[tuple[Path, int]]:
        schema = self.at(schema)
        branches = schema.get("oneOf") or schema.get("anyOf") or ()
        if depth > _DEEPEST:
            return
        if len(branches) > 1 or len(schema.get("enum", ())) > 1:
            yield path, max(len(branches), len(schema.get("enum", ())))
        for name, inner in self._properties(schema).items():
            yield from self._choices(inner, (*path, name), depth + 1)

    def _example(
        self, schema: Json, depth: int, chosen: Mapping[Path, int], path: Path = ()
    ) -> Any:
        schema, choice = self.at(schema), chosen.get(path, 0)
        branches = schema.get("oneOf") or schema.get("anyOf")
        if branches:
            return self._example(branches[choice % len(branches)], depth + 1, chosen, path)
        if properties := self._properties(schema):
            return {
                name: self._example(one, depth + 1, chosen, (*path, name))
                for name, one in properties.items()
            } if depth <= _DEEPEST else {}  # fmt: skip
        if schema.get("type") == "array":
            items = (*path, ITEM)
            return [self._example(schema.get("items", {}), depth + 1, chosen, items)]
        if "enum" in schema:
            return schema["enum"][choice % len(schema["enum"])]
        if _is(schema.get("example"), schema.get("type")):
            return schema["example"]
        return _EMPTY.get(schema.get("type", ""), {})


def _is(value: Any, kind: str | None) -> bool:
    """Whether an example is of the type that its schema says; some of the vendor's are not."""
    known: dict[str, type | tuple[type, ...]] = {
        "string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict,
    }  # fmt: skip
    return kind in known and isinstance(value, known[kind])

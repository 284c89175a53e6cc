"""A vendor's document: objects made from its examples, and its schemas as closed contracts.

OpenAPI 3, Swagger 2, and JSON Schema with `definitions` or `$defs`; JSON or YAML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any

from ruamel.yaml import YAML

from benchmarks.drift.real.inventions import invented
from orchestrator.domain.drift.finding import ITEM, Path

Json = dict[str, Any]

_DEEPEST = 5
_MOST = 12  # objects of one schema
_LEAST = 4


class Document:
    """One version of the vendor's document."""

    def __init__(self, version: str, file: File) -> None:
        self.raw: Json = read(file)
        self.version = version
        self.schemas: Json = _schemas(self.raw, file.stem)

    def at(self, schema: Any) -> Json:
        """The schema that a reference leads to."""
        while isinstance(schema, dict) and "$ref" in schema:
            found: Any = self.raw
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found.get(step.replace("~1", "/").replace("~0", "~"), {})
            schema = found
        return schema if isinstance(schema, dict) else {}

    def objects(self, name: str) -> list[Any]:
        """Objects of a schema: some, and one more for each value or alternative that it lists."""
        schema = self.schemas[name]
        found = [self._example(schema, 0, {}, number) for number in range(_LEAST)]
        for path, choices in self._choices(schema, (), 0):
            for choice in range(1, min(choices, _MOST)):
                if len(found) < _MOST:
                    found.append(self._example(schema, 0, {path: choice}, len(found)))
        return found

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
        if properties := self.properties(schema):
            return {
                "type": "object",
                "additionalProperties": False,
                "required": sorted(properties),
                "properties": {
                    name: self.contract(one, depth + 1) for name, one in properties.items()
                },
            }
        if _type(schema) == "array":
            return {"type": "array", "items": self.contract(schema.get("items", {}), depth + 1)}
        return {word: schema[word] for word in ("type", "enum") if word in schema}

    def properties(self, schema: Json) -> Json:
        """The properties of a schema, with those of what it combines."""
        found = dict(schema.get("properties", {}))
        for part in schema.get("allOf", ()):
            found |= self.properties(self.at(part))
        return found

    def _choices(self, schema: Json, path: Path, depth: int) -> Iterator[tuple[Path, int]]:
        schema = self.at(schema)
        branches = schema.get("oneOf") or schema.get("anyOf") or ()
        if depth > _DEEPEST:
            return
        if len(branches) > 1 or len(schema.get("enum", ())) > 1:
            yield path, max(len(branches), len(schema.get("enum", ())))
        for name, inner in self.properties(schema).items():
            yield from self._choices(inner, (*path, name), depth + 1)

    def _example(
        self, schema: Json, depth: int, chosen: Mapping[Path, int], number: int, path: Path = ()
    ) -> Any:
        schema, choice = self.at(schema), chosen.get(path, 0)
        if branches := schema.get("oneOf") or schema.get("anyOf"):
            one = branches[choice % len(branches)]
            return self._example(one, depth + 1, chosen, number, path)
        if properties := self.properties(schema):
            return {
                name: self._example(one, depth + 1, chosen, number, (*path, name))
                for name, one in properties.items()
            } if depth <= _DEEPEST else {}  # fmt: skip
        if _type(schema) == "array":
            items, inner = (*path, ITEM), schema.get("items", {})
            return [self._example(inner, depth + 1, chosen, number, items)]
        if "enum" in schema:
            return schema["enum"][choice % len(schema["enum"])]
        if _is(schema.get("example"), _type(schema)):
            return schema["example"]
        return invented(_type(schema), schema.get("format"), f"{self.version} {number} {path}")


def read(file: File) -> Any:
    """A JSON or YAML file; dates become text, and no two places share an object."""
    text = file.read_text("utf-8")
    if file.suffix == ".json":
        return json.loads(text)
    return json.loads(json.dumps(YAML(typ="safe").load(text), default=str))


def _schemas(raw: Json, stem: str) -> Json:
    named = raw.get("components", {}).get("schemas") or raw.get("definitions") or raw.get("$defs")
    own = {stem: raw} if "properties" in raw else {}
    return {**(named or {}), **own}


def _type(schema: Json) -> str | None:
    """The type of a schema, of several the first that is not null."""
    said = schema.get("type")
    kinds = said if isinstance(said, list) else [said]
    return next((one for one in kinds if one != "null"), None)


def _is(value: Any, kind: str | None) -> bool:
    """Whether an example is of the type that its schema says; some of the vendors' are not."""
    known: dict[str, type | tuple[type, ...]] = {
        "string": str, "integer": int, "number": (int, float), "boolean": bool, "object": dict,
    }  # fmt: skip
    return kind in known and isinstance(value, known[kind])

"""One version of Intercom's own OpenAPI document: what it lets through, and what it declares."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
from ruamel.yaml import YAML

from tests.vendors.stand_ins.server import Asked, Json, Reply

FOLDER = Path(__file__).parents[3] / "shared" / "inputs" / "intercom"
_HOST = "http://intercom.test"
_PARTS = ("allOf", "oneOf", "anyOf")


class Document:
    """Asks the document about requests and answers."""

    def __init__(self, raw: Json) -> None:
        self.raw = raw
        # Its ids are said to be UUIDs of 24 characters, which nothing can be …
        served = {**_without_uuid(raw), "servers": [{"url": _HOST}]}
        # … and 2.10 and 2.11 refer to a schema that they do not have.
        served["components"]["schemas"].setdefault("custom_attributes", {})
        self._api = OpenAPI.from_dict(served, config=Config(spec_validator_cls=None))

    def faults_of_request(self, asked: Asked) -> list[str]:
        """What of a request the document does not let through."""
        try:
            self._api.validate_request(_request(asked))
        except OpenAPIError as error:
            return _told(error)
        return []

    def faults_of_answer(self, asked: Asked, reply: Reply) -> list[str]:
        """What of an answer the document does not say."""
        answer = MockResponse(orjson.dumps(reply.body), status_code=reply.status)
        try:
            self._api.validate_response(_request(asked), answer)
        except OpenAPIError as error:
            return _told(error)
        return []

    def only_declared(self, asked: Asked) -> Json:
        """A request's body without the properties that the document does not know."""
        schema = self.body_of(asked.method, asked.path)
        known: Json = self._kept(asked.json, schema)
        return known

    def completed(self, asked: Asked, reply: Reply) -> Reply:
        """An answer with everything that the document says is always there, by its examples."""
        schema = self.answer_of(asked.method, asked.path)
        return Reply(status=reply.status, body=self._whole(reply.body, schema))

    def operation(self, method: str, path: str) -> Json | None:
        """An operation by its method and a path, whose variable parts may be filled."""
        fitting = (
            operations[method.lower()]
            for declared, operations in self.raw["paths"].items()
            if method.lower() in operations and re.fullmatch(_pattern(declared), path)
        )
        return next(fitting, None)

    def body_of(self, method: str, path: str) -> Json:
        """The schema of an operation's request."""
        operation = self.operation(method, path) or {}
        return _json_schema(self.at(operation.get("requestBody", {})))

    def answer_of(self, method: str, path: str) -> Json:
        """The schema of an operation's answer 200."""
        operation = self.operation(method, path) or {}
        return _json_schema(self.at(operation.get("responses", {}).get("200", {})))

    def at(self, node: Json) -> Json:
        """What a node stands for; a reference that leads nowhere stands for anything."""
        while "$ref" in node:
            found: Any = self.raw
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found.get(name, {})
            node = found
        return node

    def alternatives(self, schema: Json) -> Iterator[Json]:
        """A schema and all schemas that it is put together from."""
        schema = self.at(schema)
        yield schema
        for word in _PARTS:
            for part in schema.get(word, ()):
                yield from self.alternatives(part)

    def _whole(self, value: Any, schema: Json) -> Any:
        if isinstance(value, list):
            return [self._whole(one, self._items(schema)) for one in value]
        if not isinstance(value, dict):
            return value
        known = self._properties(schema)
        missing = {
            name: self._example(known.get(name, {}))
            for part in self.alternatives(schema)
            for name in part.get("required", ())
            if name not in value
        }
        given = {name: self._whole(one, known.get(name, {})) for name, one in value.items()}
        return {**given, **missing}

    def _example(self, schema: Json) -> Any:
        said = self.at(schema)
        if said.get("nullable"):
            return None
        if "example" in said:
            return said["example"]
        if "enum" in said:
            return said["enum"][0]
        empty = {"string": "", "integer": 0, "boolean": False, "array": []}
        return empty.get(said.get("type", ""), self._whole({}, said))

    def _items(self, schema: Json) -> Json:
        found = (one["items"] for one in self.alternatives(schema) if "items" in one)
        items: Json = next(found, {})
        return items

    def _properties(self, schema: Json) -> Json:
        known: Json = {}
        for part in self.alternatives(schema):
            known |= part.get("properties", {})
        return known

    def _kept(self, value: Any, schema: Json) -> Any:
        if isinstance(value, list):
            return [self._kept(one, self._items(schema)) for one in value]
        if not isinstance(value, dict):
            return value
        known = self._properties(schema)
        if not known or any("additionalProperties" in one for one in self.alternatives(schema)):
            return value
        return {name: self._kept(one, known[name]) for name, one in value.items() if name in known}


@functools.cache
def document(version: str) -> Document:
    """The vendor's document of a version; the test is skipped where it is not at hand."""
    path = FOLDER / f"intercom-{version}.yaml"
    if not path.exists():
        pytest.skip("Intercom's documents are not here: ../shared/inputs/intercom")
    return Document(YAML(typ="safe").load(path.read_text("utf-8")))


def _request(asked: Asked) -> MockRequest:
    return MockRequest(
        _HOST,
        asked.method.lower(),
        asked.path,
        headers=dict(asked.headers),
        args=dict(asked.query),
        data=asked.body or None,
        content_type="application/json",
    )


def _told(error: OpenAPIError) -> list[str]:
    cause = error.__cause__
    return [one.message for one in getattr(cause, "schema_errors", ())] or [str(cause or error)]


def _json_schema(message: Json) -> Json:
    schema: Json = message.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _pattern(declared: str) -> str:
    return re.sub(r"\{[^}]*\}", "[^/]+", declared)


def _without_uuid(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            name: _without_uuid(one)
            for name, one in node.items()
            if not (name == "format" and one == "uuid")
        }
    return [_without_uuid(one) for one in node] if isinstance(node, list) else node

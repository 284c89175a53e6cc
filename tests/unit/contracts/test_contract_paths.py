"""What is claimed of a path has to hold for every payload that the contract takes."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.contracts.document import DRAFT_7
from orchestrator.domain.contracts.paths import ANY, ContractPaths, DeclaredPath, UndeclaredPath

ADDRESS = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}


def find(schema: dict[str, Any], path: str) -> DeclaredPath | UndeclaredPath:
    return ContractPaths(schema).find(path.split(".") if path else [])


def declared(schema: dict[str, Any], path: str) -> tuple[set[str], bool]:
    found = find(schema, path)
    assert isinstance(found, DeclaredPath), found
    return set(found.types), found.always


STRING, NULL, ALL = {"string"}, {"null"}, set(ANY)


@pytest.mark.parametrize(
    ("leaf", "types"),
    [
        ({"type": "string"}, STRING),
        ({"type": ["string", "null"]}, STRING | NULL),
        ({"type": "number"}, {"number", "integer"}),
        ({"enum": ["a", "b"]}, STRING),
        ({"enum": ["a", None]}, STRING | NULL),
        ({"enum": ["a", None], "type": "string"}, STRING),
        ({"const": True}, {"boolean"}),
        ({}, ALL),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, STRING | NULL),
        ({"oneOf": [{"type": "string"}, {}]}, ALL),
        ({"allOf": [{"type": ["string", "null"]}, {"type": ["string", "array"]}]}, STRING),
        ({"$ref": "#/$defs/name"}, STRING),
        ({"$ref": "#/$defs/loop"}, ALL),
        ({"properties": {"x": {}}}, ALL),
        ({"type": "object", "properties": {"x": {}}}, {"object"}),
    ],
)
def test_a_leaf_has_the_types_that_its_schema_allows(leaf: Any, types: set[str]) -> None:
    loop = {"allOf": [{"$ref": "#/$defs/loop"}, {"$ref": "#/$defs/loop"}]}
    schema = {"properties": {"leaf": leaf}, "$defs": {"name": {"type": "string"}, "loop": loop}}

    assert declared(schema, "leaf") == (types, False)


@pytest.mark.parametrize(
    ("schema", "path", "always"),
    [
        ({"type": "object", "required": ["a"], "properties": {"a": {}}}, "a", True),
        ({"required": ["a"], "properties": {"a": {}}}, "a", True),
        ({"type": "object", "properties": {"a": {}}}, "a", False),
        ({"required": ["a"], "properties": {"a": ADDRESS}}, "a.city", True),
        ({"properties": {"a": ADDRESS}}, "a.city", False),
        (
            {"required": ["a"], "properties": {"a": {**ADDRESS, "type": ["object", "null"]}}},
            "a.city",
            False,
        ),
        (
            {"required": ["a"], "properties": {"a": {"anyOf": [ADDRESS, {"type": "null"}]}}},
            "a.city",
            False,
        ),
        ({"required": ["a"], "properties": {"a": {"anyOf": [ADDRESS, ADDRESS]}}}, "a.city", True),
        ({"allOf": [{"required": ["a"]}, {"properties": {"a": {}}}]}, "a", True),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b"]}], "properties": {"a": {}}},
            "a",
            False,
        ),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["a", "b"]}], "properties": {"a": {}}},
            "a",
            True,
        ),
        (
            {"anyOf": [{"required": ["a"], "properties": {"a": {}}}, {"properties": {"a": {}}}]},
            "a",
            False,
        ),
        ({"if": {}, "then": {"required": ["a"], "properties": {"a": {}}}}, "a", False),
    ],
)
def test_a_path_is_always_there_only_where_each_of_its_steps_is_required(
    schema: dict[str, Any], path: str, always: bool
) -> None:
    assert declared(schema, path)[1] is always


def test_alternatives_that_cannot_hold_a_property_do_not_blur_its_type() -> None:
    closed = {"properties": {"other": {}}, "additionalProperties": False}
    open_one: dict[str, Any] = {"properties": {"other": {}}}

    assert (
        declared({"properties": {"a": {"anyOf": [ADDRESS, {"type": "null"}]}}}, "a.city")[0]
        == STRING
    )
    assert declared({"properties": {"a": {"anyOf": [ADDRESS, closed]}}}, "a.city")[0] == STRING
    assert declared({"properties": {"a": {"anyOf": [ADDRESS, open_one]}}}, "a.city")[0] == ALL


def test_a_draft_7_reference_stands_alone_and_a_2020_one_does_not() -> None:
    part = {"$ref": "#/definitions/a", "properties": {"x": {"type": "string"}}}
    schema = {"properties": {"part": part}, "definitions": {"a": {"properties": {"y": {}}}}}

    assert isinstance(find({**schema, "$schema": DRAFT_7}, "part.x"), UndeclaredPath)
    assert isinstance(find({**schema, "$schema": DRAFT_7}, "part.y"), DeclaredPath)
    assert isinstance(find(schema, "part.x"), DeclaredPath)


def test_a_schema_that_refers_to_itself_is_followed_as_deep_as_the_path() -> None:
    person = {
        "type": "object",
        "properties": {"boss": {"$ref": "#/$defs/person"}, "name": {"type": "string"}},
    }
    schema = {"$ref": "#/$defs/person", "$defs": {"person": person}}

    assert declared(schema, "boss.boss.boss.name") == (STRING, False)


@pytest.mark.parametrize(
    ("path", "step", "near"),
    [("teir", 0, "tier"), ("address.ctiy", 1, "city"), ("tier.x", 1, None), ("zzz", 0, None)],
)
def test_an_undeclared_path_names_the_step_and_what_is_declared_there(
    path: str, step: int, near: str | None
) -> None:
    schema = {"properties": {"tier": {"type": "string"}, "address": ADDRESS}}

    found = find(schema, path)

    assert isinstance(found, UndeclaredPath)
    assert (found.step, found.nearest) == (step, near)
    assert found.names == (("tier", "address"), ("city",), ())[step if path != "tier.x" else 2]


def test_an_open_object_declares_only_what_it_names() -> None:
    schema = {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "patternProperties": {"^x_": {}},
    }

    assert isinstance(find(schema, "anything"), UndeclaredPath)
    assert isinstance(find(schema, "x_trace"), DeclaredPath)
    assert declared(schema, "") == ({"object"}, True)

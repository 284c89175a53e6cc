"""Contracts: what is refused of a schema, and what a payload is told."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from orchestrator.domain.contracts.contract import (
    MOST_VIOLATIONS,
    Contract,
    Formats,
    compile_contract,
)
from orchestrator.domain.contracts.contract import schema_faults as faults_of_schema
from orchestrator.domain.contracts.document import DRAFT_7, DRAFT_2020
from orchestrator.domain.errors import Fault


def contract(schema: dict[str, Any], formats: Formats = "assert") -> Contract:
    faults = faults_of_schema(schema)
    compiled = None if faults else compile_contract(schema, formats, faults)
    assert compiled, faults
    return compiled


def faults(schema: dict[str, Any], formats: Formats = "assert") -> list[Fault]:
    found = faults_of_schema(schema)
    if not found:
        compile_contract(schema, formats, found)
    return found


LEAD = {
    "type": "object",
    "additionalProperties": False,
    "required": ["email", "tier"],
    "properties": {
        "email": {"type": "string", "format": "email"},
        "tier": {"enum": ["enterprise", "pro"]},
        "seats": {"type": "integer", "maximum": 100},
        "address": {"type": "object", "additionalProperties": False},
    },
}


def test_a_payload_that_keeps_the_contract_has_no_violations() -> None:
    payload = {"email": "ann@example.com", "tier": "pro", "seats": 3, "address": {}}

    assert contract(LEAD).violations(payload) == ()


def test_every_violation_is_told_with_its_place_and_keyword() -> None:
    payload = {"email": "ann", "tier": "gold", "seats": 1000, "address": {"city": "Oslo"}}

    found = contract(LEAD).violations(payload)

    assert {(one.path, one.kind) for one in found} == {
        ("/email", "format"),
        ("/tier", "enum"),
        ("/seats", "maximum"),
        ("/address", "additionalProperties"),
    }
    assert all(one.message and one.schema_path for one in found)


def test_a_renamed_field_is_named_beside_the_one_that_is_missing() -> None:
    found = contract(LEAD).violations({"e_mail": "ann@example.com", "customer_tier": "pro"})

    (undeclared,) = [one for one in found if one.kind == "additionalProperties"]
    assert undeclared.hint == (
        "`e_mail` looks like the missing `email`; `customer_tier` looks like the missing `tier`"
    )
    assert [one.hint for one in found if one.kind == "required"] == [None, None]


def test_in_an_open_object_the_hint_stands_with_the_missing_field() -> None:
    lead = {"required": ["tier"], "properties": {"tier": {}, "tiers": {}}}
    schema = {"properties": {"leads": {"type": "array", "items": lead}}}

    (missing,) = contract(schema).violations({"leads": [{"customer_tier": 1, "tiers": 2}]})

    assert (missing.path, missing.kind) == ("/leads/0", "required")
    assert missing.hint == "`leads.0.customer_tier` looks like the missing `leads.0.tier`"


def test_a_hint_at_a_name_with_dots_is_a_pointer_that_can_be_used() -> None:
    schema = {"required": ["lead.tier"]}

    (missing,) = contract(schema).violations({"lead.teir": 1})

    assert missing.hint == "`/lead.teir` looks like the missing `/lead.tier`"


SAME_PATHS: list[tuple[Any, Any]] = [
    ({"properties": {"a": {"additionalProperties": False}}}, {"a": {"x": 1, "y": 2}}),
    ({"additionalProperties": False}, {"x": 1}),
    ({"additionalProperties": False, "patternProperties": {"^x": {}}}, {"x": 1, "y": 2}),
    (
        {
            "properties": {"additionalProperties": {"additionalProperties": False}},
            "additionalProperties": False,
        },
        {"additionalProperties": {"additionalProperties": {}}},
    ),
    (
        {"$ref": "#/$defs/a", "$defs": {"a": {"required": ["b"], "additionalProperties": False}}},
        {"c": 1},
    ),
    ({"unevaluatedProperties": False, "properties": {"a": {}}}, {"a": 1, "b": 2, "c": 3}),
    ({"dependentRequired": {"a": ["b", "c"]}}, {"a": 1}),
    ({"contains": {"type": "string"}, "minContains": 2}, [1, "2"]),
    ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"c": 1}),
    ({"oneOf": [{}, {}]}, {"c": 1}),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}),
    ({"propertyNames": {"maxLength": 1}}, {"aa": 1, "bb": 2}),
    (
        {"items": {"properties": {"a/b": {"type": "string"}, "~": {"const": 1}}}},
        [{"a/b": 1, "~": 2}],
    ),
    (
        {"$schema": DRAFT_7, "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
        {"a": 1, "c": 1},
    ),
    ({"$schema": DRAFT_7, "items": [{}], "additionalItems": False}, [1, 2]),
    ({"prefixItems": [{"type": "string"}], "uniqueItems": True}, [1, 1]),
    ({"not": {"type": "object"}, "minProperties": 1}, {}),
]


@pytest.mark.parametrize(("schema", "payload"), SAME_PATHS)
def test_error_paths_are_those_of_the_stock_validator(schema: Any, payload: Any) -> None:
    stock = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)(schema)
    expected = sorted(
        (list(map(str, one.absolute_path)), one.validator) for one in stock.iter_errors(payload)
    )

    found = contract(schema).violations(payload)

    steps = [one.path.split("/")[1:] for one in found]
    plain = [[step.replace("~1", "/").replace("~0", "~") for step in path] for path in steps]
    assert sorted(plain) == [path for path, _ in expected]
    if "propertyNames" not in schema:  # the stock one names the keyword inside
        kinds = {"dependencies", "dependentRequired", "minContains"}
        assert {one.kind for one in found} <= {kind for _, kind in expected} | kinds


def test_a_property_that_may_not_be_there_is_told_where_it_stands_whatever_its_name() -> None:
    schema = {"properties": {"old": False, "additionalProperties": False}}

    found = contract(schema).violations({"old": 1, "additionalProperties": {"x": 2}})

    assert {(one.path, one.kind, one.message) for one in found} == {
        ("/old", "falseSchema", "1 must not be there"),
        ("/additionalProperties", "falseSchema", '{"x":2} must not be there'),
    }


@pytest.mark.parametrize("draft", [DRAFT_7, DRAFT_2020])
def test_formats_are_asserted_or_not_as_the_workflow_says_whatever_the_draft(draft: str) -> None:
    schema = {"$schema": draft, "properties": {"email": {"format": "email"}}}
    payload = {"email": "no address"}

    assert contract(schema, "annotate").violations(payload) == ()
    assert [one.kind for one in contract(schema, "assert").violations(payload)] == ["format"]


def test_an_address_with_a_display_name_is_no_email() -> None:
    schema = {"format": "email"}

    assert contract(schema).violations("Ann <ann@example.com>")
    assert not contract(schema).violations("ann@example.com")


def test_messages_show_values_abbreviated() -> None:
    long = {"a": "x" * 10_000, "b": {"c": list(range(1000))}}

    (wrong,) = contract({"type": "string"}).violations(long)
    (listed,) = contract({"additionalProperties": False}).violations(
        {f"f{n}": n for n in range(999)}
    )

    assert wrong.message.startswith('{"a":"xxx')
    assert "..." in wrong.message
    assert "and 979 more are not declared" in listed.message
    assert len(wrong.message) < 150
    assert len(listed.message) <= 300


def test_of_alternatives_the_closest_one_is_explained() -> None:
    kinds = [
        {"properties": {"kind": {"const": "call"}, "phone": {}}, "required": ["kind", "phone"]},
        {"properties": {"kind": {"const": "mail"}, "to": {}}, "required": ["kind", "to", "cc"]},
    ]

    (wrong,) = contract({"oneOf": kinds}).violations({"kind": "mail"})

    assert (wrong.path, wrong.kind) == ("", "oneOf")
    assert 'the closest is number 2, but "to" is a required property' in wrong.message


def test_violations_past_the_most_are_left_out() -> None:
    found = contract({"items": {"type": "string"}}).violations([1] * (MOST_VIOLATIONS + 5))

    assert len(found) == MOST_VIOLATIONS


def test_of_a_payload_with_too_many_values_only_the_first_violation_is_looked_for() -> None:
    (found,) = contract({"items": {"type": "string"}}).violations([1] * 100_001)

    assert (found.path, found.kind) == ("/0", "type")


def test_a_pattern_that_backtracks_for_ever_does_not_hold_the_worker() -> None:
    schema = {"pattern": r"^(?:(a+)\1?)+$"}

    (found,) = contract(schema).violations("a" * 60 + "!")

    assert found.path == ""


@pytest.mark.parametrize(
    ("schema", "path", "problem", "fix"),
    [
        ({"type": "strin"}, "contract.type", '"strin"', "boolean"),
        ({"properties": {"a": 5}}, "contract.properties.a", "5 is not", ""),
        ({"required": "a"}, "contract.required", '"a" is not', "list of property names"),
        (
            {"properties": {"a": {"pattern": "("}}},
            "contract.properties.a.pattern",
            '"("',
            "regular",
        ),
        (
            {"$schema": "http://json-schema.org/draft-04/schema#"},
            "contract.$schema",
            "04",
            "2020-12",
        ),
        ({"$ref": "https://example.com/x"}, "contract.$ref", "outside", "$defs"),
        ({"$ref": "other.json#/a"}, "contract.$ref", "outside", "$defs"),
        ({"$ref": "#/$defs/a"}, "contract.$ref", "leads nowhere", "declared"),
        ({"$ref": "#nowhere"}, "contract", "nowhere", "JSON Schema"),
        (
            {"properties": {"a": {"format": "emial"}}},
            "contract.properties.a.format",
            "emial",
            "`email`",
        ),
    ],
)
def test_a_wrong_schema_is_refused_with_its_place_and_what_to_write(
    schema: dict[str, Any], path: str, problem: str, fix: str
) -> None:
    (found,) = faults(schema)

    assert found.path == path
    assert problem in found.problem
    assert fix in found.fix


def test_all_that_is_wrong_in_a_schema_is_told_at_once() -> None:
    wrong = {"type": 1, "properties": {"a": {"minimum": "x"}, "b": {"type": "strin"}}}

    assert {one.path for one in faults(wrong)} == {
        "contract.type",
        "contract.properties.a.minimum",
        "contract.properties.b.type",
    }


def test_what_looks_like_a_keyword_in_data_is_not_one() -> None:
    schema = {
        "properties": {
            "format": {"const": {"$ref": "x", "format": "y"}},
            "$ref": {"type": "string"},
        },
        "default": {"$ref": "https://example.com"},
    }

    assert faults(schema) == []


def test_an_unknown_format_is_no_fault_where_formats_only_annotate() -> None:
    assert faults({"format": "sku"}, "annotate") == []

"""Files whose check would take for ever if what it walks were not bounded, or looked at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.workflows.file import parse_workflow

TEXT = """
workflow: worst
client: acme
title: A file that is dear to check
trigger: {{type: lead.created}}
owners: {{owner: a@acme.example, recovery_lead: b@acme.example,
          approver: c@acme.example, backstop: d@acme.example}}
contract: {contract}
facts: {facts}
routes: [{{when: 'true', to: [crm]}}]
destinations: {{crm: {{connector: fake, action: record, send: {{name: '"x"'}}, confirm: [name]}}}}
sla: {{deliver_within: 15m, recover_within: 72h}}
"""
DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def faults(contract: dict[str, Any], fact: str) -> list[str]:
    facts = json.dumps({"found": {"value": fact, "optional": True}})
    text = TEXT.format(contract=json.dumps(contract), facts=facts)
    with pytest.raises(InvalidFile) as refused:
        parse_workflow(text, name="worst.yaml")
    return [f"{one.path}: {one.problem}" for one in refused.value.faults]


def doubled(keyword: str, last: dict[str, Any]) -> dict[str, Any]:
    """Definitions of which each refers to the next one twice: 2 to the 40th paths."""
    parts = {f"a{at}": {keyword: [{"$ref": f"#/$defs/a{at + 1}"}] * 2} for at in range(40)}
    return {"$defs": {**parts, "a40": last}}


def test_a_call_with_many_arguments_is_a_fault() -> None:
    arguments = ", ".join(["data.a"] * 12)

    found = faults({"type": "object", "properties": {"a": {}}}, f"size({arguments})")

    assert any("`size` does not take these arguments" in one for one in found)


def test_a_pattern_that_goes_back_for_ever_is_given_up() -> None:
    contract = {"type": "object", "patternProperties": {"^(a+)+$": {}}}

    found = faults(contract, f"data.{'a' * 40}b")

    assert any("does not declare" in one for one in found)


def test_a_reference_to_itself_is_a_fault() -> None:
    contract = {
        "$schema": DRAFT_7,
        "anyOf": [{"$ref": "#/definitions/a"}, {"properties": {"email": {"type": "string"}}}],
        "definitions": {"a": {"$ref": "#/definitions/a"}},
    }

    assert any("refers to itself" in one for one in faults(contract, "data.email"))


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
@pytest.mark.parametrize("fact", ["data.tier", 'data.tier == "pro"', "data.list[0]"])
def test_definitions_that_refer_twice_to_the_next_are_walked_once(keyword: str, fact: str) -> None:
    last = {
        "type": "object",
        "properties": {"tier": {"enum": ["pro"]}, "list": {"items": {"type": "string"}}},
    }

    found = faults({"$ref": "#/$defs/a0", **doubled(keyword, last)}, fact)

    assert any("steps for each value" in one for one in found)


def test_of_many_required_names_that_are_not_declared_the_first_are_told() -> None:
    names = [f"name_{at}" for at in range(2_000)]
    contract = {
        "type": "object",
        "additionalProperties": False,
        "properties": {f"other_{at}": {} for at in range(2_000)},
        "required": names,
    }

    assert len(faults(contract, "data.other_1")) == 20

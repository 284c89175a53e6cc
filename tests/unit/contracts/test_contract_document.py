from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.contracts.document import DRAFT_7, at_pointer, embed

DOCUMENT: dict[str, Any] = {
    "$schema": DRAFT_7,
    "$id": "https://example.com/everything.json",
    "oneOf": [{"$ref": "#/definitions/lead"}],
    "definitions": {
        "lead": {
            "type": "object",
            "properties": {
                "owner": {"$ref": "#/definitions/person"},
                "note": {"const": {"$ref": "#/definitions/unused"}},
            },
        },
        "person": {
            "properties": {"boss": {"$ref": "#/definitions/person"}, "a": {"$ref": "#/$defs/x~1y"}}
        },
        "odd": {"properties": {"a": {"$ref": "#/definitions/lead/properties/owner"}}},
        "rooted": {"items": {"$ref": "#"}},
        "stray": {"items": {"$ref": "#/oneOf/0"}},
        "unused": {"type": "string"},
    },
    "$defs": {"x/y": {"type": "string"}, "z": {}},
}


def test_a_part_becomes_a_contract_with_the_definitions_that_it_reaches_and_no_others() -> None:
    contract = embed(DOCUMENT, "/definitions/lead")

    assert contract["$schema"] == DRAFT_7
    assert contract["properties"] == DOCUMENT["definitions"]["lead"]["properties"]
    assert contract["definitions"] == {"person": DOCUMENT["definitions"]["person"]}
    assert contract["$defs"] == {"x/y": {"type": "string"}}
    assert "$id" not in contract
    assert "oneOf" not in contract


def test_a_reference_into_a_definition_takes_the_whole_definition_along() -> None:
    contract = embed(DOCUMENT, "/definitions/odd")

    assert contract["definitions"] == {
        name: DOCUMENT["definitions"][name] for name in ("lead", "person")
    }


def test_without_a_pointer_the_contract_is_the_document() -> None:
    assert embed(DOCUMENT, "") == DOCUMENT


@pytest.mark.parametrize("name", ["rooted", "stray"])
def test_a_part_that_refers_to_the_document_around_it_cannot_stand_alone(name: str) -> None:
    with pytest.raises(ValueError, match="outside `definitions`"):
        embed(DOCUMENT, f"/definitions/{name}")


@pytest.mark.parametrize(
    ("pointer", "said"),
    [
        ("/definitions/laed", "'lead' is"),
        ("/nothing", "'nothing' is not there"),
        ("/oneOf/1", "'1' is not there"),
        ("/$schema", "no JSON Schema object"),
    ],
)
def test_a_pointer_that_leads_nowhere_names_what_is_near(pointer: str, said: str) -> None:
    with pytest.raises(LookupError, match=said.replace("$", r"\$")):
        embed(DOCUMENT, pointer)


def test_pointers_are_unescaped() -> None:
    assert at_pointer({"a/b": {"c~d": [1, 2]}}, "/a~1b/c~0d/1") == 2

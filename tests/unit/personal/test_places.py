"""Which places are personal, by every way in which a schema leads to a value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.domain.personal.places import PersonalPlaces

MARKED = {"type": "string", "x-pii": "email"}
PLAIN = {"type": "string"}


def kind_at(contract: Mapping[str, Any], *path: str | int) -> str | None:
    return PersonalPlaces(contract).at(path).kind


WAYS: list[tuple[str, dict[str, Any], tuple[str | int, ...]]] = [
    ("properties", {"properties": {"a": MARKED}}, ("a",)),
    ("deep properties", {"properties": {"a": {"properties": {"b": MARKED}}}}, ("a", "b")),
    ("items", {"items": MARKED}, (3,)),
    ("prefixItems", {"prefixItems": [PLAIN, MARKED], "items": PLAIN}, (1,)),
    ("items after prefixItems", {"prefixItems": [PLAIN], "items": MARKED}, (1,)),
    ("a list of items", {"items": [PLAIN, MARKED], "additionalItems": PLAIN}, (1,)),
    ("additionalItems", {"items": [PLAIN], "additionalItems": MARKED}, (1,)),
    ("contains", {"items": PLAIN, "contains": MARKED}, (0,)),
    ("unevaluatedItems", {"unevaluatedItems": MARKED}, (0,)),
    ("patternProperties", {"patternProperties": {"^a": MARKED}}, ("abc",)),
    ("additionalProperties", {"properties": {}, "additionalProperties": MARKED}, ("b",)),
    ("unevaluatedProperties", {"unevaluatedProperties": MARKED}, ("b",)),
    ("$ref", {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": MARKED}}, ("a",)),
    ("beside $ref", {"properties": {"a": {"$ref": "#/$defs/x", "x-pii": "email"}},
                     "$defs": {"x": PLAIN}}, ("a",)),
    ("$anchor", {"properties": {"a": {"$ref": "#x"}},
                 "$defs": {"x": {**MARKED, "$anchor": "x"}}}, ("a",)),
    ("$dynamicRef", {"properties": {"a": {"$dynamicRef": "#x"}},
                     "$defs": {"x": {**MARKED, "$dynamicAnchor": "x"}}}, ("a",)),
    ("allOf", {"properties": {"a": {"allOf": [PLAIN, MARKED]}}}, ("a",)),
    ("anyOf", {"properties": {"a": {"anyOf": [PLAIN, MARKED]}}}, ("a",)),
    ("oneOf", {"oneOf": [{"properties": {"a": PLAIN}}, {"properties": {"a": MARKED}}]}, ("a",)),
    ("if", {"properties": {"a": PLAIN}, "if": {"properties": {"a": MARKED}}}, ("a",)),
    ("then", {"properties": {"a": PLAIN}, "then": {"properties": {"a": MARKED}}}, ("a",)),
    ("else", {"properties": {"a": PLAIN}, "else": {"properties": {"a": MARKED}}}, ("a",)),
    ("not", {"properties": {"a": PLAIN}, "not": {"properties": {"a": MARKED}}}, ("a",)),
    ("dependentSchemas", {"dependentSchemas": {"b": {"properties": {"a": MARKED}}}}, ("a",)),
    ("dependencies", {"dependencies": {"b": {"properties": {"a": MARKED}}}}, ("a",)),
    ("a reference to the whole", {"properties": {"a": MARKED, "b": {"$ref": "#"}}},
     ("b", "b", "b", "a")),
    ("other names of one branch", {"anyOf": [{"properties": {"a": PLAIN}},
                                             {"additionalProperties": MARKED}]}, ("a",)),
]  # fmt: skip


@pytest.mark.parametrize(("contract", "path"), [one[1:] for one in WAYS], ids=[o[0] for o in WAYS])
def test_a_mark_is_found_by_every_way(
    contract: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    assert kind_at(contract, *path) == "email"


@pytest.mark.parametrize(
    ("contract", "path"),
    [
        ({"properties": {"a": PLAIN, "b": MARKED}}, ("a",)),
        ({"prefixItems": [PLAIN, MARKED], "items": PLAIN}, (0,)),
        ({"prefixItems": [MARKED], "items": PLAIN}, (1,)),
        ({"properties": {"a": PLAIN}, "patternProperties": {"^b": MARKED}}, ("a",)),
        ({"properties": {"a": PLAIN}, "additionalProperties": MARKED}, ("a",)),
        ({"properties": {"a": True, "b": MARKED}}, ("a",)),
        ({"properties": {"a": {"x-pii": False}, "b": MARKED}}, ("a",)),
    ],
)
def test_a_declared_place_without_a_mark_is_not_personal(
    contract: dict[str, Any], path: tuple[str | int, ...]
) -> None:
    assert kind_at(contract, *path) is None


def test_what_is_below_a_mark_is_personal_whatever_is_said_there() -> None:
    person = {"x-pii": "person", "properties": {"id": {"x-pii": False}, "tax": {"x-pii": "tax-id"}}}
    contract = {"properties": {"who": person}}

    assert kind_at(contract, "who", "id") == "person"
    assert kind_at(contract, "who", "tax") == "tax-id"
    assert kind_at(contract, "who", "anything", 3, "else") == "person"


@pytest.mark.parametrize("others", [{}, {"additionalProperties": False}, {"type": "object"}])
def test_a_place_that_is_not_declared_is_personal_where_anything_is_marked(
    others: dict[str, Any],
) -> None:
    contract = {"properties": {"email": MARKED, "tags": {"type": "array"}, "n": PLAIN}, **others}

    assert kind_at(contract, "mail") == ""
    assert kind_at(contract, "tags", 0) == ""
    assert kind_at(contract, "n", "deeper") == ""


def test_nothing_is_personal_where_nothing_is_marked() -> None:
    assert kind_at({"properties": {"email": PLAIN}}, "mail") is None


def test_names_are_shown_as_long_as_no_sender_makes_them_up() -> None:
    contract = {
        "properties": {
            "email": MARKED,
            "who": {"x-pii": True, "properties": {"id": PLAIN}},
            "by_mail": {"additionalProperties": PLAIN},
            "by_word": {"properties": {"a": PLAIN}, "patternProperties": {"^x": PLAIN}},
            "named": {"properties": {"a": PLAIN}, "propertyNames": {"format": "email"}},
            "open": {"type": "object"},
        }
    }
    places = PersonalPlaces(contract)

    def shown(name: str, *holder: str) -> bool:
        return places.shows_name(places.at(holder), name)

    assert shown("email") and shown("mail")
    assert shown("id", "who") and not shown("ada@acme.example", "who")
    assert not any(
        shown("ada@acme.example", one) for one in ("by_mail", "by_word", "named", "open")
    )


def test_made_up_names_fill_no_memory() -> None:
    places = PersonalPlaces({"properties": {"email": MARKED}, "additionalProperties": PLAIN})

    for number in range(5_000):
        places.at((f"name-{number}",))

    assert len(places._steps) < 10

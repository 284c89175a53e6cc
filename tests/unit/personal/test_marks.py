"""`x-pii`: what it may say, and what is said of it when it is written wrongly."""

from __future__ import annotations

import pytest

from orchestrator.domain.personal.checks import personal_faults
from orchestrator.domain.personal.marks import kind_marked


def faults_of(**properties: object) -> list[tuple[str, bool]]:
    contract = {"type": "object", "properties": properties}
    return [(one.path, one.is_note) for one in personal_faults(contract)]


@pytest.mark.parametrize("said", [True, False, "email", "tax-id", "x2"])
def test_a_mark_is_true_false_or_a_short_word(said: object) -> None:
    assert faults_of(a={"x-pii": said}) == []


@pytest.mark.parametrize(
    "said", ["", "E-Mail", "two words", "a" * 40, "-a", 1, 0, None, [], ["email"], {"a": 1}, "\n"]
)
def test_any_other_mark_is_a_fault_and_protects_all_the_same(said: object) -> None:
    assert faults_of(a={"x-pii": said}) == [("contract.properties.a.x-pii", False)]
    assert kind_marked({"x-pii": said}) == ""


@pytest.mark.parametrize("word", ["x_pii", "X-PII", "xpii", "pii", "x-personal", "x-PII "])
def test_a_misspelt_mark_is_a_fault(word: str) -> None:
    assert faults_of(a={word: True}) == [(f"contract.properties.a.{word}", False)]


@pytest.mark.parametrize(
    "keyword", ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]
)
def test_a_mark_among_names_is_a_fault(keyword: str) -> None:
    contract = {"type": "object", keyword: {"x-pii": True, "a": {"type": "string"}}}

    assert [one.path for one in personal_faults(contract)] == [f"contract.{keyword}.x-pii"]


def test_a_property_of_that_name_and_a_mark_in_data_are_none() -> None:
    assert faults_of(**{"x-pii": {"type": "string"}}) == []
    assert faults_of(a={"enum": [{"x-pii": 7}], "default": {"x_pii": 7}}) == []


@pytest.mark.parametrize(
    "name",
    ["email", "eMail", "customer_email", "contactEmail", "phone", "phoneNumber", "first_name",
     "lastName", "name", "dob", "date_of_birth", "billing_address", "ip_address", "iban", "zip"],
)  # fmt: skip
def test_a_name_that_looks_personal_without_a_mark_is_a_note(name: str) -> None:
    assert faults_of(**{name: {"type": "string"}}) == [(f"contract.properties.{name}", True)]
    assert faults_of(**{name: {"type": "string", "x-pii": True}}) == []
    assert faults_of(**{name: {"type": "string", "x-pii": False}}) == []


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("product_name", {"type": "string"}),
        ("email_opt_in", {"type": "string"}),
        ("phone", {"type": "boolean"}),
        ("gender", {"enum": ["f", "m", "x"]}),
        ("company", {"properties": {"name": {"type": "string"}}}),
        ("number", {"type": "integer"}),
        ("data", {"x-pii": True, "properties": {"email": {"type": "string"}}}),
    ],
)
def test_a_name_that_tells_of_nobody_is_none(name: str, schema: object) -> None:
    assert faults_of(**{name: schema}) == []


def test_a_definition_is_personal_as_the_places_that_refer_to_it_are() -> None:
    person = {"type": "object", "properties": {"name": {"type": "string"}}}
    marked = {
        "properties": {"contact": {"$ref": "#/$defs/person", "x-pii": True}},
        "$defs": {"person": person},
    }
    assert personal_faults(marked) == []

    unmarked = {"properties": {"contact": {"$ref": "#/$defs/person"}}, "$defs": {"person": person}}
    assert [one.path for one in personal_faults(unmarked)] == [
        "contract.$defs.person.properties.name"
    ]


def test_notes_are_few_however_many_names_there_are() -> None:
    names = {f"mail_{number}_email": {"type": "string"} for number in range(500)}

    assert len(faults_of(**names)) == 20


def test_a_contract_that_refers_to_itself_comes_to_an_end() -> None:
    contract = {"properties": {"name": {"type": "string"}, "friends": {"items": {"$ref": "#"}}}}

    assert len(personal_faults(contract)) == 1

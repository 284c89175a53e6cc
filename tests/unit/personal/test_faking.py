"""Made-up values: nobody is in them, and the contract takes them."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.contracts.contract import compile_contract
from orchestrator.domain.personal.faking import Faker
from orchestrator.domain.personal.places import PersonalPlaces

CONTRACT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "email": {"type": "string", "format": "email", "x-pii": "email"},
        "born": {"type": "string", "format": "date", "x-pii": True},
        "seen": {"type": "string", "format": "date-time", "x-pii": True},
        "phone": {"type": "string", "pattern": r"^\+[0-9]{6,15}$", "x-pii": "phone"},
        "id": {"type": "string", "format": "uuid", "x-pii": True},
        "sex": {"enum": ["f", "m", "x"], "x-pii": True},
        "age": {"type": "integer", "minimum": 0, "x-pii": True},
        "name": {"type": "string", "minLength": 1, "maxLength": 40, "x-pii": True},
        "tier": {"type": "string", "x-pii": False},
    },
}
PERSON = {
    "email": "ada.lovelace@acme.example",
    "born": "1985-12-10",
    "seen": "2026-03-04T11:22:33+02:00",
    "phone": "+491701234567",
    "id": "9b2f1c9e-3d0c-4a8e-8f47-0c1d2e3f4a5b",
    "sex": "f",
    "age": 40,
    "name": "Ada Lovelace",
    "tier": "pro",
}


def faker(key: bytes = b"k" * 32) -> Faker:
    return Faker(PersonalPlaces(CONTRACT), key)


def test_no_personal_value_is_left_and_the_contract_takes_the_others() -> None:
    contract = compile_contract(CONTRACT, "assert", [])
    assert contract is not None
    for number in range(200):
        made = faker(number.to_bytes(32)).payload(PERSON)
        assert isinstance(made, dict)
        assert made["tier"] == "pro"
        assert made.keys() == PERSON.keys()
        left = {name for name in PERSON if made[name] == PERSON[name]}
        assert left <= {"tier", "sex", "age"}, left  # of few choices one comes again by chance
        assert not contract.violations(made)


def test_one_value_is_one_other_everywhere_and_another_under_another_key() -> None:
    one, again, other = faker(), faker(), faker(b"o" * 32)
    assert one.payload(PERSON) == again.payload(PERSON)
    assert one.payload(PERSON) != other.payload(PERSON)
    assert one.replaced == 16


@given(st.text(string.ascii_letters + string.digits + " -+.'ßéж", min_size=4, max_size=40))
def test_length_and_kind_of_each_character_are_kept(name: str) -> None:
    made = faker().payload({"name": name})
    assert isinstance(made, dict)
    text = made["name"]
    if "@" in name or len(text) != len(name):
        return  # it reads as a date or an address
    assert [one.isdigit() for one in text] == [one.isdigit() for one in name]
    assert [one.isspace() for one in text] == [one.isspace() for one in name]


def test_a_contract_without_marks_keeps_all() -> None:
    plain = Faker(PersonalPlaces({"type": "object"}), b"k" * 32)
    assert plain.payload(PERSON) == PERSON

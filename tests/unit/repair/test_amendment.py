"""Amendments: what a person changes is applied as said, or refused as a whole."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.domain.errors import Refused
from orchestrator.domain.recipes.amendment import apply_amendments, parse_amendments

PAYLOAD: dict[str, Any] = {
    "email": "ann@example.com",
    "customer_tier": "pro",
    "a.b": 1,
    "a/b": 2,
    "items": [{"sku": "x"}, {"sku": "y"}],
    "address": {"city": "Oslo"},
}


def amend(renames: Sequence[str] = (), sets: Sequence[str] = (), unsets: Sequence[str] = ()) -> Any:
    return apply_amendments(PAYLOAD, parse_amendments(renames, sets, unsets))


def test_a_rename_moves_the_value_and_leaves_the_rest_and_the_original_alone() -> None:
    before = copy.deepcopy(PAYLOAD)

    amended = amend(renames=["customer_tier=tier", "address.city=address.town"])

    assert amended["tier"] == "pro"
    assert amended["address"] == {"town": "Oslo"}
    assert "customer_tier" not in amended
    assert amended.keys() ^ PAYLOAD.keys() == {"tier", "customer_tier"}
    assert before == PAYLOAD


@pytest.mark.parametrize(
    ("given", "path", "value"),
    [
        ("seats=5", "seats", 5),
        ('seats="5"', "seats", "5"),
        ("vip=true", "vip", True),
        ("note=null", "note", None),
        ("note=call me", "note", "call me"),
        ("note=", "note", ""),
        ("note=a=b", "note", "a=b"),
        ("note=NaN", "note", "NaN"),
        ('tags=["a", {"b": 1}]', "tags", ["a", {"b": 1}]),
        ("email=bo@example.com", "email", "bo@example.com"),
    ],
)
def test_a_value_is_json_where_it_reads_as_json_and_else_text(
    given: str, path: str, value: object
) -> None:
    amended = amend(sets=[given])

    assert amended[path] == value
    assert type(amended[path]) is type(value)


def test_paths_lead_through_objects_and_arrays_dotted_or_as_pointers() -> None:
    amended = amend(
        renames=["items.1.sku=items.1.code", "/a.b=/a~1c"],
        sets=["items.0.sku=z", "/address/zip=0150x", "items.2={}"],
        unsets=["/a~1b", "address.city"],
    )

    assert amended["items"] == [{"sku": "z"}, {"code": "y"}, {}]
    assert amended["a/c"] == 1
    assert amended["address"] == {"zip": "0150x"}
    assert "a.b" not in amended
    assert "a/b" not in amended


def test_an_entry_of_an_array_can_be_taken_out() -> None:
    assert amend(unsets=["items.0"])["items"] == [{"sku": "y"}]


@pytest.mark.parametrize(
    ("renames", "sets", "unsets", "field", "said"),
    [
        (["custom_tier=tier"], [], [], "custom_tier", "not in the payload; write `customer_tier`"),
        (["customer_tier=email"], [], [], "email", "there already"),
        (["address=address.old"], [], [], "address", "into itself"),
        (["email=email"], [], [], "email", "into itself"),
        (["email=contact.email"], [], [], "contact", "set it first"),
        (["items.0=items.1"], [], [], "items.1", "not a place"),
        ([], ["email.domain=x"], [], "email", "holds no fields"),
        ([], ["email.domain.tld=x"], [], "email.domain", "not an object"),
        ([], ["items.5=x"], [], "items.5", "from 0 to 2"),
        ([], ["items.01=x"], [], "items.01", "not a place"),
        ([], ["items.-1=x"], [], "items.-1", "not a place"),
        ([], ["items.x.sku=1"], [], "items.x", "under 2"),
        ([], [], ["address.street"], "address.street", "not in the payload"),
        ([], [], ["items.2"], "items.2", "under 2"),
    ],
)
def test_what_does_not_fit_the_payload_is_refused_with_its_place(
    renames: list[str], sets: list[str], unsets: list[str], field: str, said: str
) -> None:
    with pytest.raises(Refused) as refused:
        amend(renames, sets, unsets)

    assert refused.value.field == field
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("renames", "sets", "unsets", "said"),
    [
        (["tier"], [], [], "write old=new"),
        (["=tier"], [], [], "write old=new"),
        (["tier="], [], [], "write old=new"),
        ([], ["tier"], [], "write path=value"),
        ([], ["a..b=1"], [], "empty step"),
        ([], [], [""], "empty step"),
        ([], [], [".".join("a" * 65)], "65 steps"),
        ([], [], [], "nothing is to be changed"),
    ],
)
def test_what_is_no_amendment_is_refused_before_any_payload_is_touched(
    renames: list[str], sets: list[str], unsets: list[str], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        parse_amendments(renames, sets, unsets)


def test_a_payload_that_is_no_object_takes_what_fits_it() -> None:
    assert apply_amendments([1, 2], parse_amendments([], ["1=5"], ["0"])) == [5]
    with pytest.raises(Refused, match="payload: it holds no fields"):
        apply_amendments("text", parse_amendments([], ["a=1"], []))


def test_the_audit_gets_what_was_said() -> None:
    amendments = parse_amendments(["a=b"], ["c=5", "d=null"], ["e"])

    assert [one.describe() for one in amendments] == [
        {"action": "rename", "path": "a", "to": "b"},
        {"action": "set", "path": "c", "value": 5},
        {"action": "set", "path": "d", "value": None},
        {"action": "unset", "path": "e"},
    ]


def test_amending_two_payloads_with_one_value_does_not_tie_them_together() -> None:
    amendments = parse_amendments([], ["tags=[]", "tags.0=1"], [])

    first, second = (apply_amendments({}, amendments) for _ in range(2))

    assert first == second == {"tags": [1]}
    assert amendments[0].value == []

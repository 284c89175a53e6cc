from __future__ import annotations

import pytest

from orchestrator.domain.delivery.comparing import Difference, differences


def test_a_record_that_holds_what_was_sent_has_no_differences() -> None:
    sent = {"email": "ann@example.com", "seats": 1, "tags": ["a", {"b": None}], "note": "x"}
    stored = {**sent, "seats": 1.0, "id": "r-1", "note": "changed since, and not confirmed"}

    assert differences(sent, stored, ("email", "seats", "tags")) == ()


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a", "A"),
        (1, True),
        (0, False),
        (True, 1),
        (1, "1"),
        ("", None),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": {"b": 1}}, {"a": {"b": True}}),
        ([True], [1]),
    ],
)
def test_what_only_looks_the_same_is_a_difference(sent: object, stored: object) -> None:
    found = differences({"field": sent}, {"field": stored}, ("field",))

    assert found == (Difference(field="field", sent=sent, stored=stored),)


def test_a_field_that_the_record_lacks_is_a_difference() -> None:
    found = differences({"email": "a", "tier": None}, {"email": "a"}, ("email", "tier"))

    assert found == (Difference(field="tier", sent=None, stored=None),)


def test_each_field_that_differs_is_told() -> None:
    found = differences({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 0, "c": 0}, ("a", "b", "c"))

    assert [one.field for one in found] == ["b", "c"]

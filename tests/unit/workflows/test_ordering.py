"""What an ordering key and `latest` read from a payload, and what a file may say of them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.workflows.ordering.faults import ordering_notes
from orchestrator.domain.workflows.ordering.keys import Ordering, key_in, rank_in
from tests.leads import TEXT, lead_workflow


def key(value: object) -> str | None:
    return key_in({"a": {"b": value}}, ("a", "b"))


def rank(value: object) -> str | None:
    return rank_in({"a": value}, ("a",))


def test_one_value_is_one_key_however_a_number_is_written() -> None:
    assert key(7) == key(7.0) == "7"
    assert key("7") != key(7)
    assert key("ada@acme.example") != key("Ada@acme.example")
    assert key(True) != key(1)


@pytest.mark.parametrize("value", [None, "", "   ", [], ["a"], {"b": 1}])
def test_nothing_a_blank_text_and_what_holds_others_are_no_keys(value: object) -> None:
    assert key(value) is None


def test_a_payload_without_the_path_has_no_key() -> None:
    assert key_in([1], ("a", "b")) is None
    assert key_in({"a": "x"}, ("a", "b")) is None


def test_numbers_sort_as_numbers() -> None:
    ranks = [rank(one) for one in (-10, -9.5, 0, 1e-9, 9, "10", 10.5, 2**63, 10**22)]

    assert None not in ranks
    assert all(one < two for one, two in pairwise(ranks))  # type: ignore[operator]
    assert rank(10) == rank("10") == rank(10.0)


def test_no_digit_of_a_long_number_is_lost_down_to_its_billionths() -> None:
    long = "12345678901234567890123"

    assert rank(f"{long}.000000001") < rank(f"{long}.000000002")  # type: ignore[operator]
    assert rank(f"-{long}.5") < rank(f"-{long}.4")  # type: ignore[operator]


def test_a_moment_at_the_edge_of_the_calendar_has_a_rank() -> None:
    ranks = [rank("0001-01-01T00:00:00+14:00"), rank("0001-01-01T00:00:00Z")]
    ranks += [rank("9999-12-31T23:59:59Z"), rank("9999-12-31T23:59:59-14:00")]

    assert None not in ranks
    assert all(one < two for one, two in pairwise(ranks))  # type: ignore[operator]


def test_moments_sort_as_they_come_whatever_their_zone() -> None:
    written = ("2025-12-31T23:59:59-05:00", "2026-01-01T05:00:00Z", "2026-01-01 06:00:00.001+01:00")

    ranks = [rank(one) for one in written]

    assert None not in ranks
    assert all(one < two for one, two in pairwise(ranks))  # type: ignore[operator]


@pytest.mark.parametrize(
    "value", [None, True, "", "yesterday", "2026-01-01", "2026-01-01T05:00:00", 1e40, [], {}]
)
def test_what_names_no_one_moment_or_number_has_no_rank(value: object) -> None:
    assert rank(value) is None


def test_a_file_says_its_order_and_one_without_it_is_the_version_that_it_was() -> None:
    told = f'{TEXT}ordering_key: data.email\non_stall: pass\nlatest: data["tier"]\n'
    workflow = lead_workflow(told)

    assert workflow.ordering == Ordering(key=("email",), passes=True, latest=("tier",))
    assert Ordering.from_text(workflow.ordering.as_text()) == workflow.ordering
    without = lead_workflow()
    assert without.ordering is None
    assert not {"ordering_key", "on_stall", "latest"} & without.definition().keys()


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ("ordering_key: data.emial", "`data.emial`; write `data.email`"),
        ("ordering_key: email", "'email' is not a plain path; write a path into the payload"),
        ("ordering_key: data.email.lowerAscii()", "is not a plain path"),
        ("ordering_key: data", "'data' is not a plain path"),
        ("on_stall: pass", "on_stall: it needs an `ordering_key`"),
        ("latest: data.tier", "latest: it needs an `ordering_key`"),
        ("ordering_key: data.email\non_stall: wait", "write 'hold' or 'pass'"),
        ("ordering_key: data.email\nlatest: data.at", "does not declare `data.at`"),
        ("ordering_key: data.list", "`data.list` is never a value that can be compared"),
    ],
)
def test_a_fault_says_its_line_and_what_to_write(added: str, problem: str) -> None:
    text = TEXT.replace("    tier: {enum", "    list: {type: array}\n    tier: {enum")

    with pytest.raises(InvalidFile) as refused:
        lead_workflow(f"{text}{added}\n")

    (told,) = [str(one) for one in refused.value.faults]
    assert told.startswith("line 2") and problem in told


def test_a_key_that_may_be_absent_is_noted() -> None:

    contract = lead_workflow().contract | {"required": ["tier"]}
    (note,) = ordering_notes({"ordering_key": "data.email"}, contract)

    assert note.is_note
    assert "an event without it is not ordered" in note.problem

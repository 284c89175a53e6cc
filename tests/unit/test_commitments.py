"""What stays in a row of the audit, and what goes beside it."""

from __future__ import annotations

from orchestrator.domain.commitments import (
    Value,
    commit,
    commitments_in,
    is_telling,
    put_at,
    repeats,
    values_in,
)


def test_names_and_counts_stay_in_the_row() -> None:
    assert values_in({"version": 3, "route": 1, "when": 'tier == "pro"', "to": ["crm"]}) == {}
    assert values_in({"record_id": "crm-17", "found": "an earlier call had made it"}) == {}


def test_whatever_is_not_known_to_be_a_name_is_a_value() -> None:
    detail = {"detail": '"ada@x" is not an address', "why": "asked", "new": {"a": 1}, "none": None}

    assert values_in(detail) == {
        "/detail": '"ada@x" is not an address',
        "/why": "asked",
        "/new": {"a": 1},
    }


def test_of_a_change_the_path_stays_unless_it_is_about_somebody() -> None:
    renamed = {"action": "rename", "path": "customer_tier", "to": "tier"}
    unset = {"action": "unset", "path": "/people/ada@example.com"}
    put = {"action": "set", "path": "tier", "value": "pro"}

    assert values_in({"amendments": [renamed, unset, put]}) == {
        "/amendments/1/path": "/people/ada@example.com",
        "/amendments/2/value": "pro",
    }


def test_a_name_can_be_marked_as_a_value() -> None:
    assert values_in({"record_id": Value(value="ada@example.com")}) == {
        "/record_id": "ada@example.com"
    }
    assert values_in({"record_id": Value(value=None)}) == {}


def test_values_come_back_to_where_they_were() -> None:
    detail = {"amendments": [{"action": "set", "path": "tier", "value": "pro"}], "version": 1}
    values = values_in(detail)
    emptied = put_at(detail, {one: {"commitment": "00" * 32} for one in values})

    assert commitments_in(emptied) == {"/amendments/0/value": "00" * 32}
    assert put_at(emptied, values) == detail


def test_a_commitment_depends_on_salt_place_and_value() -> None:
    made = {
        commit(salt, place, value)
        for salt in (b"a" * 16, b"b" * 16)
        for place in ("/why", "/detail")
        for value in ('"x"', '"y"')
    }

    assert len(made) == 8


def test_a_record_id_that_repeats_what_was_sent_is_found() -> None:
    sent: dict[str, object] = {"email": "Ada@example.com", "seats": 17, "tier": "pro"}

    assert repeats("contacts/ada%40example.com", sent)
    assert repeats("ADA@EXAMPLE.COM", sent)
    assert not repeats("pro-17", sent)  # too short to tell of anybody


def test_what_looks_like_somebody_is_telling() -> None:
    assert all(map(is_telling, ("ada@x", "Ada Lovelace", "+4917012345")))
    assert not any(map(is_telling, ("enterprise", "tier", "a b", "")))

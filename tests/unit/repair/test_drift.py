"""The drift diagnosis names what a sender changed, says what speaks for it, and never guesses."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.drift.compare import Broken, diagnose_drift
from orchestrator.domain.drift.finding import Finding

TIERS = ("enterprise", "pro", "starter")
CONTRACT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["email", "tier", "address"],
    "properties": {
        "email": {"type": "string"},
        "tier": {"enum": list(TIERS)},
        "address": {
            "type": "object",
            "additionalProperties": False,
            "required": ["city", "zip"],
            "properties": {"city": {"type": "string"}, "zip": {"type": "string"}},
        },
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["sku", "count"],
                "properties": {"sku": {"type": "string"}, "count": {"type": "integer"}},
            },
        },
        "note": {"type": "string"},
    },
}


def lead(number: int, **fields: Any) -> dict[str, Any]:
    """A lead of the form as it was; a field that is None is left out."""
    whole = {
        "email": f"lead-{number}@example.com",
        "tier": TIERS[number % 3],
        "address": {"city": ("Leeds", "Porto", "Graz")[number % 3], "zip": f"{10_000 + number}"},
        "items": [{"sku": f"A-{number}", "count": number}, {"sku": f"B-{number}", "count": 1}],
        **fields,
    }
    return {name: value for name, value in whole.items() if value is not None}


ACCEPTED = [lead(number) for number in range(30)]


def diagnosed(broken: list[Any], accepted: list[Any] = ACCEPTED) -> list[Finding]:
    payloads = [Broken(payload=one, since=1_000 + at) for at, one in enumerate(broken)]
    return list(diagnose_drift(accepted, payloads, CONTRACT))


def told(broken: list[Any], accepted: list[Any] = ACCEPTED) -> list[str]:
    return [one.told() for one in diagnosed(broken, accepted)]


def test_a_renamed_field_is_named_with_its_evidence() -> None:
    (finding,) = diagnosed([lead(n, tier=None, customer_tier=TIERS[n % 3]) for n in range(20)])

    assert finding.told() == "renamed: tier → customer_tier, in 20 of 20 events"
    assert "`tier` was in 30 of 30 accepted events" in finding.evidence
    assert any("100% of its values were there" in one for one in finding.evidence)


def test_values_say_more_than_names() -> None:
    broken = [lead(n, tier=None, tier_text="please call", plan=TIERS[n % 3]) for n in range(20)]

    assert told(broken) == [
        "renamed: tier → plan, in 20 of 20 events",
        "added: tier_text, in 20 of 20 events",
    ]


def test_a_format_says_what_a_field_is_where_every_value_is_new() -> None:
    broken = [lead(n, email=None, contact=f"new-{n}@example.org") for n in range(20)]

    assert told(broken) == ["renamed: email → contact, in 20 of 20 events"]


def test_before_anything_was_accepted_the_contract_is_enough() -> None:
    broken = [lead(n, tier=None, plan=TIERS[n % 3]) for n in range(5)]

    assert told(broken, accepted=[]) == ["renamed: tier → plan, in 5 of 5 events"]


def test_two_that_come_near_are_unclear_and_none_is_chosen() -> None:
    broken = [lead(n, tier=None, plan=TIERS[n % 3], level=TIERS[n % 3]) for n in range(20)]

    (finding,) = diagnosed(broken)

    assert (finding.kind, finding.path, finding.to) == ("unclear", "tier", None)
    assert sum("it may be" in one for one in finding.evidence) == 2


def test_what_is_new_beside_what_is_gone_is_not_taken_for_it() -> None:
    broken = [lead(n, tier=None, visits=n + 40) for n in range(20)]

    assert told(broken) == [
        "removed: tier, in 20 of 20 events",
        "added: visits, in 20 of 20 events",
    ]


def test_a_field_that_stands_elsewhere_was_moved() -> None:
    broken = [lead(n, tier=None, customer={"tier": TIERS[n % 3]}) for n in range(20)]

    assert told(broken) == ["moved: tier → customer.tier, in 20 of 20 events"]


def test_fields_of_an_object_that_is_gone_are_found_one_by_one() -> None:
    broken = [
        lead(n, address=None, city=("Leeds", "Porto")[n % 2], zip=10_000 + n) for n in range(20)
    ]

    assert sorted(told(broken)) == [
        "moved: address.city → city, in 20 of 20 events",
        "moved: address.zip → zip, in 20 of 20 events",
        "retyped: zip, in 20 of 20 events",
    ]


def test_a_renamed_object_is_one_finding() -> None:
    broken = [lead(n, address=None, place=lead(n)["address"]) for n in range(20)]

    assert told(broken) == ["renamed: address → place, in 20 of 20 events"]


def test_a_change_in_a_renamed_object_is_said_where_it_stands_now() -> None:
    broken = [lead(n, address=None, place={"city": "Leeds", "zip": n}) for n in range(20)]

    assert told(broken) == [
        "renamed: address → place, in 20 of 20 events",
        "retyped: place.zip, in 20 of 20 events",
    ]


def test_items_of_an_array_are_one_place() -> None:
    broken = [lead(n, items=[{"article": f"A-{n}", "count": n}]) for n in range(20)]

    assert told(broken) == ["renamed: items.*.sku → items.*.article, in 20 of 20 events"]


def test_a_field_that_some_items_lack_is_partly_there() -> None:
    broken = [lead(n, items=[{"sku": "A"}, {"sku": "B", "count": 1}]) for n in range(20)]

    assert told(broken) == ["partial: items.*.count, in 20 of 20 events"]


def test_a_field_that_some_events_lack_is_partly_there() -> None:
    broken = [lead(n, tier="gold") if n % 2 else lead(n, tier=None) for n in range(20)]

    assert told(broken) == [
        "partial: tier, in 10 of 20 events",
        "new value: tier, in 10 of 20 events",
    ]


def test_senders_that_changed_it_differently_are_told_apart() -> None:
    broken = [
        lead(n, tier=None, **{("plan", "level")[n % 2]: TIERS[n % 3]}) for n in range(20)
    ]  # fmt: skip

    assert told(broken) == [
        "renamed: tier → level, in 10 of 20 events",
        "renamed: tier → plan, in 10 of 20 events",
    ]


@pytest.mark.parametrize("value", [7, True, ["pro"], {"name": "pro"}])
def test_another_type_is_retyped_whatever_it_holds(value: object) -> None:
    assert told([lead(n, tier=value) for n in range(3)]) == ["retyped: tier, in 3 of 3 events"]


def test_a_new_value_is_shown_and_one_that_is_only_written_otherwise_is_said_so() -> None:
    (finding,) = diagnosed([lead(n, tier=("gold", "PRO")[n % 2]) for n in range(20)])

    assert finding.told() == "new value: tier, in 20 of 20 events"
    assert "`gold` is new, in 10 events" in finding.evidence
    assert "`PRO` is new, in 10 events; it is `pro` otherwise written" in finding.evidence


def test_no_value_of_a_person_is_shown() -> None:
    broken = [lead(n, email=None, mail=f"ann-{n}@example.com", tier="ann@x.org") for n in range(3)]

    evidence = " ".join(one for finding in diagnosed(broken) for one in finding.evidence)

    assert "ann" not in evidence
    assert "xxx-9@xxxxxxx.xxx" in evidence


def test_a_format_that_the_contract_refuses_is_retyped() -> None:
    wrong = Violation(path="/address/zip", kind="pattern", message="")
    payload = lead(1, address={"city": "Leeds", "zip": "LS1 4AP"})

    (finding,) = diagnose_drift(
        ACCEPTED, [Broken(payload=payload, violations=(wrong,))], CONTRACT
    )  # fmt: skip

    assert finding.told() == "retyped: address.zip, in 1 of 1 event"
    assert finding.evidence[-1] == "before `99999`, now `xx9 9xx`"


def test_what_no_comparison_explains_is_unclear_at_the_place_that_broke() -> None:
    wrong = Violation(path="/items", kind="minItems", message="")

    (finding,) = diagnose_drift(
        ACCEPTED, [Broken(payload=lead(1), violations=(wrong,))], CONTRACT
    )  # fmt: skip

    assert finding.told() == "unclear: items, in 1 of 1 event"


def test_it_says_since_when() -> None:
    broken = [lead(0, tier="gold"), lead(1, tier=None), lead(2, tier=None)]

    assert {one.kind: one.since for one in diagnosed(broken)} == {
        "new_value": 1_000,
        "partial": 1_001,
    }


def test_an_optional_field_that_accepted_leads_had_now_and_then_is_nobodys_loss() -> None:
    accepted = [lead(n, note="hello" if n % 4 == 0 else None) for n in range(30)]

    assert told([lead(n, tier="gold") for n in range(20)], accepted) == [
        "new value: tier, in 20 of 20 events"
    ]


def test_three_leads_with_an_optional_field_do_not_make_it_a_rule() -> None:
    accepted = [lead(n, note="hello") for n in range(3)]

    assert told([lead(n, tier="gold") for n in range(3)], accepted) == [
        "new value: tier, in 3 of 3 events"
    ]


def test_few_objects_in_many_leads_do_not_make_a_rule_either() -> None:
    contract: dict[str, Any] = {"required": ["id"], "properties": {"changes": {"type": "object"}}}
    accepted = [{"id": n, **({"changes": {"title": "x"}} if n < 3 else {})} for n in range(30)]
    broken = [{"changes": {"body": "x"}}, *({} for _ in range(20))]

    found = diagnose_drift(accepted, [Broken(payload=one) for one in broken], contract)

    assert [one.told() for one in found] == ["removed: id, in 21 of 21 events"]


def test_a_new_field_beside_the_old_one_has_not_taken_its_place() -> None:
    broken = [lead(n, tier=TIERS[n % 3] if n % 4 else None, plan=TIERS[n % 3]) for n in range(20)]

    assert told(broken) == [
        "added: plan, in 20 of 20 events",
        "partial: tier, in 5 of 20 events",
    ]


def test_what_only_one_alternative_asks_for_is_missing_there_alone() -> None:
    alternatives = [
        {"properties": {"action": {"const": name}, field: True}, "required": ["action", field]}
        for name, field in (("opened", "by"), ("closed", "reason"))
    ]
    broken = [{"action": "opened", "by": "ann"}, {"action": "closed"}]

    found = diagnose_drift([], [Broken(payload=one) for one in broken], {"oneOf": alternatives})

    assert [one.told() for one in found] == ["removed: reason, in 1 of 2 events"]


def test_each_alternative_of_a_contract_has_its_own_fields() -> None:
    opened = {"properties": {"action": {"const": "opened"}, "by": {"type": "string"}},
              "required": ["action", "by"], "additionalProperties": False}  # fmt: skip
    closed = {"properties": {"action": {"const": "closed"}, "reason": {"type": "string"}},
              "required": ["action", "reason"], "additionalProperties": False}  # fmt: skip
    accepted = [{"action": "opened", "by": f"ann-{n}"} for n in range(9)]
    accepted += [{"action": "closed", "reason": "done"} for _ in range(9)]
    broken = [{"action": "opened", "by": "ann"}, {"action": "closed", "why": "done"}]

    found = diagnose_drift(
        accepted, [Broken(payload=one) for one in broken], {"oneOf": [opened, closed]}
    )

    assert [one.told() for one in found] == ["renamed: reason → why, in 1 of 2 events"]


@pytest.mark.parametrize("payload", [None, 7, "text", [1, 2], {}])
def test_whatever_comes_is_diagnosed_without_a_fault(payload: object) -> None:
    found = diagnosed([payload])

    assert found
    assert all(one.events == 1 for one in found)


def test_a_form_that_is_wholly_another_is_matched_where_values_say_which_field_is_which() -> None:
    old = {f"field_{n}": f"{n:020x}" for n in range(150)}
    new = {f"other_{n}": f"{n if n < 75 else n + 500:020x}" for n in range(150)}
    contract = {"type": "object", "additionalProperties": False, "required": list(old),
                "properties": dict.fromkeys(old, True)}  # fmt: skip

    found = diagnose_drift([old] * 3, [Broken(payload=new)], contract)

    assert {(one.path, one.to) for one in found if one.kind == "renamed"} == {
        (f"field_{n}", f"other_{n}") for n in range(75)
    }
    assert {one.path for one in found if one.kind == "removed"} == {
        f"field_{n}" for n in range(75, 150)
    }
    assert {one.path for one in found if one.kind == "added"} == {
        f"other_{n}" for n in range(75, 150)
    }


def test_three_changes_at_once_are_three_findings() -> None:
    broken = [
        lead(n, email=None, mail=f"a-{n}@x.org", tier="gold", address={"city": 7, "zip": "1"})
        for n in range(20)
    ]

    assert told(broken) == [
        "renamed: email → mail, in 20 of 20 events",
        "retyped: address.city, in 20 of 20 events",
        "new value: tier, in 20 of 20 events",
    ]


@pytest.mark.parametrize(
    ("path", "keyword", "fields"),
    [
        ("", "required", {"tier": None}),
        ("/tier", "type", {"tier": 7}),
        ("/tier", "enum", {"tier": "gold"}),
    ],
)
def test_what_accepted_leads_had_too_is_a_new_contract_and_not_a_new_form(
    path: str, keyword: str, fields: dict[str, Any]
) -> None:
    accepted = [lead(n, **fields) for n in range(20)]
    wrong = Violation(path=path, kind=keyword, message="")

    (finding,) = diagnose_drift(
        accepted, [Broken(payload=lead(3, **fields), violations=(wrong,))], CONTRACT
    )  # fmt: skip

    assert (finding.kind, finding.path) == ("unclear", path.removeprefix("/"))

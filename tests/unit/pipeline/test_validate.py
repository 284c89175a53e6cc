from __future__ import annotations

from orchestrator.domain.contracts.contract import MOST_VIOLATIONS
from orchestrator.domain.delivery.verdicts import Amended, Rejected, Valid
from orchestrator.domain.reasons import Reason
from orchestrator.pipeline.validate import validate, validate_or_amend
from tests.unit.example import compiled


def test_a_lead_that_keeps_the_contract_is_valid() -> None:
    assert validate({"email": "ann@example.com", "tier": "pro"}, compiled()) == Valid()


def test_a_renamed_field_stops_the_lead_and_is_named() -> None:
    verdict = validate({"email": "ann@example.com", "customer_tier": "pro"}, compiled())

    assert isinstance(verdict, Rejected)
    assert verdict.reason is Reason.CONTRACT_VIOLATION
    assert verdict.detail == '"tier" is a required property (and 1 more)'
    hints = [one.hint for one in verdict.violations if one.hint]
    assert hints == ["`customer_tier` looks like the missing `tier`"]


def test_the_sentence_names_the_first_violation_with_its_place() -> None:
    verdict = validate({"email": "ann@example.com", "tier": "pro", "seats": "3"}, compiled())

    assert isinstance(verdict, Rejected)
    assert verdict.detail == '/seats: "3" is not of type "number"'


def test_what_is_no_object_is_told_so() -> None:
    verdict = validate([], compiled())

    assert isinstance(verdict, Rejected)
    assert [(one.path, one.kind) for one in verdict.violations] == [("", "type")]


def test_violations_past_those_that_are_kept_are_owned_up_to() -> None:
    contract = {"type": "array", "items": {"type": "string"}}
    facts = {"email": '"x"', "tier": '"pro"', "message": '"x"'}

    verdict = validate([1] * 2 * MOST_VIOLATIONS, compiled(contract=contract, facts=facts))

    assert isinstance(verdict, Rejected)
    assert verdict.detail == '/0: 1 is not of type "string" (and at least 999 more)'


RENAMED = ({"rename": "customer_tier", "to": "tier"}, {"map": "tier", "values": {"Pro": "pro"}})


def test_a_standing_amendment_mends_what_breaks_the_contract_and_says_by_which_steps() -> None:
    payload = {"email": "ann@example.com", "customer_tier": "pro"}

    verdict = validate_or_amend(payload, compiled(amend=RENAMED))

    assert verdict == Amended(payload={"email": "ann@example.com", "tier": "pro"}, steps=(0,))
    assert "customer_tier" in payload


def test_a_valid_payload_is_not_amended_though_a_step_would_find_something() -> None:
    payload = {"email": "ann@example.com", "tier": "pro"}
    workflow = compiled(amend=({"map": "tier", "values": {"pro": "enterprise"}},))

    assert validate_or_amend(payload, workflow) == Valid()


def test_what_an_amendment_does_not_heal_is_rejected_as_it_came() -> None:
    gold = {"email": "ann@example.com", "customer_tier": "Gold"}

    for payload in (gold, {"email": 5}):
        verdict = validate_or_amend(payload, compiled(amend=RENAMED))
        assert verdict == validate(payload, compiled())


def test_a_step_that_does_not_fit_is_told_with_what_breaks_the_contract() -> None:
    both = {"email": "ann@example.com", "customer_tier": "pro", "tier": "Gold"}

    verdict = validate_or_amend(both, compiled(amend=RENAMED))
    came = validate(both, compiled())

    assert isinstance(verdict, Rejected)
    assert isinstance(came, Rejected)
    assert verdict.violations == came.violations
    assert verdict.detail == (f"{came.detail}; `amend` does not fit: tier: it is there already")

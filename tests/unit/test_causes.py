"""What differs from payload to payload is no part of a cause; what the sender changed is."""

from __future__ import annotations

import pytest

from orchestrator.domain.causes import cause_of, held_cause
from orchestrator.domain.contract import Contract, compile_contract
from orchestrator.domain.errors import IllegalMove
from orchestrator.domain.incidents import (
    IncidentKind,
    IncidentMove,
    IncidentState,
    incident_target,
)
from orchestrator.domain.lifecycle import Stage
from orchestrator.domain.reasons import Reason

SCHEMA: dict[str, object] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["tier", "email"],
    "properties": {
        "tier": {"enum": ["enterprise", "pro"]},
        "email": {"type": "string"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "$defs": {"line": {"type": "object", "properties": {"count": {"type": "integer"}}}},
}
GOOD = {"tier": "pro", "email": "a@example.com"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    compiled = compile_contract(SCHEMA, "assert", [])
    assert compiled
    return compiled


def key(contract: Contract, payload: object) -> str:
    violations = contract.violations(payload)
    assert violations
    return cause_of(Reason.CONTRACT_VIOLATION, Stage.VALIDATE, violations=violations).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({**GOOD, "tier": "gold"}, {**GOOD, "tier": "silver"}),
        ({**GOOD, "utm": "x"}, {**GOOD, "ref": 1}),
        (
            {**GOOD, "lines": [{"count": "1"}]},
            {**GOOD, "lines": [{}, {"count": "2"}, {"count": ""}]},
        ),
        ({**GOOD, "labels": {"k1": 1}}, {**GOOD, "labels": {"4711": 2, "other": 3}}),
        ({"email": "a", "plan": "pro"}, {"email": "b", "plan": "enterprise"}),
    ],
    ids=["values", "undeclared names", "places in an array", "names made up", "one renamed field"],
)
def test_these_are_one_cause(contract: Contract, one: object, other: object) -> None:
    assert key(contract, one) == key(contract, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"email": "a"}, {"tier": "pro"}),
        ({**GOOD, "tier": "gold"}, {**GOOD, "email": 1}),
        ({**GOOD, "lines": 1}, {**GOOD, "labels": 1}),
    ],
    ids=["other fields missing", "other keywords", "other places"],
)
def test_these_are_two_causes(contract: Contract, one: object, other: object) -> None:
    assert key(contract, one) != key(contract, other)


def test_a_cause_is_the_same_in_every_process_and_at_every_stage_its_own() -> None:
    same = cause_of("no_route", "route")

    assert cause_of(Reason.NO_ROUTE, Stage.ROUTE) == same
    assert len(same.key) == 64
    assert cause_of("no_route", "dispatch").key != same.key
    assert cause_of("destination_refused", "dispatch", destination="crm").key != (
        cause_of("destination_refused", "dispatch", destination="desk").key
    )


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_on_somebodys_side(reason: Reason) -> None:
    sender = {"contract_violation", "missing_fact", "no_route", "rule_error"}
    ours = {"start_limit", "connector_missing", "poison_message"}

    kind = cause_of(reason, Stage.DISPATCH).kind

    assert (kind is IncidentKind.CONTRACT) == (reason in sender)
    assert (kind is IncidentKind.PLATFORM) == (reason in ours)


def test_retries_that_ran_out_before_any_call_are_ours() -> None:
    assert cause_of(Reason.RETRIES_EXHAUSTED, Stage.ROUTE).kind is IncidentKind.PLATFORM
    assert cause_of(Reason.RETRIES_EXHAUSTED, Stage.DISPATCH).kind is IncidentKind.DESTINATION


def test_a_title_names_fields_and_never_values(contract: Contract) -> None:
    payload = {"email": 17, "lines": [{"count": "secret"}], "plan": "secret"}
    violations = contract.violations(payload)

    cause = cause_of(Reason.CONTRACT_VIOLATION, Stage.VALIDATE, violations=violations)

    assert cause.title == (
        "undeclared fields, `email` breaks type, `lines.*.count` breaks type, `tier` is missing"
    )
    assert held_cause("crm").title == "crm: deliveries are held back"


def test_an_incident_moves_as_its_table_says() -> None:
    assert incident_target(IncidentMove.ACKNOWLEDGE, IncidentState.OPEN) == "acknowledged"
    assert incident_target(IncidentMove.REOPEN, IncidentState.RESOLVED) == "open"
    with pytest.raises(IllegalMove, match=r"that is resolved cannot be assigned; it opens when"):
        incident_target(IncidentMove.ASSIGN, IncidentState.RESOLVED)

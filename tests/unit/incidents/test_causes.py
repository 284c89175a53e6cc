"""What differs from payload to payload is not part of a cause; what the sender changed is."""

from __future__ import annotations

import pytest

from orchestrator.domain.contracts.contract import Contract, compile_contract
from orchestrator.domain.contracts.places import Places
from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.errors import IllegalMove
from orchestrator.domain.incidents.causes import cause_of, held_cause
from orchestrator.domain.incidents.incident import (
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
    sender = {"contract_violation", "contract_limit", "missing_fact", "no_route", "rule_error"}
    sender |= {"duplicate_item", "no_workflow", "conflicting_duplicate"}
    ours = {"start_limit", "connector_missing", "poison_message"}
    ours |= {"approval_refused", "approval_late"}

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


MAPS: dict[str, object] = {
    "type": "object",
    "properties": {
        "people": {"$ref": "#/$defs/people"},
        "tree": {"$ref": "#/$defs/tree"},
        "named": {"propertyNames": {"pattern": "^[a-z]+$"}},
        "closed": {"properties": {"a": {"type": "string"}}, "unevaluatedProperties": False},
        "counted": {"unevaluatedProperties": {"type": "integer"}},
        "patterned": {"patternProperties": {"^x": {"$ref": "#/$defs/line"}}},
        "either": {"oneOf": [{"$ref": "#/$defs/people"}, {"type": "integer"}]},
        "every": {"allOf": [{"$ref": "#/$defs/people"}]},
        "if": {"if": {"required": ["k"]}, "then": {"additionalProperties": {"type": "integer"}}},
        "anchored": {"$ref": "#many"},
        "dynamic": {"$dynamicRef": "#many"},
        "pairs": {"prefixItems": [{"$ref": "#/$defs/people"}], "items": {"type": "integer"}},
        "card": {"dependentRequired": {"card": ["address"]}, "minProperties": 1},
    },
    "$defs": {
        "line": {
            "type": "object",
            "required": ["count"],
            "properties": {"count": {"type": "integer"}},
        },
        "people": {"type": "object", "additionalProperties": {"$ref": "#/$defs/line"}},
        "tree": {
            "additionalProperties": {"$ref": "#/$defs/tree"},
            "properties": {"count": {"type": "integer"}},
        },
        "many": {
            "$anchor": "many",
            "$dynamicAnchor": "many",
            "additionalProperties": {"$ref": "#/$defs/line"},
        },
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("payload", "title"),
    [
        ({"people": {"KEY": {"count": "s"}}}, "`people.*.count` breaks type"),
        ({"people": {"KEY": {}}}, "`people.*.count` is missing"),
        ({"people": {"KEY": 1}}, "`people.*` breaks type"),
        ({"tree": {"KEY": {"KEY": {"count": "s"}}}}, "`tree.*.*.count` breaks type"),
        ({"named": {"KEY": 1}}, "`named` breaks propertyNames"),
        ({"closed": {"KEY": 1, "a": 1}}, "undeclared fields in `closed`, `closed.a` breaks type"),
        ({"counted": {"KEY": "s"}}, "undeclared fields in `counted`"),
        ({"patterned": {"xKEY": {"count": "s"}}}, "`patterned.*.count` breaks type"),
        ({"either": {"KEY": {"count": "s"}}}, "`either` breaks oneOf"),
        ({"every": {"KEY": {"count": "s"}}}, "`every.*.count` breaks type"),
        ({"if": {"k": 1, "KEY": "s"}}, "`if.*` breaks type"),
        ({"anchored": {"KEY": {"count": "s"}}}, "`anchored.*.count` breaks type"),
        ({"dynamic": {"KEY": {"count": "s"}}}, "`dynamic.*.count` breaks type"),
        ({"pairs": [{"KEY": {"count": "s"}}]}, "`pairs.*.*.count` breaks type"),
        ({"card": {"card": "KEY"}}, "`card` breaks dependentRequired"),
    ],
)  # fmt: skip
def test_a_name_that_a_sender_makes_up_is_in_no_title_and_makes_no_cause_of_its_own(
    payload: dict[str, object], title: str
) -> None:
    contract = compile_contract(MAPS, "assert", [])
    assert contract
    titles, keys = set(), set()
    for made_up in ("ada@example.com", "4711", "count/x~y", "a.b"):
        violations = contract.violations(_with_key(payload, made_up))
        assert violations
        cause = cause_of(Reason.CONTRACT_VIOLATION, Stage.VALIDATE, violations=violations)
        titles.add(cause.title)
        keys.add(cause.key)

    assert titles == {title}
    assert len(keys) == 1


def _with_key(value: object, made_up: str) -> object:
    if isinstance(value, dict):
        return {
            name.replace("KEY", made_up): _with_key(inner, made_up) for name, inner in value.items()
        }
    return [_with_key(one, made_up) for one in value] if isinstance(value, list) else value


def test_a_violation_that_was_kept_without_its_place_names_nothing() -> None:
    old = Violation(
        path="/people/ada@example.com/count", kind="type", schema_path="/$defs/x", message=""
    )

    cause = cause_of(Reason.CONTRACT_VIOLATION, Stage.VALIDATE, violations=[old])

    assert cause.title == "`*.*.*` breaks type"


def test_a_contract_of_many_alternatives_is_walked_in_no_time() -> None:
    nested: dict[str, object] = {"type": "object", "additionalProperties": {"$ref": "#/$defs/d0"}}
    defs = {
        f"d{number}": {
            "anyOf": [{"$ref": f"#/$defs/d{(number + step) % 60}"} for step in (1, 2, 3)],
            "properties": {f"p{number}": {"$ref": f"#/$defs/d{(number + 7) % 60}"}},
            "additionalProperties": {"$ref": f"#/$defs/d{(number + 5) % 60}"},
        }
        for number in range(60)
    }
    places = Places({**nested, "$defs": defs})
    path = ["x", *(f"p{number % 60}" for number in range(60))]

    assert places.masked(path)[0] == "*"
    assert places.masked(path)[1:] == tuple(path[1:])
    assert len(places._next) < 200


def test_an_incident_moves_as_its_table_says() -> None:
    assert incident_target(IncidentMove.ACKNOWLEDGE, IncidentState.OPEN) == "acknowledged"
    assert incident_target(IncidentMove.REOPEN, IncidentState.RESOLVED) == "open"
    with pytest.raises(IllegalMove, match=r"that is resolved cannot be assigned; it opens when"):
        incident_target(IncidentMove.ASSIGN, IncidentState.RESOLVED)

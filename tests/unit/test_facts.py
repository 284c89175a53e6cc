"""Facts: what may be one, and what it is for a payload."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import Fault
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.facts import Facts, compile_facts
from orchestrator.domain.workflows.workflow import Fact

CONTRACT: dict[str, Any] = {
    "type": "object",
    "required": ["email", "customer", "tags", "amount"],
    "properties": {
        "email": {"type": "string"},
        "amount": {"type": "number"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "first-name": {"type": "string"},
        "note": {"type": ["string", "null"]},
        "customer": {
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "string"}, "vip": {"type": "boolean"}},
        },
        "account": {"type": ["object", "null"], "required": ["id"], "properties": {"id": {}}},
    },
}
PAYLOAD: dict[str, Any] = {
    "email": "ann@example.com",
    "amount": 3,
    "tags": ["new", "eu"],
    "customer": {"id": "c-1"},
    "undeclared": 1,
}


def compile_(**facts: str | dict[str, Any]) -> tuple[Facts, list[Fault]]:
    faults: list[Fault] = []
    made = {
        name: Fact(value=fact) if isinstance(fact, str) else Fact(**fact)
        for name, fact in facts.items()
    }
    return compile_facts(made, CONTRACT, faults), faults


def read(payload: object, **facts: str | dict[str, Any]) -> dict[str, object] | Rejected:
    compiled, faults = compile_(**facts)
    assert faults == []
    return compiled.read(payload)


def optional(value: str) -> dict[str, Any]:
    return {"value": value, "optional": True}


def test_facts_are_read_from_the_payload() -> None:
    found = read(
        PAYLOAD,
        email="data.email",
        customer="data.customer.id",
        first="data.tags[0]",
        domain='data.email.endsWith("example.com")',
        label='data.customer.id + "/" + data.email',
        many="size(data.tags) > 1",
        source='"web"',
        whole="data.customer",
    )

    assert found == {
        "email": "ann@example.com",
        "customer": "c-1",
        "first": "new",
        "domain": True,
        "label": "c-1/ann@example.com",
        "many": True,
        "source": "web",
        "whole": {"id": "c-1"},
    }


def test_the_whole_payload_can_be_a_fact() -> None:
    assert read(PAYLOAD, record="data") == {"record": PAYLOAD}


def test_a_name_that_cel_cannot_write_with_a_dot_is_read_with_brackets() -> None:
    payload = {**PAYLOAD, "first-name": "Ann"}

    found = read(
        payload,
        first=optional('data["first-name"]'),
        greeting=optional('"Hi " + string(data["first-name"])'),
    )

    assert found == {"first": "Ann", "greeting": "Hi Ann"}


def test_an_optional_fact_that_is_absent_is_left_out() -> None:
    found = read(
        PAYLOAD,
        vip=optional("data.customer.vip"),
        greeting=optional('"Hi " + string(data["first-name"])'),
        email="data.email",
    )

    assert found == {"email": "ann@example.com"}


def test_a_null_that_the_contract_allows_is_a_value() -> None:
    assert read({**PAYLOAD, "note": None}, note=optional("data.note")) == {"note": None}


def test_a_path_that_leads_on_from_a_null_is_absent() -> None:
    assert read({**PAYLOAD, "account": None}, account=optional("data.account.id")) == {}


def test_a_fact_that_must_be_there_and_is_not_is_a_missing_fact() -> None:
    found = read({"customer": {}}, customer="data.customer.id")

    assert isinstance(found, Rejected)
    assert found.reason is Reason.MISSING_FACT
    assert "`customer`" in found.detail


def test_an_expression_that_fails_on_a_payload_is_a_rule_error_with_the_advice_that_helps() -> None:
    found = read(PAYLOAD, net="data.amount / 1.2")

    assert isinstance(found, Rejected)
    assert found.reason is Reason.RULE_ERROR
    assert "`net` (data.amount / 1.2)" in found.detail
    assert "write double(...)" in found.detail
    assert read({**PAYLOAD, "amount": 3.0}, net="data.amount / 1.2") == {"net": 2.5}


def test_a_loop_that_takes_too_many_steps_is_a_rule_error_and_not_a_stuck_worker() -> None:
    payload = {**PAYLOAD, "tags": ["x"] * 1000}

    found = read(payload, doubled="data.tags.all(a, data.tags.all(b, a == b))")

    assert isinstance(found, Rejected)
    assert found.reason is Reason.RULE_ERROR
    assert "budget" in found.detail


@pytest.mark.parametrize(
    ("value", "problem", "fix"),
    [
        ("data.emial", "does not declare `data.emial`", "write `data.email`"),
        ("data.customer.idd", "does not declare", "write `data.customer.id`"),
        ('data["emial"]', 'does not declare `data["emial"]`', "write `data.email`"),
        ("data.undeclared", "does not declare", "data.email"),
        ("data.email.x", "does not declare", "declares no property"),
        ("data.note", "does not require `data.note`", "{value: data.note, optional: true}"),
        ("data.account.id", "does not require", "optional: true"),
        ('"x" + data.note', "does not require", "{value: '\"x\" + data.note', optional: true}"),
        ("has(data.note)", "does not require", "optional: true"),
        ("data.email + 1", "no matching overload", "one type"),
        ("data.email ==", "Syntax error", "CEL expression"),
        ("email", "undeclared reference to 'email'", ""),
        ("lower(data.email)", "undeclared reference to 'lower'", "function"),
        ('timestamp("2026-01-01T00:00:00Z")', "TIMESTAMP", "string(...)"),
        ("x" * 2001, "2001 characters", "2000"),
        (" ", "empty", "CEL"),
    ],
)
def test_a_fact_that_cannot_be_one_is_refused_with_what_to_write(
    value: str, problem: str, fix: str
) -> None:
    _, faults = compile_(wrong=value)

    assert [fault.path for fault in faults] == ["facts.wrong"] * len(faults)
    assert problem in faults[0].problem
    assert fix in faults[0].fix


def test_has_is_refused_for_it_would_answer_with_the_value() -> None:
    (fault,) = compile_(wrong="has(data.email)")[1]

    assert "`has` does not work" in fault.problem
    assert "optional: true" in fault.fix


def test_a_fact_that_cannot_be_read_at_all_does_not_keep_the_others_from_being_checked() -> None:
    faults: list[Fault] = []

    facts = compile_facts({"a": None, "b": Fact(value="data.emial")}, CONTRACT, faults)

    assert [fault.path for fault in faults] == ["facts.b"]
    assert facts.unsure == {"a", "b"}
    assert set(facts.types) == {"a", "b"}

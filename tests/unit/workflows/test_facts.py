"""Facts: what may be one, and what it is for a payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import Fault
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.compile_facts import compile_facts
from orchestrator.domain.workflows.facts import Facts
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
        ("data.email + 1", "`+` does not take text and a whole number", "one type"),
        ("data.email ==", "it ends after `==`", "the rest of it"),
        ("email", "undeclared reference to 'email'", ""),
        ("lower(data.email)", "no function `lower`", "lowerAscii"),
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


ANSWERS: dict[str, Any] = {
    "type": "object",
    "required": ["answers", "name"],
    "properties": {
        "name": {"type": "string"},
        "nick": {"type": "string"},
        "answers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["ref"],
                "properties": {
                    "ref": {"type": "string"},
                    "text": {"type": "string"},
                    "company": {"type": ["object", "null"], "properties": {"name": {}}},
                },
            },
        },
    },
}


def of_answers(
    *answers: dict[str, Any], facts: Mapping[str, str | dict[str, Any]]
) -> dict[str, object] | Rejected:
    compiled, faults = against_answers(facts)
    assert faults == []
    return compiled.read({"name": "Ann", "answers": list(answers)})


def against_answers(facts: Mapping[str, str | dict[str, Any]]) -> tuple[Facts, list[Fault]]:
    faults: list[Fault] = []
    made = {
        name: Fact(value=fact) if isinstance(fact, str) else Fact(**fact)
        for name, fact in facts.items()
    }
    return compile_facts(made, ANSWERS, faults), faults


PHONE = 'data.answers.filter(a, a.ref == "phone")[0]'


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (f"{PHONE}.text", []),
        (f"{PHONE}.text", [{"ref": "mail", "text": "x"}]),
        (f"{PHONE}.text", [{"ref": "phone"}]),
        (f"{PHONE}.company.name", [{"ref": "phone", "company": None}]),
        (f"{PHONE}.company.name", [{"ref": "phone", "company": {}}]),
        (f"{PHONE}.text.trim().lowerAscii()", [{"ref": "phone"}]),
        ("data.answers[3].ref", [{"ref": "a"}]),
        ("data.answers.map(a, a.text)", [{"ref": "a", "text": "x"}, {"ref": "b"}]),
        ('data.name.split(" ")[1]', []),
    ],
)
def test_an_optional_fact_is_absent_where_a_list_has_no_such_entry(
    text: str, answers: list[dict[str, Any]]
) -> None:
    assert of_answers(*answers, facts={"it": optional(text)}) == {}


@pytest.mark.parametrize(
    "text",
    ["int(data.name)", "1 / size(data.answers)", "timestamp(data.name) > timestamp(data.name)"],
)
def test_any_other_error_of_an_optional_fact_stays_one(text: str) -> None:
    found = of_answers(facts={"it": optional(text)})

    assert isinstance(found, Rejected)
    assert found.reason is Reason.RULE_ERROR


def test_a_fact_that_is_not_optional_is_an_error_where_a_list_has_no_such_entry() -> None:
    found = of_answers(facts={"it": "data.answers[0].ref"})

    assert isinstance(found, Rejected)
    assert found.reason is Reason.RULE_ERROR


def test_facts_use_facts_before_and_after_them() -> None:
    found = of_answers(
        {"ref": "phone", "text": " 030 1 "},
        facts={
            "greeting": '"Dear " + upper',
            "upper": "data.name.upperAscii()",
            "phone": optional(f"{PHONE}.text"),
            "number": optional('phone.replace(" ", "")'),
            "copy": "upper",
        },
    )

    assert found == {
        "greeting": "Dear ANN",
        "upper": "ANN",
        "phone": " 030 1 ",
        "number": "0301",
        "copy": "ANN",
    }


def test_an_optional_fact_is_absent_where_one_that_it_uses_is() -> None:
    facts = {"phone": optional(f"{PHONE}.text"), "number": optional('phone.replace(" ", "")')}

    assert of_answers(facts=facts) == {}


def test_a_fact_that_uses_an_optional_one_has_to_be_optional() -> None:
    _, faults = against_answers({"phone": optional(f"{PHONE}.text"), "number": "phone.trim()"})

    assert [(one.path, one.problem) for one in faults] == [
        ("facts.number", "it uses `phone`, which is optional and may be absent")
    ]
    assert faults[0].fix == "write {value: phone.trim(), optional: true}"


@pytest.mark.parametrize(
    ("facts", "circle"),
    [
        ({"a": "a + 1"}, "a -> a"),
        ({"a": "b", "b": "c", "c": "a"}, "a -> b -> c -> a"),
        ({"x": "a", "a": "b + x2", "b": "a", "x2": "1"}, "a -> b -> a"),
    ],
)
def test_a_circle_of_facts_is_named(facts: dict[str, Any], circle: str) -> None:
    _, faults = against_answers(facts)

    assert f"it would need itself: {circle}" in [one.problem for one in faults]
    assert len([one for one in faults if "itself" in one.problem]) == 1


def test_a_chain_of_two_hundred_facts_is_read() -> None:
    facts: dict[str, str | dict[str, Any]] = {f"f{n}": f"f{n + 1}" for n in range(199)}
    facts["f199"] = "data.name"

    found = of_answers(facts=facts)

    assert isinstance(found, dict)
    assert found["f0"] == "Ann"


def test_the_name_of_a_loops_item_is_no_fact() -> None:
    found = of_answers(
        {"ref": "phone"},
        facts={
            "a": 'data.answers.exists(a, a.ref == "phone")',
            "b": "data.answers.all(a, a.ref != '')",
        },
    )

    assert found == {"a": True, "b": True}


def test_facts_from_facts_know_the_types() -> None:
    _, faults = against_answers({"upper": "data.name.upperAscii()", "wrong": "upper > 5"})

    assert [one.path for one in faults] == ["facts.wrong"]

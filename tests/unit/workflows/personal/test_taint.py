"""What becomes of a mark in facts and in what is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.personal.places import NOT_PERSONAL
from orchestrator.domain.workflows.compiled import compile_workflow
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.domain.workflows.personal.taint import PersonalWorkflow
from orchestrator.domain.workflows.workflow import Workflow

CONTRACT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["email", "tier", "consent", "who", "lines", "seats"],
    "properties": {
        "email": {"type": "string", "x-pii": "email"},
        "tier": {"type": "string"},
        "seats": {"type": "integer"},
        "consent": {"type": "boolean", "x-pii": True},
        "who": {
            "type": "object",
            "additionalProperties": False,
            "required": ["name", "role"],
            "properties": {"name": {"type": "string", "x-pii": "name"}, "role": {"type": "string"}},
        },
        "lines": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["sku", "giver"],
                "properties": {
                    "sku": {"type": "string"},
                    "giver": {"type": "string", "x-pii": "name"},
                },
            },
        },
        "first-name": {"type": "string", "x-pii": True},
    },
}


def personal(
    facts: dict[str, object], destination: dict[str, object] | None = None
) -> PersonalWorkflow:
    """The workflow with these facts."""
    sending = destination or {"send": {"tier": "tier"}, "confirm": ["tier"]}
    document = {
        "workflow": "leads", "client": "acme", "title": "Leads", "trigger": {"type": "lead"},
        "owners": dict.fromkeys(
            ("owner", "recovery_lead", "approver", "backstop"), "ops@acme.example"
        ),
        "contract": CONTRACT, "facts": {"tier": "data.tier", **facts},
        "routes": [{"when": "true", "to": ["crm"]}],
        "destinations": {"crm": {"connector": "crm", "action": "make", **sending}},
        "sla": {"deliver_within": "15m", "recover_within": "72h"},
    }  # fmt: skip
    return PersonalWorkflow(compile_workflow(Workflow.from_definition(document)))


@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        ("data.email", "email"),
        ("data.consent", ""),
        ("data.email.lowerAscii()", "email"),
        ('"Dear " + data.who.name', "name"),
        ("size(data.email)", "email"),
        ('data.email.split("@")[1]', "email"),
        ("data.lines[0].giver", ""),
        ("data.lines.map(l, l.giver)", ""),
        ("data.lines.filter(l, l.sku == 'a')", ""),
        ("{'tier': data.tier, 'mail': data.email}", "email"),
        ("data.tier == 'pro' ? data.email : data.tier", "email"),
        ("[data.tier, data.email][0]", "email"),
        ("data . email + ''", "email"),
        ("data.email + '' // data.tier", "email"),
    ],
)
def test_a_fact_that_mentions_a_personal_place_is_personal(fact: str, kind: str) -> None:
    assert personal({"x": {"value": fact, "optional": True}}).facts["x"].kind == kind


@pytest.mark.parametrize(
    ("fact", "is_its_own"),
    [
        ("data.email", False),
        ("data.tier", False),
        ("data.seats", False),
        ("data.email.lowerAscii()", True),
        ("'Dear ' + data.who.name", True),
        ("data.who", True),
        ("data.consent", True),
    ],
)
def test_only_a_fact_that_makes_something_of_what_is_personal_has_texts_of_its_own(
    fact: str, is_its_own: bool
) -> None:
    assert personal({"x": fact}).has_facts_of_its_own is is_its_own


def test_the_whole_payload_is_personal_where_its_parts_are() -> None:
    one = personal({"all": "data"})

    assert one.places.holds_personal(one.facts["all"])
    assert not one.facts["all"].is_personal


@pytest.mark.parametrize(
    "fact",
    [
        "data.tier", "data.seats > 5", "data.who.role", "'data.email'", "size(data.tier)",
        "data.tier + 'email'", "data.tier // data.email",
    ],
)  # fmt: skip
def test_a_fact_that_mentions_none_is_not(fact: str) -> None:
    assert not personal({"x": fact}).facts["x"].is_personal


@pytest.mark.parametrize(
    "fact",
    [
        "data.email == 'ada@acme.example'", "data.email != data.tier", "size(data.email) > 30",
        "data.email.endsWith('@acme.example')", "data.email in ['a', 'b']",
        "data.email.matches('^a')",
    ],
)  # fmt: skip
def test_what_a_comparison_says_is_not_personal(fact: str) -> None:
    assert personal({"x": fact}).facts["x"] == NOT_PERSONAL


def test_a_fact_of_a_personal_fact_is_personal_however_far_away() -> None:
    facts = personal(
        {"d": "c + '!'", "c": "b", "b": "a.lowerAscii()", "a": "data.email", "e": "tier + 'x'"}
    ).facts

    assert [facts[name].kind for name in "abcd"] == ["email"] * 4
    assert not facts["e"].is_personal


def test_a_personal_truth_that_is_only_passed_on_stays_personal() -> None:
    facts = personal({"a": "data.consent", "b": "a", "c": "!a"}).facts

    assert facts["a"].is_personal and facts["b"].is_personal and facts["c"].is_personal


def test_an_object_with_a_personal_part_is_personal_there_only() -> None:
    one = personal({"who": "data.who"})
    spot = one.facts["who"]

    assert not spot.is_personal
    assert one.places.into(spot, "name").is_personal
    assert not one.places.into(spot, "role").is_personal


def test_what_is_sent_is_personal_by_its_facts_and_its_default() -> None:
    fields = {
        "plain": "tier", "mail": "email", "greeting": '"Dear " + who.name', "role": "who.role",
        "fixed": '"email"', "either": {"value": "first", "default": "email"},
        "named": {"value": "first", "default": '"-"'},
    }  # fmt: skip
    one = personal(
        {"email": "data.email", "who": "data.who",
         "first": {"value": 'data["first-name"]', "optional": True}},
        {"send": fields, "confirm": ["plain"]},
    )  # fmt: skip
    spots = one.destinations["crm"].fields

    found = {name: spot.kind for name, spot in spots.items()}
    assert found == {
        "plain": None, "mail": "email", "greeting": "name", "role": None, "fixed": None,
        "either": "", "named": "",
    }  # fmt: skip


def test_an_item_has_the_marks_of_its_list() -> None:
    one = personal(
        {},
        {"each": "data.lines", "as": "line", "key": "line.giver", "confirm": ["sku"],
         "send": {"sku": "line.sku", "to": "line.giver", "text": "'For ' + line.giver"}},
    )  # fmt: skip
    crm = one.destinations["crm"]

    assert crm.key.is_personal
    assert [crm.fields[name].is_personal for name in ("sku", "to", "text")] == [False, True, True]


def test_the_example_marks_what_it_says_of_a_lead() -> None:
    file = Path(__file__).parents[4] / "workflows" / "lead-routing.yaml"
    one = PersonalWorkflow(compile_workflow(parse_workflow(file.read_text(), name=file.name)))

    assert {name for name, spot in one.facts.items() if spot.is_personal} == {"email"}
    assert one.destinations["desk"].fields["title"].is_personal

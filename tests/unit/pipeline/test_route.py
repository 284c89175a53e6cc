"""Routes and what destinations are sent: nothing is guessed, and nothing true by error."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.errors import InvalidFile
from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.reasons import Reason
from orchestrator.pipeline.route import route
from tests.unit.example import compiled, routing_on

STRING, NUMBER, BOOLEAN = {"type": "string"}, {"type": "number"}, {"type": "boolean"}
LEAD = {"email": "ann@example.com", "tier": "enterprise"}


def rejected(verdict: Routed | Rejected) -> Rejected:
    assert isinstance(verdict, Rejected), verdict
    return verdict


def sent(verdict: Routed | Rejected) -> dict[str, object]:
    assert isinstance(verdict, Routed), verdict
    (delivery,) = verdict.deliveries
    return delivery.send


def test_the_first_route_that_holds_plans_its_deliveries() -> None:
    verdict = route({**LEAD, "message": "call me"}, compiled())

    assert verdict == Routed(
        route=0,
        deliveries=(
            PlannedDelivery(
                destination="crm",
                connector="crm",
                action="upsert_contact",
                send={"email": "ann@example.com", "tier": "enterprise", "note": "call me"},
                confirm=("email", "tier", "note"),
            ),
            PlannedDelivery(
                destination="senior-desk",
                connector="helpdesk",
                action="create_ticket",
                send={"title": "Onboard ann@example.com", "queue": "senior"},
                confirm=("title", "queue"),
            ),
        ),
    )


def test_an_absent_optional_fact_is_neither_sent_nor_confirmed() -> None:
    verdict = route({"email": "ann@example.com", "tier": "pro"}, compiled())

    assert isinstance(verdict, Routed)
    assert verdict.route == 1
    assert verdict.deliveries[0].send == {"email": "ann@example.com", "tier": "pro"}
    assert verdict.deliveries[0].confirm == ("email", "tier")


def test_no_route_is_a_quarantine_that_shows_what_the_routes_looked_at() -> None:
    verdict = rejected(route({**LEAD, "tier": "starter"}, compiled()))

    assert verdict.reason is Reason.NO_ROUTE
    assert verdict.detail == 'no route matches: `tier` is "starter"'


def test_a_route_that_needs_an_absent_fact_quarantines_and_does_not_fall_through() -> None:
    workflow = routing_on(
        {"maybe_seats": NUMBER},
        {"seats": {"value": "data.maybe_seats", "optional": True}},
        "seats > 50",
        "true",
    )

    verdict = rejected(route({}, workflow))

    assert verdict.reason is Reason.MISSING_FACT
    assert "`seats`" in verdict.detail
    assert "route 1 (seats > 50)" in verdict.detail
    assert isinstance(route({"maybe_seats": 5}, workflow), Routed)


def test_a_rule_that_holds_whatever_the_absent_fact_is_needs_it_not() -> None:
    workflow = routing_on(
        {"tier": STRING, "maybe_seats": NUMBER},
        {"tier": "data.tier", "seats": {"value": "data.maybe_seats", "optional": True}},
        'seats > 50 || tier == "enterprise"',
    )

    assert isinstance(route({"tier": "enterprise"}, workflow), Routed)
    assert rejected(route({"tier": "pro"}, workflow)).reason is Reason.MISSING_FACT


def test_a_rule_that_fails_on_a_payload_is_a_rule_error_and_never_taken_for_a_yes() -> None:
    workflow = routing_on({"seats": {}}, {"seats": "data.seats"}, "seats > 50", "true")

    verdict = rejected(route({"seats": "many"}, workflow))

    assert verdict.reason is Reason.RULE_ERROR
    assert "route 1 (seats > 50) cannot be computed" in verdict.detail


def test_decisions_are_remembered_by_value_and_type() -> None:
    workflow = routing_on({"x": {}}, {"x": "data.x"}, "x == true", "x == 1", 'x == "1"', "x == [1]")

    for _ in range(2):
        found = [route({"x": value}, workflow) for value in (True, 1, 1.0, "1", [1], None)]

        places = [one.route if isinstance(one, Routed) else one.reason for one in found]
        assert places == [0, 1, 1, 2, 3, Reason.NO_ROUTE]


def test_a_long_text_is_routed_like_a_short_one() -> None:
    workflow = routing_on({"x": STRING}, {"x": "data.x"}, 'x.startsWith("aa")', "true")

    texts = ("a" * 5000, "ab" + "a" * 5000)
    found = [route({"x": text}, workflow) for text in texts]

    assert [one.route for one in found if isinstance(one, Routed)] == [0, 1]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("text", "a"),
        ('"plain"', "plain"),
        (r"'tab\t'", "tab\t"),
        ('"<" + text + ">"', "<a>"),
        ('text + " " + string(number)', "a 3"),
        ("number", 3),
        ("5", 5),
        ("flag", True),
        ("null", None),
        ("things", [1, {"b": None}]),
        ('{"of": things, "n": number}', {"of": [1, {"b": None}], "n": 3}),
        ('flag ? "yes" : "no"', "yes"),
        ('"no // comment" // a comment', "no // comment"),
    ],
)
def test_a_field_is_what_its_expression_says(expression: str, value: object) -> None:
    properties = {"text": STRING, "number": NUMBER, "flag": BOOLEAN, "things": {"type": "array"}}
    facts = {name: f"data.{name}" for name in properties}
    workflow = routing_on(properties, facts, "true", send={"field": expression})
    payload = {"text": "a", "number": 3, "flag": True, "things": [1, {"b": None}]}

    assert sent(route(payload, workflow)) == {"field": value}


@pytest.mark.parametrize("expression", ["note", '"n: " + note', "note + string(1)", "size(note)"])
def test_a_field_without_its_fact_is_left_out_or_where_required_quarantines(
    expression: str,
) -> None:
    facts = {"note": {"value": "data.maybe_note", "optional": True}}
    properties, send = {"maybe_note": STRING}, {"field": expression, "title": '"x"'}

    lenient = routing_on(properties, facts, "true", send=send)
    strict = routing_on(properties, facts, "true", send=send, required=("field",))

    assert sent(route({}, lenient)) == {"title": "x"}
    verdict = rejected(route({}, strict))
    assert verdict.reason is Reason.MISSING_FACT
    assert "the fact `note` is not in the payload, and `field` of desk needs it" in verdict.detail


def test_a_field_that_fails_on_a_payload_is_a_rule_error() -> None:
    workflow = routing_on({"n": NUMBER}, {"n": "data.n"}, "true", send={"field": "10 / n"})

    verdict = rejected(route({"n": 0}, workflow))

    assert verdict.reason is Reason.RULE_ERROR
    assert "`field` of desk (10 / n)" in verdict.detail


def test_a_field_whose_value_would_not_be_json_is_a_rule_error() -> None:
    facts = {"n": "data.n"}
    workflow = routing_on({"n": {}}, facts, "true", send={"field": "1.0 / n"})

    verdict = rejected(route({"n": 0.0}, workflow))

    assert verdict.reason is Reason.RULE_ERROR
    assert "not JSON" in verdict.detail


@pytest.mark.parametrize(
    ("when", "problem", "fix"),
    [
        ("teir == 'pro'", "undeclared reference to 'teir'", "write `tier`"),
        ("tier == 1", "`==` does not take text and a whole number", "one type"),
        ("tier", "STRING, not true or false", "compare"),
        ("any", "need not be true or false", "`any == true`"),
        ("data.tier == 'pro'", "undeclared reference to 'data.tier'", "write `tier`"),
        ("", "empty", "CEL"),
    ],
)
def test_a_rule_that_could_not_decide_is_refused_when_it_is_compiled(
    when: str, problem: str, fix: str
) -> None:
    with pytest.raises(InvalidFile) as refused:
        routing_on({"tier": STRING, "any": {}}, {"tier": "data.tier", "any": "data.any"}, when)

    (fault,) = refused.value.faults
    assert fault.path == "routes.0.when"
    assert problem in fault.problem
    assert fix in fault.fix


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("teir", "undeclared reference"),
        ("tier + 1", "`+` does not take text"),
        ("type(tier)", "not JSON"),
        ("{1: tier}", "not JSON"),
        ("1 / 0", "divide by zero"),
    ],
)
def test_a_field_that_could_not_be_sent_is_refused_when_it_is_compiled(
    expression: str, problem: str
) -> None:
    with pytest.raises(InvalidFile) as refused:
        routing_on({"tier": STRING}, {"tier": "data.tier"}, "true", send={"a": expression})

    (fault,) = refused.value.faults
    assert fault.path == "destinations.desk.send.a"
    assert problem in fault.problem


def test_every_fault_of_a_workflow_is_told_at_once() -> None:
    routes: list[dict[str, Any]] = [
        {"when": "teir == 1", "to": ["crm", "crm", "dsk"]},
        {"when": "seats > 'a'", "to": ["crm"]},
    ]

    with pytest.raises(InvalidFile) as refused:
        compiled(routes=routes, facts={"tier": "data.teir", "email": "data.email"})

    assert {fault.path for fault in refused.value.faults} == {
        "facts.tier",
        "routes.0.when",
        "routes.0.to.1",
        "routes.0.to.2",
        "routes.1.when",
        "destinations.crm.send.note",
        "destinations.senior-desk",
    }


def test_a_wrong_fact_is_not_held_against_the_rules_that_use_it() -> None:
    with pytest.raises(InvalidFile) as refused:
        routing_on({"vip": BOOLEAN}, {"vip": "data.vipp"}, "vip", send={"a": "vip"})

    assert [fault.path for fault in refused.value.faults] == ["facts.vip"]

"""A trial says what the stages decide, and how they come to it."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.delivery.verdicts import Rejected, Routed, Valid
from orchestrator.domain.lifecycle import Stage
from orchestrator.domain.reasons import Reason
from orchestrator.pipeline.route import route
from orchestrator.pipeline.trial import Trial, try_payload
from orchestrator.pipeline.validate import validate
from orchestrator.presenting.trials import shown_trial
from tests.unit.example import compiled

LEAD: dict[str, Any] = {"email": "ann@example.com", "tier": "enterprise"}


def stopped(trial: Trial) -> Rejected:
    assert isinstance(trial.outcome, Rejected)
    return trial.outcome


def test_a_good_payload_is_routed_as_the_stage_routes_it() -> None:
    trial = try_payload(LEAD, compiled())

    assert trial.came == Valid()
    assert trial.outcome == route(LEAD, compiled())
    assert isinstance(trial.outcome, Routed)
    assert (trial.route, trial.stage) == (0, Stage.ROUTE)
    assert {fact.name: fact.value for fact in trial.facts if fact.missing is None} == LEAD


def test_a_broken_contract_stops_it_with_every_violation() -> None:
    payload = {"email": "ann", "tier": "gold"}

    trial = try_payload(payload, compiled())

    assert trial.outcome == trial.came == validate(payload, compiled())
    assert len(stopped(trial).violations) == 2
    assert (trial.stage, trial.facts, trial.route) == (Stage.VALIDATE, (), None)


def test_an_absent_fact_says_which_path_leads_nowhere() -> None:
    trial = try_payload(LEAD, compiled())

    (message,) = [fact for fact in trial.facts if fact.name == "message"]
    assert (message.value, message.missing) == (None, "`data.message` is not in the payload")


@pytest.mark.parametrize(
    ("company", "why"),
    [
        (None, "`data.company` is null"),
        ({}, "`data.company.name` is not in the payload"),
    ],
)
def test_a_path_that_stops_half_way_says_where(company: object, why: str) -> None:
    name = {"type": "string"}
    workflow = compiled(
        contract={
            "type": "object",
            "required": ["company"],
            "properties": {"company": {"type": ["object", "null"], "properties": {"name": name}}},
        },
        facts={"company": {"value": "data.company.name + '!'", "optional": True}},
        routes=[{"when": "true", "to": ["crm"]}],
        destinations={
            "crm": {"connector": "crm", "action": "upsert_contact", "send": {"note": "company"}}
        },
    )

    (fact,) = try_payload({"company": company}, workflow).facts

    assert fact.missing == why


def test_a_standing_amendment_is_tried_with_what_it_mends() -> None:
    workflow = compiled(amend=[{"drop": "absent"}, {"rename": "plan", "to": "tier"}])

    trial = try_payload({"email": "ann@example.com", "plan": "pro"}, workflow)

    assert trial.amended is not None
    assert trial.amended.steps == (1,)
    assert isinstance(trial.came, Rejected)
    assert isinstance(trial.outcome, Routed)
    assert trial.route == 1


def test_a_field_that_fails_leaves_the_route_that_was_taken() -> None:
    workflow = compiled(
        destinations={
            "crm": {
                "connector": "crm",
                "action": "upsert_contact",
                "send": {"note": "message"},
                "required": ["note"],
            },
            "senior-desk": {"connector": "helpdesk", "action": "create_ticket", "send": {}},
        }
    )

    trial = try_payload({**LEAD, "tier": "pro"}, workflow)

    assert stopped(trial).reason is Reason.MISSING_FACT
    assert stopped(trial).path == "destinations.crm.send.note"
    assert trial.route == 1


def test_each_part_is_shown_with_its_line() -> None:
    lines = {
        "contract": 1,
        "contract.properties.tier.enum": 2,
        "facts.email": 3,
        "routes.1": 4,
        "routes": 5,
        "destinations.crm.send.email": 6,
        "destinations.crm.confirm.1": 7,
    }

    routed = shown_trial(try_payload({**LEAD, "tier": "pro"}, compiled()), compiled(), lines.get)
    broken = shown_trial(try_payload({**LEAD, "tier": "gold"}, compiled()), compiled(), lines.get)
    nowhere = shown_trial(
        try_payload({**LEAD, "tier": "starter"}, compiled()), compiled(), lines.get
    )

    assert routed.route is not None
    assert (routed.facts[0].line, routed.route.line) == (3, 4)
    (crm,) = routed.deliveries
    assert [(one.field, one.line) for one in crm.sends] == [("email", 6), ("tier", None)]
    assert [(one.field, one.absent) for one in crm.omits] == [("note", ("message",))]
    assert [(one.field, one.line) for one in crm.confirms] == [("email", None), ("tier", 7)]
    assert broken.contract.violations[0].line == 2
    assert broken.quarantine is not None
    assert (broken.quarantine.stage, broken.quarantine.line) == ("validate", 2)
    assert broken.quarantine.owner == "support-ops@acme.example"
    assert nowhere.quarantine is not None
    assert (nowhere.quarantine.reason, nowhere.quarantine.line) == ("no_route", 5)

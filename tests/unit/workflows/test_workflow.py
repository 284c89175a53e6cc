from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.domain.delivery.retries import RetryPolicy
from orchestrator.domain.workflows.workflow import Workflow
from tests.unit.example import changed


def test_a_definition_makes_the_same_workflow_again() -> None:
    workflow = Workflow.from_definition(changed())

    kept = json.loads(json.dumps(workflow.definition()))

    assert Workflow.from_definition(kept) == workflow
    assert Workflow.from_definition(kept).definition() == workflow.definition()
    assert kept["contract"]["properties"]["tier"] == {"enum": ["enterprise", "pro", "starter"]}


def test_times_are_given_in_seconds() -> None:
    retries = {"limit": 3, "first": "2s", "factor": 1.5, "ceiling": "10m"}

    workflow = Workflow.from_definition(changed(retries=retries))

    assert workflow.trigger_type == "lead.created"
    assert workflow.recover_within_seconds == 259_200
    assert workflow.retry_policy == RetryPolicy(limit=3, first=2, factor=1.5, ceiling=600)


def test_retries_have_a_default_and_it_is_that_of_the_policy() -> None:
    assert Workflow.from_definition(changed()).retry_policy == RetryPolicy()


@pytest.mark.parametrize("key", ["owners", "sla", "contract", "routes", "destinations", "client"])
def test_nothing_that_matters_has_a_default(key: str) -> None:
    definition = changed()
    del definition[key]

    with pytest.raises(ValidationError, match=f"{key}\n  Field required"):
        Workflow.from_definition(definition)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("workflow", "Lead Routing"),
        ("workflow", "-lead"),
        ("client", "a" * 64),
        ("title", "two\nlines"),
        ("title", " "),
        ("trigger", {"type": "lead created"}),
        ("retries", {"limit": True}),
        ("retries", {"limit": 101}),
        ("retries", {"first": "5"}),
        ("retries", {"first": "2h", "ceiling": "1h"}),
        ("retries", {"factor": 0.5}),
        ("sla", {"deliver_within": "15m", "recover_within": "0s"}),
        ("sla", {"deliver_within": "31d", "recover_within": "1h"}),
        ("facts", {"first-name": "data.x"}),
        ("facts", {"in": "data.x"}),
        ("facts", {"data": "data.x"}),
        ("facts", {"string": "data.x"}),
        ("routes", []),
        ("formats", "ignore"),
    ],
)
def test_a_part_out_of_bounds_is_refused(part: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Workflow.from_definition(changed(**{part: value}))

    assert {error["loc"][0] for error in refused.value.errors()} == {part}


@pytest.mark.parametrize(
    "address", ["ann", "ann@acme", "a b@acme.example", "<a@acme.example>", "a@b@c.d", ""]
)
def test_an_owner_is_an_address_that_mail_can_go_to(address: str) -> None:
    owners = {**changed()["owners"], "backstop": address}

    with pytest.raises(ValidationError, match="not an e-mail address"):
        Workflow.from_definition(changed(owners=owners))

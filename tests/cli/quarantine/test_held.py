"""Held events are not in quarantine, and its list says how many there are and what holds them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.store.destinations.breakers import note_failures
from tests.cli.desk import CommandLine, held_lead

CRM = "acme/leads/crm"


@pytest.fixture
def held(meshline: CommandLine) -> list[str]:
    """Two leads that a pause holds, and one that an open circuit breaker holds."""
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    meshline.publish()
    meshline.publish_other()
    meshline("destinations", "pause", CRM, "--why", "a migration")
    with meshline.store() as store, store.write() as tx:
        note_failures(tx, "fake", ["an-event"], error="503", policy=policy, actor="worker:dispatch")
    return [held_lead(meshline, circuit) for circuit in (CRM, "fake", CRM)]


def held_beside(meshline: CommandLine, *filters: str) -> Any:
    return meshline("quarantine", "list", *filters, "--json").document["held"]


@pytest.mark.usefixtures("held")
def test_the_list_ends_with_what_is_held_by_what_and_where_to_see_it(
    meshline: CommandLine,
) -> None:
    ran = meshline("quarantine", "list")

    assert ran.out == "no events are in quarantine\n"
    assert re.sub("[0-9]+s", "1s", ran.err) == (
        "3 events are held, and not in quarantine: 2 by pause of acme/leads/crm, for 1s;"
        " 1 by circuit breaker of fake, for 1s; `meshline events list --held` lists them\n"
    )


@pytest.mark.usefixtures("held")
def test_the_note_comes_after_what_stands(meshline: CommandLine) -> None:
    meshline.leads(1, tier="gold")

    ran = meshline("quarantine", "list", "--client", "acme")

    assert "contract_violation" in ran.out
    assert ran.err.startswith("3 events are held")
    assert "`meshline events list --held --client acme` lists them" in ran.err


def test_a_program_reads_the_same(meshline: CommandLine, held: list[str]) -> None:
    found = held_beside(meshline)

    assert found["events"] == len(held)
    assert [(one["by"], one["what"], one["events"]) for one in found["by"]] == [
        (CRM, "pause", 2),
        ("fake", "circuit breaker", 1),
    ]
    listed = meshline("events", "list", "--held", "--json").document["events"]
    holds = [hold for event in listed for hold in event["held"]]
    for one in found["by"]:
        assert one["since"] == min(hold["since"] for hold in holds if hold["by"] == one["by"])


@pytest.mark.usefixtures("held")
def test_what_is_asked_for_by_other_than_client_and_workflow_is_not_held(
    meshline: CommandLine,
) -> None:
    nothing = {"events": 0, "by": []}

    assert held_beside(meshline, "--workflow", "leads")["events"] == 3
    assert held_beside(meshline, "--client", "globex") == nothing
    assert held_beside(meshline, "--reason", "contract_violation") == nothing
    assert meshline("quarantine", "list", "--since", "2h").err == ""


def test_where_nothing_is_held_nothing_is_said(meshline: CommandLine) -> None:
    meshline.leads(1, tier="gold")

    assert meshline("quarantine", "list").err == ""


@pytest.mark.usefixtures("held")
def test_what_waits_after_its_pause_is_over_is_said_to_go_on(meshline: CommandLine) -> None:
    meshline("destinations", "resume", CRM, "--why", "done")

    said = meshline("quarantine", "list").err

    assert "2 that go on, for nothing holds them at acme/leads/crm any more" in said

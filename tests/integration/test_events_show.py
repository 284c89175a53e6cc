"""`meshline events show ID --json` tells the whole story of an event, whatever became of it."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from orchestrator.domain.event import Trigger
from orchestrator.operations.accept_triggers import accept_batch
from tests.integration.system import System
from tests.leads import lead, renamed_lead
from tools.docs.flows import on_the_way

pytestmark = pytest.mark.processes


def test_the_story_of_a_delivered_a_quarantined_a_healed_and_a_discarded_event(
    system: System,
) -> None:
    fine = accept(system, lead(1, tier="enterprise"))
    standing, healed, given_up = (accept(system, renamed_lead(number)) for number in (2, 3, 4))
    system.wait_until_settled(4)

    meshline(system, "quarantine", "fix", healed, "--rename", "customer_tier=tier")
    meshline(system, "quarantine", "replay", healed)
    meshline(system, "quarantine", "discard", given_up, "--why", "a test entry")
    system.wait_until_settled(4)

    delivered = show(system, fine)
    assert (delivered["state"], delivered["stage"]) == ("delivered", None)
    assert {one["destination"]: one["state"] for one in delivered["deliveries"]} == {
        "crm": "confirmed",
        "desk": "confirmed",
    }
    assert all(one["record_id"] for one in delivered["deliveries"])
    assert steps(delivered) == [
        ("key:test", "accept"),
        ("worker:validate", "validate"),
        ("worker:route", "route"),
        ("worker:dispatch", "confirm"),
        ("worker:dispatch", "confirm"),
        ("worker:dispatch", "deliver"),
    ]
    assert [one for _, one in steps(delivered) if one != "confirm"] == [
        move.move for move in on_the_way()
    ], "ARCHITECTURE.md draws a good event otherwise"

    waiting = show(system, standing)
    assert (waiting["state"], waiting["stage"]) == ("quarantined", "validate")
    assert waiting["reason"] == "contract_violation"
    assert waiting["quarantine"]["recovery_lead"] == "triage@acme.example"
    assert waiting["quarantine"]["hints"] == ["`customer_tier` looks like the missing `tier`"]
    assert waiting["deliveries"] == []

    back = show(system, healed)
    assert back["state"] == "delivered" and back["replays"] == 1 and back["quarantine"] is None
    assert [action for _, action in steps(back)] == [
        "accept", "quarantine", "amend", "replay", "validate", "route",
        *["confirm"] * len(back["deliveries"]), "deliver",
    ]  # fmt: skip
    by_hand = {action: actor for actor, action in steps(back) if action in ("amend", "replay")}
    assert all(actor.startswith("cli:") for actor in by_hand.values()), by_hand

    gone = show(system, given_up)
    assert gone["state"] == "discarded"
    assert gone["history"][-1]["detail"] == {"why": "a test entry"}
    assert system.count_by_key("helpdesk/tickets") == {f"{fine}.desk": 1, f"{healed}.desk": 1}


def test_a_replay_done_twice_changes_nothing_the_second_time(system: System) -> None:
    event_id = accept(system, renamed_lead(1))
    system.wait_until_settled(1)
    meshline(system, "quarantine", "fix", event_id, "--rename", "customer_tier=tier")
    meshline(system, "quarantine", "replay", event_id)
    system.wait_until_settled(1)

    again = json.loads(meshline(system, "quarantine", "replay", event_id, "--json"))

    assert again["events"] == [] and again["skipped"][0]["id"] == event_id
    assert show(system, event_id)["replays"] == 1


def accept(system: System, trigger: Trigger) -> str:
    (accepted,) = accept_batch(system.store, [trigger], actor="key:test")
    return accepted.id


def show(system: System, event_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(meshline(system, "events", "show", event_id, "--json"))
    return shown


def steps(event: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["actor"], row["action"]) for row in event["history"]]


def meshline(system: System, *arguments: str) -> str:
    program = system.meshline(*arguments)
    done = subprocess.run(
        program.command,
        env={**os.environ, **program.environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

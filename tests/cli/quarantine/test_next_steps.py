"""A page of an event names its incident, what a replay would come to, and the next command."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.store.quarantine.actions import quarantine_events
from tests.cli.desk import CommandLine
from tests.leads import accept_leads, claim_groups, drive_to_routed, lead_workflow


def shown(meshline: CommandLine, event_id: str) -> dict[str, Any]:
    document: dict[str, Any] = meshline("quarantine", "show", event_id, "--json").document
    return document


def renamed_lead(meshline: CommandLine) -> str:
    """A lead in quarantine whose form calls `tier` otherwise."""
    meshline.publish()
    line = '{"email": "ada@example.com", "customer_tier": "pro"}'
    ran = meshline("emit", "lead.created", "--client", "acme", "--data", line)
    meshline.validate()
    return ran.out.split()[0]


def test_what_is_not_mended_yet_would_still_be_refused(meshline: CommandLine) -> None:
    event_id = renamed_lead(meshline)

    replay = shown(meshline, event_id)["replay"]

    assert replay["passes"] is False and replay["command"] is None
    assert replay["told"].startswith("would still be refused (contract_violation): ")
    page = meshline("events", "show", event_id).out
    assert "would still be refused" in page
    assert f"meshline quarantine recipe {event_id} --rename SENT=AGREED --preview" in page


def test_what_was_fixed_passes_now_and_names_the_replay(meshline: CommandLine) -> None:
    event_id = renamed_lead(meshline)
    meshline("quarantine", "fix", event_id, "--rename", "customer_tier=tier")

    replay = shown(meshline, event_id)["replay"]

    assert (replay["passes"], replay["version"]) == (True, 1)
    assert replay["command"] == f"meshline quarantine replay {event_id}"
    page = meshline("quarantine", "show", event_id).out
    assert "passes now; replay it" in page and replay["command"] in page
    assert meshline(*replay["command"].split()[1:]).code == 0
    assert meshline("events", "show", event_id, "--json").document["replay"] is None


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (Reason.DESTINATION_REFUSED, "passes contract and routes; a replay shows"),
        (Reason.START_LIMIT, None),  # it may end the process that tries it
    ],
)
def test_what_a_destination_makes_of_it_is_not_promised(
    meshline: CommandLine, reason: Reason, told: str | None
) -> None:
    meshline.publish()
    with meshline.store() as store:
        (event_id,) = accept_leads(store, 1)
        for group in claim_groups(store):
            drive_to_routed(store, group)
        with store.write() as tx:
            quarantine_events(
                tx, [event_id], source=State.ROUTED, workflow=lead_workflow(), reason=reason,
                detail="no", actor="worker",
            )  # fmt: skip

    replay = shown(meshline, event_id)["replay"]

    assert (replay and replay["told"][: len(told or "")]) == told


def test_an_event_names_its_incident_and_the_command_that_shows_it(meshline: CommandLine) -> None:
    event_id = renamed_lead(meshline)
    (incident,) = meshline("incidents", "list", "--json").document["incidents"]

    assert shown(meshline, event_id)["incidents"] == [
        {name: incident[name] for name in ("id", "title", "state", "reason")}
    ]
    assert f"meshline incidents show {incident['id']}" in meshline("events", "show", event_id).out

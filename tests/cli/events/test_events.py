"""The states of events, on the screen and as JSON."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.operations.accept_triggers import accept_batch
from tests.cli.desk import CommandLine
from tests.leads import lead


def test_the_list_has_the_newest_first_and_goes_on_page_by_page(meshline: CommandLine) -> None:
    ids = meshline.leads(5)

    first = meshline("events", "list", "--limit", "3", "--json").document
    second = meshline(
        "events", "list", "--limit", "3", "--before", first["next"], "--json"
    ).document

    assert [one["id"] for one in first["events"]] == ids[:1:-1]
    assert [one["id"] for one in second["events"]] == ids[1::-1]
    assert second["next"] is None


def test_a_page_that_is_not_the_last_says_how_to_go_on(meshline: CommandLine) -> None:
    ids = meshline.leads(3)

    assert meshline("events", "list", "--limit", "2").err == f"there are more: --before {ids[1]}\n"
    assert meshline("events", "list", "--limit", "3").err == ""


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (("--state", "validated"), 2),
        (("--state", "quarantined"), 1),
        (("--workflow", "leads"), 3),
        (("--workflow", "calls"), 0),
        (("--client", "acme", "--state", "delivered"), 0),
    ],
)
def test_filters_narrow_the_list(
    meshline: CommandLine, filters: tuple[str, ...], expected: int
) -> None:
    meshline.leads(2)
    meshline.leads(1, tier="gold")
    meshline.publish_other()

    assert len(meshline("events", "list", *filters, "--json").document["events"]) == expected


def test_the_table_says_where_each_event_stalled(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    head, row = meshline("events", "list").out.splitlines()

    assert head.split() == ["ID", "STATE", "AT", "WORKFLOW", "REASON", "AGE"]
    assert row.split()[:6] == [
        *(event_id, "quarantined", "validate", "acme/leads", "v1", "contract_violation"),
    ]
    assert len(row) <= 100


def test_an_event_tells_its_whole_story(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1, tier="gold")

    page = meshline("events", "show", event_id).out

    assert "quarantined at validate: contract_violation" in page
    assert "triage@acme.example" in page
    assert "/tier" in page
    assert "enum" in page
    assert "worker:validate" in page
    assert "lead-0@example.com" not in page


def test_a_payload_is_shown_only_when_it_is_asked_for(meshline: CommandLine) -> None:
    (event_id,) = meshline.leads(1)

    assert "payload" not in meshline("events", "show", event_id, "--json").document
    assert "lead-0@example.com" in meshline("events", "show", event_id, "--payload").out
    shown = meshline("events", "show", event_id, "--payload", "--json").document
    assert shown["payload"] == {"email": "lead-0@example.com", "tier": "pro"}
    assert shown["amended"] is None


def test_an_event_that_does_not_exist_is_one_line(meshline: CommandLine) -> None:
    meshline.publish()

    assert meshline("events", "show", "ghost").error == (
        "there is no event 'ghost'; see `meshline events list`"
    )


def test_what_came_in_from_outside_cannot_command_the_terminal(meshline: CommandLine) -> None:
    meshline.publish()
    hostile = replace(lead(), idempotency_key="\x1b[2Jgone\u202eevil\nevent fake [red]no markup")
    with meshline.store() as store:
        (accepted,) = accept_batch(store, [hostile], actor="key:test")

    page = meshline("events", "show", accepted.id).out

    assert "\x1b" not in page
    assert "\u202e" not in page
    assert r"\x1b[2Jgone\u202eevil\nevent fake [red]no markup" in page


def test_colours_are_for_terminals(meshline: CommandLine) -> None:
    meshline.leads(1, tier="gold")

    plain = meshline("events", "list").out
    forced = meshline("events", "list", FORCE_COLOR="1").out
    refused = meshline("events", "list", FORCE_COLOR="1", NO_COLOR="1").out

    assert "\x1b[31m" not in plain
    assert "\x1b[31mquarantined" in forced
    assert "\x1b[31m" not in refused

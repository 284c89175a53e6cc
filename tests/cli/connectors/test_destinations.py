"""Destinations are listed with what blocks them, paused and resumed with a reason."""

from __future__ import annotations

import pytest

from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import pause_circuit
from tests.cli.desk import CommandLine, held_lead

CRM, DESK = "acme/leads/crm", "acme/leads/desk"


def opened(meshline: CommandLine, name: str = "fake", error: str = "503") -> None:
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    with meshline.store() as store, store.write() as tx:
        note_failures(tx, name, ["an-event"], error=error, policy=policy, actor="worker:dispatch")


def listed(meshline: CommandLine) -> dict[str, dict[str, object]]:
    rows = meshline("destinations", "list", "--json").document["destinations"]
    return {row["name"]: row for row in rows}


def test_destinations_of_live_workflows_are_listed_with_calls_that_go_out(
    meshline: CommandLine,
) -> None:
    meshline.publish()

    rows = listed(meshline)

    assert list(rows) == [CRM, DESK]
    assert rows[DESK] == {
        "name": DESK,
        "client": "acme",
        "workflow": "leads",
        "destination": "desk",
        "connector": "fake",
        "action": "record",
        "block": None,
        "breaker": "closed",
        "circuit": None,
        "reason": None,
        "error": None,
        "since": None,
        "by": None,
        "until": None,
        "next_probe": None,
        "postponed_until": None,
        "pauses": 0,
        "pause_error": None,
        "held": 0,
        "held_since": None,
        "waiting": 0,
        "after_others": 0,
        "failing": 0,
        "at_fault": 0,
    }
    assert CRM in meshline("destinations", "list").out


def test_without_a_workflow_there_is_no_destination(meshline: CommandLine) -> None:
    with meshline.store():
        pass

    assert meshline("destinations", "list", "--json").document == {"destinations": []}
    assert "no workflow is live" in meshline("destinations", "list").out


def test_one_destination_is_paused_and_its_neighbour_is_called_on(meshline: CommandLine) -> None:
    meshline.publish()

    ran = meshline("destinations", "pause", DESK, "--why", "a migration")

    assert (ran.code, ran.out) == (0, f"paused {DESK} until somebody resumes it\n")
    rows = listed(meshline)
    assert (rows[DESK]["block"], rows[DESK]["circuit"]) == ("pause", DESK)
    assert (rows[DESK]["reason"], rows[DESK]["error"]) == ("paused", "a migration")
    assert rows[CRM]["block"] is None
    assert "a migration" in meshline("destinations", "list").out


def test_a_connector_is_paused_for_all_its_destinations(meshline: CommandLine) -> None:
    meshline.publish()

    meshline("destinations", "pause", "fake", "--why", "they move house")

    assert [(row["block"], row["circuit"]) for row in listed(meshline).values()] == [
        ("pause", "fake"),
        ("pause", "fake"),
    ]


def test_a_pause_and_a_resumption_stand_in_the_audit_with_who_and_why(
    meshline: CommandLine,
) -> None:
    meshline.publish()
    meshline("destinations", "pause", DESK, "--why", "a migration")
    meshline("destinations", "resume", DESK, "--why", "done")

    resumed, paused = meshline("audit", "--limit", "2", "--json").document["audit"]
    assert (paused["action"], paused["detail"]) == (
        "pause",
        {"circuit": DESK, "why": "a migration"},
    )
    assert (resumed["action"], resumed["detail"]["why"]) == ("resume", "done")
    assert paused["actor"].startswith("cli:") and paused["destination"] == "desk"
    assert listed(meshline)[DESK]["block"] is None


def test_what_changes_nothing_says_so(meshline: CommandLine) -> None:
    meshline.publish()
    meshline("destinations", "pause", DESK, "--why", "a migration")

    ran = meshline("destinations", "pause", DESK, CRM, "--why", "both", "--json")
    told = {"paused": [CRM], "changed": [], "unchanged": [DESK], "until": None}
    assert ran.document == told

    meshline("destinations", "resume", DESK, "--why", "done")
    ran = meshline("destinations", "resume", DESK, "--why", "done")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"{DESK} left alone: nothing blocks it\n"


def test_an_open_breaker_is_shown_with_its_error_and_its_next_try(
    meshline: CommandLine,
) -> None:
    meshline.publish()
    opened(meshline, error="no answer \x1b[2J")

    row = listed(meshline)[CRM]
    assert (row["block"], row["circuit"], row["reason"]) == ("breaker", "fake", "failing")
    assert row["next_probe"] is not None
    shown = meshline("destinations", "list").out
    assert "\x1b" not in shown
    assert "fake: failing" in shown and "tried in" in shown


def test_an_open_breaker_is_closed_by_hand(meshline: CommandLine) -> None:
    meshline.publish()
    opened(meshline)

    assert meshline("destinations", "resume", "fake", "--why", "they are back").code == 0
    assert listed(meshline)[CRM]["block"] is None


def test_what_is_held_is_counted_and_the_event_says_what_it_waits_at(
    meshline: CommandLine,
) -> None:
    event_id = held_lead(meshline, DESK)
    meshline("destinations", "pause", CRM, "--why", "a migration")

    row = listed(meshline)[CRM]
    assert (row["held"], row["waiting"]) == (1, 0)
    assert row["held_since"] is not None
    shown = meshline("events", "show", event_id, "--json").document
    assert [one["held_by"] for one in shown["deliveries"]] == [DESK]
    assert f"waits at {DESK}" in meshline("events", "show", event_id).out


def test_a_circuit_that_no_live_workflow_names_is_listed_and_can_be_resumed(
    meshline: CommandLine,
) -> None:
    meshline.publish()
    with meshline.store() as store, store.write() as tx:
        pause_circuit(tx, "acme/gone/desk", why="a migration", actor="cli:tester")
    opened(meshline, "old-crm")

    rows = listed(meshline)

    assert list(rows) == [CRM, DESK, "acme/gone/desk", "old-crm"]
    assert (rows["acme/gone/desk"]["workflow"], rows["old-crm"]["connector"]) == ("gone", "old-crm")
    ran = meshline("destinations", "resume", "acme/gone/desk", "old-crm", "--why", "gone")
    assert ran.code == 0
    assert list(listed(meshline)) == [CRM, DESK]


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize(
    ("name", "instead"), [("desk", f"write `{DESK}`"), ("fakee", "write `fake`")]
)
def test_a_name_that_nobody_has_is_told_what_was_meant(
    meshline: CommandLine, command: str, name: str, instead: str
) -> None:
    meshline.publish()

    ran = meshline("destinations", command, CRM, name, "--why", "a migration")

    assert instead in ran.error
    assert listed(meshline)[CRM]["block"] is None, "all of them or none"


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_without_a_reason_nothing_is_done(meshline: CommandLine, command: str) -> None:
    meshline.publish()

    assert "missing option '--why'" in meshline("destinations", command, CRM).usage
    assert "reason is blank" in meshline("destinations", command, CRM, "--why", " ").usage


def test_a_pause_with_an_end_says_until_when(meshline: CommandLine) -> None:
    meshline.publish()

    ran = meshline("destinations", "pause", DESK, "--why", "a migration", "--until", "2h")

    assert ran.code == 0 and ran.out.endswith("(in 119m)\n"), ran.out
    row = listed(meshline)[DESK]
    assert str(row["until"]).endswith("Z") and row["block"] == "pause"
    assert "until 20" in meshline("destinations", "list").out
    (paused,) = meshline("audit", "--limit", "1", "--json").document["audit"]
    assert set(paused["detail"]) == {"circuit", "why", "until"}


@pytest.mark.parametrize("until", ["soon", "2020-01-01T08:00Z", "2099-01-01T08:00", "0s", "500d"])
def test_a_wrong_end_is_refused_and_nothing_is_paused(meshline: CommandLine, until: str) -> None:
    meshline.publish()

    ran = meshline("destinations", "pause", DESK, "--why", "a migration", "--until", until)

    assert ran.usage.startswith("invalid value for --until: ")
    assert listed(meshline)[DESK]["block"] is None


def test_the_second_who_pauses_is_told_who_did_and_changes_nothing(meshline: CommandLine) -> None:
    meshline.publish()
    meshline("destinations", "pause", DESK, "--why", "a migration", "--until", "2h")
    before = listed(meshline)[DESK]

    ran = meshline("destinations", "pause", DESK, "--why", "it is slow")

    assert (ran.code, ran.out) == (0, "")
    told, how = ran.err.splitlines()
    assert told.startswith(f"{DESK} is paused since ") and "by cli:" in told
    assert "a migration; left alone" in told and "--until" in how
    assert listed(meshline)[DESK] == before


def test_an_explicit_end_changes_a_pause_and_the_audit_keeps_what_it_was(
    meshline: CommandLine,
) -> None:
    meshline.publish()
    meshline("destinations", "pause", DESK, "--why", "a migration", "--until", "2h")
    before = listed(meshline)[DESK]

    ran = meshline("destinations", "pause", DESK, "--why", "it takes long", "--until", "resumed")

    assert ran.out == f"paused {DESK} until somebody resumes it\n"
    after = listed(meshline)[DESK]
    assert (after["until"], after["error"]) == (None, "it takes long")
    assert after["since"] == before["since"]
    (changed,) = meshline("audit", "--limit", "1", "--json").document["audit"]
    assert changed["action"] == "change_pause"
    assert changed["detail"]["why_before"] == "a migration"
    assert changed["detail"]["before"]["until"][:19] == str(before["until"])[:19]


def test_an_event_whose_delivery_is_held_is_listed_as_held_with_by_what(
    meshline: CommandLine,
) -> None:
    held_lead(meshline, CRM)
    meshline("destinations", "pause", CRM, "--why", "a migration", "--until", "2h")
    (other,) = meshline.leads(1, tier="gold")

    (row,) = meshline("events", "list", "--held", "--json").document["events"]

    assert row["state"] == "routed"
    [hold] = row["held"]
    assert (hold["destination"], hold["by"], hold["what"]) == ("crm", CRM, "pause")
    assert hold["since"] and hold["until"]
    table = " ".join(meshline("events", "list", "--held").out.split())
    assert f"{row['id']} held" in table and f"pause of {CRM}, for" in table
    page = meshline("events", "show", row["id"]).out
    assert "routed, held at dispatch" in page and f"crm: pause of {CRM}" in page
    assert f"meshline destinations resume {CRM} --why 'the reason'" in page
    assert f"destinations resume {CRM}" in meshline("events", "show", row["id"], "--json").out
    whole = {
        one["id"]: one["held"] for one in meshline("events", "list", "--json").document["events"]
    }
    assert whole == {row["id"]: row["held"], other: []}


def test_events_are_listed_by_what_holds_them(meshline: CommandLine) -> None:
    event_id = held_lead(meshline, "fake")
    opened(meshline, "fake")
    meshline("destinations", "pause", CRM, "--why", "a migration")

    found = [
        [
            row["id"]
            for row in meshline("events", "list", "--held-by", name, "--json").document["events"]
        ]
        for name in ("fake", CRM)
    ]

    assert found == [[event_id], []]
    (row,) = meshline("events", "list", "--json").document["events"]
    assert row["held"][0]["what"] == "circuit breaker"
    wrong = meshline("events", "list", "--held-by", "fakee")
    assert wrong.code == 1 and "`fake`" in wrong.err

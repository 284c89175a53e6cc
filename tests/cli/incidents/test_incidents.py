"""Incidents are seen cause by cause, with an owner, and handed from person to person."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.access.actor import login
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.switch_destinations import pause_destination, resume_destination
from orchestrator.store.clocks.resolve_incidents import resolve_ended_incidents
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import deliveries, events, payloads
from orchestrator.store.database.schema import incidents as incidents_table
from orchestrator.store.destinations.held_deliveries import release_held
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.stages import hand_back
from orchestrator.store.quarantine.stays import Sweep, end_stays
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.cli.desk import CommandLine
from tests.leads import (
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead_workflow,
    publish_leads,
)


def renamed(meshline: CommandLine, count: int) -> list[str]:
    """Leads of a form that calls `tier` otherwise: they are all in quarantine."""
    meshline.publish()
    lines = "\n".join(
        f'{{"email": "{n}@example.com", "customer_tier": "pro"}}' for n in range(count)
    )
    ran = meshline("emit", "lead.created", "--client", "acme", "--lines", "-", stdin=lines)
    meshline.validate()
    return ran.out.split()


def held_lead(meshline: CommandLine) -> str:
    """An event whose delivery to the crm waits, because a person paused it."""
    meshline.publish()
    with meshline.store() as store:
        pause_destination(store, ["acme/leads/crm"], why="a migration", actor=login("cli:tester"))
        (event_id,) = accept_leads(store, 1)
        (group,) = claim_groups(store)
        drive_to_routed(store, group)
        with store.write() as tx:
            hold_deliveries(
                tx,
                group.ids,
                ["crm"],
                workflow=lead_workflow(),
                epoch=group.epoch,
                circuit="acme/leads/crm",
                reason="paused",
                actor="worker:dispatch",
            )
            hand_back(tx, group.ids, group.epoch)
    return event_id


def settled(meshline: CommandLine) -> list[int]:
    """What the keeper resolves."""
    with meshline.store() as store:
        end_stays(store, Sweep())
        with store.write() as tx:
            return resolve_ended_incidents(tx)


def incidents(meshline: CommandLine, *filters: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = meshline("incidents", "list", *filters, "--json").document[
        "incidents"
    ]
    return found


def test_hundreds_of_failures_of_one_renamed_field_are_one_row(meshline: CommandLine) -> None:
    renamed(meshline, 30)

    (row,) = incidents(meshline)

    assert row["title"] == "undeclared fields, `tier` is missing"
    assert (row["kind"], row["state"], row["owner"]) == ("contract", "open", "triage@acme.example")
    assert (row["standing"], row["events"], row["held"]) == (30, 30, 0)
    assert (row["overdue"], row["reopened"]) == (False, 0)
    shown = meshline("incidents", "list").out
    assert "30 of 30" in shown
    assert "in 71h" in shown


def test_nothing_stands_and_the_list_says_so(meshline: CommandLine) -> None:
    meshline.publish()

    assert meshline("incidents", "list").out.startswith("no incident here; ")
    assert incidents(meshline) == []


def test_an_incident_says_what_changed_whose_it_is_and_what_was_done(
    meshline: CommandLine,
) -> None:
    meshline.leads(5)
    with meshline.store() as store:
        for group in claim_groups(store):
            drive_to_routed(store, group)
    ids = renamed(meshline, 20)

    document = meshline("incidents", "show", "1", "--json").document
    shown = meshline("incidents", "show", "1").out

    assert [one["id"] for one in document["oldest"]] == ids[:5]
    assert [one["action"] for one in document["history"]] == ["open_incident"]
    (found,) = document["diagnosis"]
    assert (found["kind"], found["path"], found["to"]) == ("renamed", "tier", "customer_tier")
    assert (found["events"], found["of"]) == (20, 20)
    assert "renamed: tier → customer_tier, in 20 of 20 events" in shown
    assert "owner          triage@acme.example" in shown
    recipe = "meshline quarantine recipe --incident 1 --rename customer_tier=tier"
    assert document["fix"][:2] == [f"{recipe} --preview", f"{recipe} --apply"]
    assert f"fix            {recipe} --preview" in shown
    for command in document["fix"]:
        assert meshline(*command.split()[1:]).code == 0, "what it proposes works"


def delivered_leads(meshline: CommandLine, count: int) -> None:
    """Leads of the form that the contract knows, to compare with."""
    meshline.leads(count)
    with meshline.store() as store:
        for group in claim_groups(store):
            drive_to_routed(store, group)
        with store.write() as tx:
            tx.execute(update(events).values(state=State.DELIVERED.value, due_at=None))


RENAME = ("quarantine", "recipe", "--incident", "1", "--rename", "customer_tier=tier")


def repair(**counts: int) -> dict[str, object]:
    """What a document says of an incident with 30 events, of which all are counted."""
    none = {"left": 0, "amended": 0, "tried": 0, "failing": 0}
    return {"counted": 30, "others_left": False, **none, **counts}


def test_what_is_proposed_is_for_the_events_that_are_not_mended_yet(meshline: CommandLine) -> None:
    delivered_leads(meshline, 5)
    ids = renamed(meshline, 30)
    assert meshline("quarantine", "fix", *ids[:25], "--rename", "customer_tier=tier").code == 0

    document = meshline("incidents", "show", "1", "--json").document
    shown = meshline("incidents", "show", "1").out

    assert document["repair"] == repair(left=5, amended=25, tried=20)
    assert document["fix"][0].endswith("--rename customer_tier=tier --preview")
    (found,) = document["diagnosis"]
    assert found["of"] == 5
    assert "25 events are amended, 5 are left" in shown


def test_where_all_is_mended_only_the_replay_is_left(meshline: CommandLine) -> None:
    delivered_leads(meshline, 5)
    renamed(meshline, 30)
    assert meshline(*RENAME, "--apply").code == 0

    document = meshline("incidents", "show", "1", "--json").document

    assert document["repair"]["left"] == 0
    assert document["fix"] == ["meshline quarantine replay --incident 1 --plan"]
    assert "only the replay is left" in meshline("incidents", "show", "1").out


def test_what_would_not_pass_as_it_is_amended_is_not_taken_for_mended(
    meshline: CommandLine,
) -> None:
    delivered_leads(meshline, 5)
    renamed(meshline, 30)
    with meshline.store() as store, store.write() as tx:  # as if the contract had changed since
        tx.execute(update(payloads).values(amended='{"email": "a@example.com", "tier": "gold"}'))

    document = meshline("incidents", "show", "1", "--json").document

    assert document["repair"] == repair(amended=30, tried=20, failing=20)
    assert document["fix"][0].endswith("--rename customer_tier=tier --preview")
    assert "20 of 20 that were tried still do not pass" in meshline("incidents", "show", "1").out


def test_an_incident_shows_the_runbook_of_its_workflow(meshline: CommandLine) -> None:
    runbook = "1. call the sender\\n2. see https://wiki.acme.example"
    renamed(meshline, 1)
    with meshline.store() as store:
        publish_leads(store, f'{TEXT}runbook: "{runbook}"\n')

    document = meshline("incidents", "show", "1", "--json").document
    assert document["runbook"] == "1. call the sender\n2. see https://wiki.acme.example"
    assert f"runbook\n{document['runbook']}\n" in meshline("incidents", "show", "1").out


def test_an_incident_goes_from_open_to_acknowledged_to_resolved(meshline: CommandLine) -> None:
    (event_id,) = renamed(meshline, 1)

    assert meshline("incidents", "ack", "1", "--why", "on it").out == "acknowledged incident 1\n"
    assert (
        meshline("incidents", "assign", "1", "--to", "dana@acme.example", "--json").document
    ) == {"assigned": [1], "unchanged": [], "already": [], "unseen": [], "owner_unknown": False}
    (row,) = incidents(meshline, "--owner", "dana@acme.example")
    assert (row["state"], str(row["acknowledged_by"]).partition(":")[0]) == ("acknowledged", "cli")
    meshline("quarantine", "discard", event_id, "--why", "a test of ours")
    assert meshline("incidents", "resolve", "1", "--why", "done").out == "resolved incident 1\n"

    history = meshline("incidents", "show", "1", "--json").document["history"]
    assert [(row["action"], row["from"], row["to"]) for row in history] == [
        ("open_incident", None, "open"),
        ("acknowledge_incident", "open", "acknowledged"),
        ("assign_incident", "acknowledged", "acknowledged"),
        ("resolve_incident", "acknowledged", "resolved"),
    ]
    assert all(row["detail"]["seconds"] >= 0 for row in (history[1], history[3]))
    assert incidents(meshline) == []
    assert [row["id"] for row in incidents(meshline, "--state", "resolved")] == [1]


@pytest.mark.parametrize(
    ("words", "was"),
    [
        (("ack", "1"), "acknowledged"),
        (("assign", "1", "--to", "dana@acme.example"), "assigned to dana@acme.example"),
        (("resolve", "1", "--why", "done"), "resolved"),
    ],
    ids=lambda one: one if isinstance(one, str) else one[0],
)
def test_the_second_person_is_told_who_did_it_and_when(
    meshline: CommandLine, words: tuple[str, ...], was: str
) -> None:
    (event_id,) = renamed(meshline, 1)
    if words[0] == "resolve":
        meshline("quarantine", "discard", event_id, "--why", "a test of ours")
    assert meshline("incidents", *words).code == 0

    second = meshline("incidents", *words)
    document = meshline("incidents", *words, "--json").document

    (before,) = document["already"]
    assert document["unchanged"] == [1] and before["by"].startswith("cli:")
    at = f"{before['at'][:10]} {before['at'][11:19]}Z"
    assert second.code == 0
    assert second.err == f"incident 1 left alone: {was} by {before['by']} at {at} already\n"


def test_what_nobody_assigned_is_the_recovery_leads_already(meshline: CommandLine) -> None:
    renamed(meshline, 1)

    ran = meshline("incidents", "assign", "1", "--to", "triage@acme.example")

    assert ran.err == "incident 1 left alone: assigned to triage@acme.example already\n"


def test_an_acknowledgement_may_have_an_end(meshline: CommandLine) -> None:
    renamed(meshline, 1)

    assert meshline("incidents", "ack", "1", "--for", "2h").code == 0
    shown = meshline("incidents", "show", "1")
    assert "acknowledged by cli:" in shown.out and "(in 119m)" in shown.out
    first = incidents(meshline)[0]["acknowledged_until"]
    assert meshline("incidents", "ack", "1", "--for", "3h").out == "acknowledged incident 1\n"
    assert str(incidents(meshline)[0]["acknowledged_until"]) > str(first)
    assert "until" in meshline("incidents", "ack", "1").err

    for wrong in ("2", "0h", "32d", "-1h"):
        error = meshline("incidents", "ack", "1", f"--for={wrong}").usage
        assert error.startswith("invalid value for --for: ")


def test_an_incident_is_not_resolved_while_events_stand(meshline: CommandLine) -> None:
    renamed(meshline, 2)

    ran = meshline("incidents", "resolve", "1", "--why", "looks fine")

    assert "2 events of incident 1 are still in quarantine" in ran.error
    assert incidents(meshline)[0]["state"] == "open"


def test_what_is_resolved_is_not_acknowledged_any_more(meshline: CommandLine) -> None:
    (event_id,) = renamed(meshline, 1)
    meshline("quarantine", "discard", event_id, "--why", "a test of ours")
    assert settled(meshline) == [1]

    ran = meshline("incidents", "ack", "1")

    assert "an incident that is resolved cannot be acknowledged" in ran.error
    assert "keeper resolved incident 1 at 20" in ran.error


def test_held_deliveries_are_an_incident_until_they_went_out(meshline: CommandLine) -> None:
    event_id = held_lead(meshline)

    (row,) = incidents(meshline, "--kind", "destination")
    assert (row["reason"], row["destination"], row["held"]) == ("held", "crm", 1)
    assert row["title"] == "crm: deliveries are held back"
    shown = meshline("incidents", "show", "1").out
    assert event_id in shown
    assert "1 deliveries are held" in shown
    assert "1 held deliveries" in meshline("incidents", "resolve", "1", "--why", "done").error
    assert settled(meshline) == []
    with meshline.store() as store:
        resume_destination(store, ["acme/leads/crm"], why="done", actor=login("cli:tester"))
        with store.write() as tx:
            release_held(tx)
    assert settled(meshline) == [], "it is let go, and not made yet"
    assert incidents(meshline)[0]["under_way"] == 1
    assert "are under way again" in meshline("incidents", "resolve", "1", "--why", "done").error
    with meshline.store() as store, store.write() as tx:
        tx.execute(update(deliveries).values(state=DeliveryState.CONFIRMED.value))
    assert settled(meshline) == [1]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (("--client", "acme", "--workflow", "leads"), 2),
        (("--client", "globex"), 0),
        (("--reason", "held"), 1),
        (("--reason", "contract_violation"), 1),
        (("--reason", "further_causes"), 0),
        (("--kind", "platform"), 0),
        (("--owner", "triage@acme.example"), 2),
        (("--owner", "nobody@globex.example"), 0),
        (("--since", "1h"), 2),
        (("--until", "1h"), 0),
        (("--state", "acknowledged"), 0),
        (("--limit", "1"), 1),
    ],
    ids=str,
)
def test_incidents_are_found_by_what_they_have_in_common(
    meshline: CommandLine, filters: tuple[str, ...], found: int
) -> None:
    renamed(meshline, 2)
    held_lead(meshline)
    meshline.publish_other()

    assert len(incidents(meshline, *filters)) == found


@pytest.mark.parametrize("words", [("show", "7"), ("ack", "7"), ("resolve", "7", "--why", "x")])
def test_an_incident_that_is_not_there_is_said_to_be_so(
    meshline: CommandLine, words: tuple[str, ...]
) -> None:
    meshline.publish()

    assert "there is no incident 7" in meshline("incidents", *words).error


def test_all_of_them_or_none(meshline: CommandLine) -> None:
    renamed(meshline, 1)

    assert meshline("incidents", "ack", "1", "7").code == 1

    assert incidents(meshline)[0]["state"] == "open"


def test_an_owner_is_a_mailbox(meshline: CommandLine) -> None:
    renamed(meshline, 1)

    for no_address in (
        "dana",
        "<script>alert(1)</script>@x.y",
        "dana@acme",
        "a@b.example, c@d.example",
    ):
        error = meshline("incidents", "assign", "1", "--to", no_address).usage
        assert error.startswith("invalid value for --to: ")
        assert "is not an e-mail address; name a mailbox" in error


def test_a_resolution_needs_a_reason(meshline: CommandLine) -> None:
    assert meshline("incidents", "resolve", "1").code == 2
    meshline.publish()
    assert "reason is blank" in meshline("incidents", "resolve", "1", "--why", " ").usage


def test_hand_work_is_counted_by_touch_with_the_time_from_acknowledged_to_resolved(
    meshline: CommandLine,
) -> None:
    ids = renamed(meshline, 5)
    assert meshline("incidents", "work").out == "nothing was done by hand\n"
    meshline("incidents", "ack", "1")
    meshline("quarantine", "fix", *ids, "--rename", "customer_tier=tier")
    meshline("quarantine", "replay", *ids[:4])
    meshline("quarantine", "discard", ids[4], "--why", "a test of ours")
    with meshline.store() as store, store.write() as tx:
        tx.execute(update(incidents_table).values(acknowledged_at=now_ms() - 90_000))
    meshline.validate()
    with meshline.store() as store, store.write() as tx:
        on_its_way = events.c.state == State.VALIDATED.value
        tx.execute(update(events).where(on_its_way).values(state=State.DELIVERED.value))
    settled(meshline)

    found = meshline("incidents", "work", "--json").document

    assert {one["action"]: (one["touches"], one["events"]) for one in found["touches"]} == {
        "acknowledge_incident": (1, 0),
        "amend": (1, 5),
        "replay": (1, 4),
        "discard": (1, 1),
    }
    (healed,) = found["healed"]
    assert healed["incidents"] == 1
    assert 90 <= healed["seconds"] < 600
    assert "heal incidents" in meshline("incidents", "work", "--client", "acme").out
    meshline.publish_other()
    assert meshline("incidents", "work", "--client", "globex").out == "nothing was done by hand\n"


def test_the_list_of_alerts_says_what_is_new_of_an_acknowledged_incident(
    meshline: CommandLine,
) -> None:
    renamed(meshline, 1)
    meshline("incidents", "ack", "1")
    with meshline.store() as store:
        with store.write() as tx:
            tx.execute(update(incidents_table).values(events=10))
        keep_clocks(store, TermsShelf())

    assert "incident 1 grew from 1 to 10 events" in meshline("alerts", "list").out


@pytest.mark.parametrize(
    "words",
    [
        ("incidents", "show", "9" * 25),
        ("incidents", "ack", "9" * 25),
        ("quarantine", "list", "--incident", "9" * 25),
        ("quarantine", "plan", "show", "4d1f", "--after", "9" * 25),
        ("quarantine", "recipe", "--saved", "9" * 25),
        ("quarantine", "run", "4d1f", "--rate", "inf"),
        ("quarantine", "run", "4d1f", "--rate", "nan"),
        ("incidents", "list", "--since", "99999999999d"),
        ("incidents", "list", "--reason", "nope"),
    ],
    ids=" ".join,
)
def test_a_slip_of_the_keyboard_is_wrong_usage(
    meshline: CommandLine, words: tuple[str, ...]
) -> None:
    meshline.publish()

    ran = meshline(*words)

    assert (ran.code, ran.out) == (2, "")
    (line,) = ran.err.splitlines()
    assert line.startswith("error: ") and "unexpected" not in line


@pytest.mark.parametrize("command", ["list", "diagnose", "replay"])
def test_no_events_are_chosen_by_an_incident_that_is_not_there(
    meshline: CommandLine, command: str
) -> None:
    meshline.leads(1, tier="gold")

    assert "there is no incident 999" in meshline("quarantine", command, "--incident", "999").error

"""`meshline quarantine diagnose` says in one line what a form changed, and what speaks for it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import update

from orchestrator.domain.lifecycle import State
from orchestrator.store.database.schema import events
from tests.cli.desk import CommandLine

TIERS = ("enterprise", "pro")


def deliver(meshline: CommandLine, ids: Sequence[str]) -> None:
    """Put events at their end, as a worker does."""
    with meshline.store() as store, store.write() as tx:
        done = update(events).where(events.c.id.in_(ids))
        tx.execute(done.values(state=State.DELIVERED, due_at=None))


def emit(meshline: CommandLine, payloads: Sequence[object]) -> list[str]:
    """Emit leads and validate them: those that break the contract are quarantined."""
    lines = "\n".join(map(json.dumps, payloads))
    ran = meshline("emit", "lead.created", "--client", "acme", "--lines", "-", stdin=lines)
    meshline.validate()
    return ran.out.split()


def renamed(meshline: CommandLine) -> list[str]:
    """20 leads of a form that renamed its field, after 10 leads of the form as it was."""
    meshline.publish()
    fine = [{"email": f"old-{n}@example.com", "tier": TIERS[n % 2]} for n in range(10)]
    deliver(meshline, emit(meshline, fine))
    return emit(
        meshline,
        [{"email": f"new-{n}@example.com", "customer_tier": TIERS[n % 2]} for n in range(20)],
    )


def test_a_renamed_field_is_one_line(meshline: CommandLine) -> None:
    renamed(meshline)

    ran = meshline("quarantine", "diagnose", "--workflow", "leads")

    assert ran.code == 0
    head, finding, *evidence = ran.out.splitlines()
    assert head == "acme/leads: 20 events against 10 delivered ones"
    assert finding == "  renamed: tier → customer_tier, in 20 of 20 events"
    assert "    `tier` was in 10 of 10 accepted events" in evidence


def test_a_program_reads_kind_path_target_and_counts(meshline: CommandLine) -> None:
    ids = renamed(meshline)
    first = meshline("quarantine", "show", ids[0], "--json").document["quarantine"]["since"]

    document = meshline("quarantine", "diagnose", "--workflow", "leads", "--json").document

    (finding,) = document["diagnosis"]
    assert {name: finding[name] for name in ("kind", "path", "to", "events", "of")} == {
        "kind": "renamed", "path": "tier", "to": "customer_tier", "events": 20, "of": 20,
    }  # fmt: skip
    assert finding["since"] == first
    assert all(isinstance(one, str) for one in finding["evidence"])
    assert document["workflows"] == [
        {"client": "acme", "workflow": "leads", "events": 20, "broken": 20, "accepted": 10}
    ]


def test_no_address_of_a_lead_is_shown(meshline: CommandLine) -> None:
    meshline.publish()
    emit(meshline, [{"mail": f"ann-{n}@example.com", "tier": "pro"} for n in range(5)])

    ran = meshline("quarantine", "diagnose", "--workflow", "leads")

    assert "email → mail" in ran.out
    assert "ann" not in ran.out
    assert "xxx-9@xxxxxxx.xxx" in ran.out


def test_what_stands_for_itself_is_not_mixed_with_the_rest(meshline: CommandLine) -> None:
    one, *_ = renamed(meshline)
    emit(meshline, [{"email": "a@example.com", "tier": "gold"}])

    document = meshline("quarantine", "diagnose", one, "--json").document

    assert [(each["kind"], each["of"]) for each in document["diagnosis"]] == [("renamed", 1)]


def test_two_changes_are_two_lines_with_their_own_counts(meshline: CommandLine) -> None:
    renamed(meshline)
    emit(meshline, [{"email": f"b-{n}@example.com", "tier": "gold"} for n in range(4)])

    lines = meshline("quarantine", "diagnose", "--workflow", "leads").out.splitlines()

    assert "  renamed: tier → customer_tier, in 20 of 24 events" in lines
    assert "  new value: tier, in 4 of 24 events" in lines
    assert "    `gold` is new, in 4 events" in lines


def test_an_empty_quarantine_is_said_so(meshline: CommandLine) -> None:
    meshline.leads(1)

    ran = meshline("quarantine", "diagnose", "--workflow", "leads")

    assert ran.out == "no events are in quarantine that a sender broke\n"
    asked = meshline("quarantine", "diagnose", "--workflow", "leads", "--json")
    assert asked.document == {"diagnosis": [], "workflows": []}


def test_without_a_condition_and_for_a_reason_in_no_payload_it_is_refused(
    meshline: CommandLine,
) -> None:
    meshline.publish()

    assert "nothing was selected" in meshline("quarantine", "diagnose").error
    wrong = meshline("quarantine", "diagnose", "--reason", "handoff_mismatch").error
    assert "leave --reason out" in wrong
    assert "there is no event 'ghost'" in meshline("quarantine", "diagnose", "ghost").error

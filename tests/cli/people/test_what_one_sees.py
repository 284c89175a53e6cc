"""What a person may not see is not there, for every command that reads."""

from __future__ import annotations

import pytest

from orchestrator.domain.access.actor import login, process
from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.access.people import RoleChange, add_person, disable_person
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.switch_destinations import pause_destination
from orchestrator.store.changes.approvers import require_approvals
from tests.cli.desk import CommandLine, validate_leads
from tests.house.reads import READS
from tests.leads import TEXT, accept_leads, lead_workflow, publish_leads, renamed_lead
from tests.people import ADMIN, add, key_of, logged_in, withdraw
from tests.store.approvals.asked import ASKING, drive

VIC, ADA = "vic@globex.example", "ada@acme.example"

# What each shows; `{event}`, `{plan}` and the like are of acme's story.
READING = {
    "audit": ("audit", "--json"),
    "events list": ("events", "list", "--json"),
    "incidents list": ("incidents", "list", "--json"),
    "incidents work": ("incidents", "work", "--json"),
    "quarantine list": ("quarantine", "list", "--json"),
    "quarantine recipes": ("quarantine", "recipes", "--json"),
    "quarantine plan list": ("quarantine", "plan", "list", "--json"),
    "sla list": ("sla", "list", "--json"),
    "destinations list": ("destinations", "list", "--json"),
    "alerts list": ("alerts", "list", "--json"),
    "dead-letters list": ("dead-letters", "list", "--json"),
    "jobs list": ("jobs", "list", "--json"),
    "keys list": ("keys", "list", "--json"),
    "people list": ("people", "list", "--json"),
    "people signing-key list": ("people", "signing-key", "list", "--json"),
    "workflow list": ("workflow", "list", "--json"),
    "change list": ("change", "list", "--json"),
    "approvals list": ("approvals", "list", "--json"),
}
SHOWING = {
    "events show": ("events", "show", "{event}"),
    "incidents show": ("incidents", "show", "1"),
    "quarantine diagnose": ("quarantine", "diagnose", "--workflow", "leads"),
    "quarantine show": ("quarantine", "show", "{event}"),
    "quarantine plan show": ("quarantine", "plan", "show", "{plan}"),
    "jobs show": ("jobs", "show", "{job}"),
    "dead-letters show": ("dead-letters", "show", "1"),
    "workflow show": ("workflow", "show", "leads"),
    "workflow graph": ("workflow", "graph", "leads"),
    "people show": ("people", "show", ADA),
    "change show": ("change", "show", "{change}"),
    "change rollout": ("change", "rollout", "{change}"),
    "change prove": ("change", "prove", "{change}"),
    "approvals show": ("approvals", "show", "{asked}"),
    "change check": ("change", "check", "{change}"),
    "change diff": ("change", "diff", "{file}"),
    "events list --client": ("events", "list", "--client", "acme"),
    "quarantine list --incident": ("quarantine", "list", "--incident", "1"),
}
# They read files, connectors and the machine, and nothing of a client.
_OF_NOBODY = {
    *("doctor", "connectors list", "connectors show", "connectors check", "connectors schema"),
    *("workflow check", "workflow test", "workflow try"),
    *("sources list", "sources check", "sources try"),
}


def test_every_command_that_reads_is_here() -> None:
    named = {name for name in SHOWING if "--" not in name}
    assert set(READING) | named | _OF_NOBODY == READS


@pytest.fixture
def acme(meshline: CommandLine) -> CommandLine:
    """Acme has something of everything, and two people; globex has a viewer."""
    with meshline.store() as store:
        publish_leads(store, ASKING)
        ids = [one.id for one in accept_batch(store, [renamed_lead(0), renamed_lead(1)], actor="k")]
        validate_leads(store)
        (asked,) = accept_leads(store, 1, tier="enterprise")
        drive(store)
        pause_destination(store, ["acme/leads/crm"], why="they move house", actor=login("cli:root"))
    meshline.names = {"event": ids[0], "asked": asked}
    fixed = meshline(
        "quarantine", "recipe", "--workflow", "leads", "--rename", "customer_tier=tier", "--apply"
    )
    assert fixed.code == 0, fixed.err
    plan = meshline("quarantine", "replay", "--workflow", "leads", "--plan", "--json").document
    meshline.names["plan"] = plan["token"]
    job = meshline("quarantine", "run", plan["token"], "--background", "--json").document
    meshline.names["job"] = str(job["id"])
    meshline("keys", "create", "--client", "acme", "--label", "form")
    with meshline.store() as store:
        with store.write() as tx:
            require_approvals(tx, "acme", cause="a test", actor="cli:root")
        later = lead_workflow(TEXT.replace("15m", "25m"))
        proposed = publish_workflow(store, later, actor=process("x"))
    meshline.names["change"] = str(proposed.change)
    meshline.names["file"] = meshline.write("new.yaml", TEXT.replace("15m", "30m"))
    with meshline.store() as store:
        add_person(
            store, ADMIN, name="", actor=login("cli:root"),
            roles=[RoleChange(client=EVERY_CLIENT, role=Role.ADMIN)],
        )  # fmt: skip
        add(store, ADA, Role.VIEWER, "acme")
        add(store, VIC, Role.ADMIN, "globex")
    return meshline


NOTHING_OF = {"alerts list", "dead-letters list", "people signing-key list"}
"""Listings that the story puts nothing into."""


def words(acme: CommandLine, command: tuple[str, ...]) -> list[str]:
    return [word.format(**acme.names) for word in command]


def test_a_listing_has_nothing_of_another_client(acme: CommandLine) -> None:
    for name, command in READING.items():
        hers = acme("--as", VIC, *words(acme, command))
        all_ = acme("--as", ADMIN, *words(acme, command))

        assert (hers.code, all_.code) == (0, 0), hers.err + all_.err
        told = hers.out.replace(VIC, "").replace("globex", "")
        assert "acme" not in told, name
        assert acme.names["event"] not in told, name
        if name not in NOTHING_OF:
            assert "acme" in all_.out or name == "incidents work", name


def test_what_is_another_clients_is_not_there(acme: CommandLine) -> None:
    for name, command in SHOWING.items():
        hers = acme("--as", VIC, *words(acme, command))

        assert "there is no " in hers.error, name
        # Nobody approved it, and nothing of it is rolled out.
        if name not in ("dead-letters show", "change prove", "change rollout"):
            assert acme("--as", ADA, *words(acme, command)).code == 0, name


def test_somebody_without_a_role_is_told_so_instead_of_shown_nothing(acme: CommandLine) -> None:
    with acme.store() as store:
        add(store, "was@acme.example", Role.VIEWER, "acme")
        withdraw(store, "was@acme.example", Role.VIEWER, "acme")
        add(store, "off@acme.example", Role.VIEWER, "acme")
        disable_person(store, "off@acme.example", actor=logged_in(store, ADMIN))
        admin = logged_in(store, ADMIN)
        producer = create_key(store, clients=["acme"], label="form", actor=admin)
        hers = key_of(store, ADA, Role.VIEWER, "acme")
        withdraw(store, ADA, Role.VIEWER, "acme")

    for command in (*READING.values(), ("people", "show", ADMIN)):
        for mail in ("was@acme.example", "off@acme.example"):
            assert f"{mail} has no role with which to" in acme("--as", mail, *command).error
        assert "this key may not" in acme(*command, MESHLINE_ACTOR=producer).error
        lost = acme(*command, MESHLINE_ACTOR=hers).error
        assert f"this key of {ADA} may not" in lost
        assert "needs a role again, which an admin gives" in lost


def test_who_may_look_and_manages_no_keys_is_told_so(acme: CommandLine) -> None:
    assert f"{ADA} has no role with which to create" in acme("--as", ADA, "keys", "list").error


def test_somebody_who_is_not_named_sees_nothing(acme: CommandLine) -> None:
    for command in (*READING.values(), *SHOWING.values()):
        assert "nobody is named" in acme(*words(acme, command)).error, command

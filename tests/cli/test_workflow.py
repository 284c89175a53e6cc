"""Workflows from the command line: every fault in its place, and versions that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.workflow.mermaid import flowchart
from tests.cli.desk import CommandLine
from tests.leads import TEXT, lead_workflow

WORKFLOWS = Path(__file__).parents[2] / "workflows"
TWO_FAULTS = TEXT.replace("approver: head-of-support@acme.example", "aprover: x@acme.example")
ONE_FAULT = TEXT.replace("tier: data.tier}", "tier: data.teir}")


def test_a_good_file_is_ok(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT)

    ran = meshline("workflow", "check", "leads.yaml")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "leads.yaml: ok: leads of client acme takes lead.created\n"


def test_every_fault_stands_on_a_line_of_its_own_with_file_and_line(meshline: CommandLine) -> None:
    meshline.write("good.yaml", TEXT)
    meshline.write("bad.yaml", TWO_FAULTS)

    ran = meshline("workflow", "check", "good.yaml", "bad.yaml")

    assert ran.code == 1
    assert ran.out.startswith("good.yaml: ok")
    unknown = next(line for line in ran.err.splitlines() if "aprover" in line)
    assert unknown.startswith("bad.yaml:8: owners.aprover: ")
    assert "write `approver`" in unknown
    assert all(line.startswith("bad.yaml") for line in ran.err.splitlines())
    assert len(ran.err.splitlines()) == 2


def test_json_has_the_same_faults_and_nothing_is_on_stderr(meshline: CommandLine) -> None:
    meshline.write("bad.yaml", ONE_FAULT)

    ran = meshline("workflow", "check", "bad.yaml", "--json")

    assert (ran.code, ran.err) == (1, "")
    assert ran.document["ok"] is False
    (fault,) = ran.document["faults"]
    assert fault.keys() == {"file", "path", "problem", "fix", "line"}
    assert (fault["file"], fault["path"], fault["line"]) == ("bad.yaml", "facts.tier", 17)


def test_a_note_refuses_nothing_and_has_a_list_of_its_own(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT.replace("format: email", "format: email, default: x"))

    ran = meshline("workflow", "check", "leads.yaml")

    assert ran.code == 0
    assert ran.out.startswith("leads.yaml: ok")
    assert ran.err.startswith("leads.yaml:15: note: contract.properties.email.default: ")
    shown = meshline("workflow", "check", "leads.yaml", "--json")
    assert (shown.code, shown.err, shown.document["faults"]) == (0, "", [])
    (note,) = shown.document["notes"]
    assert note.keys() == {"file", "path", "problem", "fix", "line"}
    published = meshline("workflow", "publish", "leads.yaml")
    assert (published.code, published.err) == (0, ran.err)


def test_a_file_that_is_not_there_is_a_fault(meshline: CommandLine) -> None:
    ran = meshline("workflow", "check", "none.yaml")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("none.yaml: ")
    assert len(ran.err.splitlines()) == 1


def test_a_connector_definition_that_is_wrong_is_a_fault(meshline: CommandLine) -> None:
    (meshline.folder / "connectors").mkdir()
    meshline.write("connectors/crm.yaml", "connector: crm\nkind: carrier-pigeon\n")
    meshline.write("leads.yaml", TEXT)

    ran = meshline("workflow", "check", "leads.yaml", MESHLINE_CONNECTORS="connectors")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("connectors/crm.yaml:")
    assert "kind: " in ran.err


def test_publish_makes_versions_and_says_when_nothing_changed(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT)
    assert meshline("workflow", "publish", "leads.yaml").out == (
        "leads of client acme: version 1 is live\n"
    )
    assert "version 1 is live already" in meshline("workflow", "publish", "leads.yaml").out

    meshline.write("leads.yaml", TEXT.replace("New leads", "Fresh leads"))
    dry = meshline("workflow", "publish", "leads.yaml", "--dry-run")
    assert dry.out == "leads of client acme: version 2 would be live\n"
    done = meshline("workflow", "publish", "leads.yaml", "--json")
    (published,) = done.document["workflows"]
    assert done.document["dry_run"] is False
    assert published.pop("change")
    assert published == {
        "client": "acme",
        "workflow": "leads",
        "version": 2,
        "unchanged": False,
        "lost_amend": 0,
        "state": "live",
    }


def test_with_one_bad_file_none_is_published(meshline: CommandLine) -> None:
    meshline.write("good.yaml", TEXT)
    meshline.write("bad.yaml", ONE_FAULT)

    ran = meshline("workflow", "publish", "good.yaml", "bad.yaml")

    assert (ran.code, ran.out) == (1, "")
    assert len(ran.err.splitlines()) == 1
    assert not (meshline.folder / ".meshline").exists()


def test_a_trial_run_publishes_nothing(meshline: CommandLine) -> None:
    meshline.publish()
    meshline.write("leads.yaml", TEXT.replace("New leads", "Fresh leads"))

    meshline("workflow", "publish", "leads.yaml", "--dry-run")

    assert [
        one["version"] for one in meshline("workflow", "list", "--json").document["workflows"]
    ] == [1]


def test_a_second_live_workflow_for_one_trigger_is_refused(meshline: CommandLine) -> None:
    meshline.publish()
    meshline.write("rival.yaml", TEXT.replace("workflow: leads", "workflow: rival"))

    error = meshline("workflow", "publish", "rival.yaml").error

    assert error.startswith("trigger.type: 'lead.created' of client 'acme' is taken by")
    assert "'leads'" in error


def test_the_list_has_live_versions_and_on_demand_all(meshline: CommandLine) -> None:
    meshline.publish()
    meshline.write("leads.yaml", TEXT.replace("New leads", "Fresh leads"))
    meshline("workflow", "publish", "leads.yaml")

    live = meshline("workflow", "list", "--json").document["workflows"]
    every = meshline("workflow", "list", "--all-versions", "--json").document["workflows"]

    assert [(one["workflow"], one["version"], one["live"]) for one in live] == [("leads", 2, True)]
    assert [(one["version"], one["live"]) for one in every] == [(1, False), (2, True)]
    assert "definition" not in live[0]
    assert "there is no client 'acne'" in meshline("workflow", "list", "--client", "acne").error
    assert "lead.created" in meshline("workflow", "list").out


def test_a_version_is_shown_whole(meshline: CommandLine) -> None:
    meshline.publish()

    shown = meshline("workflow", "show", "leads")
    document = meshline("workflow", "show", "leads", "--json").document

    assert shown.out.startswith("# version 1, live\n# published ")
    assert "recovery_lead: triage@acme.example" in shown.out
    assert document["definition"] == lead_workflow().definition()
    assert (document["version"], document["published_by"]) == (1, "cli:tester")


HOLIDAYS = TEXT.replace(
    "recover_within: 72h}",
    "recover_within: 72h, calendar: {zone: Europe/Vienna, hours: {mon-fri: ['09:00-17:00']},"
    " holidays: [AT, 2026-12-24]}}",
)


@pytest.mark.parametrize(
    "text", [TEXT, HOLIDAYS, *(file.read_text() for file in sorted(WORKFLOWS.glob("*.yaml")))]
)
def test_what_is_shown_can_be_checked_and_published_as_the_same_version(
    meshline: CommandLine, text: str
) -> None:
    connectors = {"MESHLINE_CONNECTORS": str(WORKFLOWS / "connectors")}
    meshline.write("file.yaml", text)
    made = meshline("workflow", "publish", "file.yaml", "--json", **connectors).document
    (name,) = (one["workflow"] for one in made["workflows"])

    meshline.write("shown.yaml", meshline("workflow", "show", name).out)

    checked = meshline("workflow", "check", "shown.yaml", **connectors)
    assert checked.code == 0, checked.out + checked.err
    again = meshline("workflow", "publish", "shown.yaml", **connectors)
    assert "version 1 is live already" in again.out


def test_what_is_not_published_cannot_be_shown(meshline: CommandLine) -> None:
    meshline.publish()

    assert meshline("workflow", "show", "ghost").error.startswith("there is no live workflow 'gho")
    assert "version 7" in meshline("workflow", "show", "leads", "--version", "7").error


def test_a_name_that_two_clients_use_needs_the_client(meshline: CommandLine) -> None:
    meshline.publish()
    meshline.write("other.yaml", TEXT.replace("client: acme", "client: globex"))
    meshline("workflow", "publish", "other.yaml")

    assert "clients acme, globex each have" in meshline("workflow", "show", "leads").error
    assert meshline("workflow", "show", "leads", "--client", "globex").code == 0


@pytest.mark.parametrize("source", ["leads.yaml", "leads"])
def test_a_workflow_is_drawn_from_its_file_and_from_the_store(
    meshline: CommandLine, source: str
) -> None:
    meshline.publish()
    meshline.write("leads.yaml", TEXT)

    assert meshline("workflow", "graph", source).out.splitlines() == [
        "flowchart TD",
        '  trigger(["lead.created"]) --> contract',
        '  contract["contract<br/>requires email, tier"] --> route1',
        '  contract -- "is broken" --> quarantine',
        '  route1{"tier == #34;enterprise#34;"}',
        '  route1 -- "yes" --> destination1',
        '  route1 -- "yes" --> destination2',
        '  route1 -- "no" --> route2',
        '  route2{"tier == #34;pro#34;"}',
        '  route2 -- "yes" --> destination1',
        '  route2 -- "no" --> quarantine',
        '  destination1[["crm<br/>fake.record"]]',
        '  destination2[["desk<br/>fake.record"]]',
        '  quarantine[/"quarantine<br/>triage@acme.example"/]',
    ]


def test_a_destination_for_items_is_drawn_with_their_list() -> None:
    contract = "    tier: {enum"
    text = TEXT.replace(contract, f"    lines: {{type: array}}\n{contract}")
    text = text.replace("required: [", "required: [lines, ")
    text = text.replace("  desk: {", "  desk: {each: data.lines, key: string(line), ")

    assert '[["desk<br/>fake.record<br/>each of data.lines"]]' in flowchart(lead_workflow(text))


def test_a_rule_cannot_draw_outside_its_box() -> None:
    hostile = TEXT.replace("""'tier == "pro"'""", """'tier == "pro" || tier == "</b>;`#"'""")

    chart = flowchart(lead_workflow(hostile))

    (rule,) = [line for line in chart.splitlines() if line.startswith("  route2{")]
    assert rule == ('  route2{"tier == #34;pro#34; || tier == #34;#60;/b#62;;#96;#35;#34;"}')


def test_a_file_that_cannot_be_drawn_says_why(meshline: CommandLine) -> None:
    meshline.write("bad.yaml", ONE_FAULT)

    assert meshline("workflow", "graph", "bad.yaml").error.startswith("bad.yaml: line 17: facts.")

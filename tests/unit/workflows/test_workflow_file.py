"""Workflow files: every fault at once, each with its line, its path and what to write instead."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestrator.domain.delivery.verdicts import Routed
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.domain.workflows.compiled import compile_workflow
from orchestrator.domain.workflows.file import parse_workflow, read_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.pipeline.route import route
from tests.unit.example import CATALOG

EXAMPLE = Path(__file__).parents[3] / "workflows" / "lead-routing.yaml"

TEXT = """\
workflow: lead-routing
client: acme
title: New leads reach the onboarding desk
trigger: {type: lead.created}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract:
  type: object
  required: [email, tier]
  properties:
    email: {type: string, format: email}
    tier: {enum: [enterprise, pro]}
    message: {type: string}
facts:
  email: data.email
  tier: data.tier
  message: {value: data.message, optional: true}
routes:
  - when: 'tier == "enterprise"'
    to: [crm, desk]
  - when: 'tier == "pro"'
    to: [crm]
destinations:
  crm: {connector: crm, action: upsert_contact, send: {email: email}, confirm: [email]}
  desk:
    connector: helpdesk
    action: create_ticket
    send: {title: '"Onboard " + email', queue: '"senior"'}
    confirm: [title]
sla: {deliver_within: 15m, recover_within: 72h}
"""


def parse(text: str, catalog: Catalog | None = CATALOG, folder: Path | None = None) -> Workflow:
    return parse_workflow(text, name="leads.yaml", folder=folder, catalog=catalog)


def faults(text: str, folder: Path | None = None) -> list[Fault]:
    with pytest.raises(InvalidFile) as refused:
        parse(text, folder=folder)
    return list(refused.value.faults)


def test_the_example_can_be_read_and_routes_a_lead() -> None:
    workflow = read_workflow(EXAMPLE)

    verdict = route({"email": "ann@example.com", "tier": "starter"}, compile_workflow(workflow))

    assert isinstance(verdict, Routed)
    assert [one.destination for one in verdict.deliveries] == ["crm", "desk"]
    assert verdict.deliveries[1].send == {"title": "Onboard ann@example.com", "queue": "desk"}


def test_what_an_action_requires_is_kept_with_the_workflow() -> None:
    workflow = parse(TEXT)

    assert workflow.destinations["crm"].required == ("email",)
    assert workflow.destinations["desk"].required == ("queue", "title")
    assert Workflow.from_definition(workflow.definition()) == workflow
    assert parse(TEXT, catalog=None).destinations["desk"].required == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "problem", "fix"),
    [
        ("client: acme\n", "", 1, "client", "missing", "client: acme"),
        (
            "  backstop: on-call@agency.example\n",
            "",
            5,
            "owners.backstop",
            "missing",
            "backstop: some",
        ),
        ("backstop:", "back_stop:", 9, "owners.back_stop", "not known", "write `backstop`"),
        ("title: New", "title: [New]\nx: New", 3, "title", '["New"] is not text', "quotes"),
        ("when: 'tier == \"pro\"'", "when: true", 24, "routes.1.when", "not text", "quotes"),
        ("to: [crm]", "to: crm", 25, "routes.1.to", "not a list", "[...]"),
        ("to: [crm]", "to: []", 25, "routes.1.to", "too few", "at least 1"),
        ("to: [crm]", "to: [cmr]", 25, "routes.1.to.0", "no destination `cmr`", "write `crm`"),
        ("to: [crm]", "to: [crm, crm]", 25, "routes.1.to.1", "twice", "once"),
        ('tier == "pro"', "tier == 5", 24, "routes.1.when", "never equal", '"5"'),
        ('tier == "pro"', 'teir == "pro"', 24, "routes.1.when", "'teir'", "write `tier`"),
        (
            "data.tier",
            "data.teir",
            19,
            "facts.tier",
            "not declare `data.teir`",
            "write `data.tier`",
        ),
        (
            "{value: data.message, optional: true}",
            "data.message",
            20,
            "facts.message",
            "not require",
            "{value: data.message, optional: true}",
        ),
        ("optional: true", "optional: yes", 20, "facts.message.optional", '"yes"', "true or false"),
        (
            "confirm: [title]",
            "confirm: [ttle]",
            32,
            "destinations.desk.confirm.0",
            "not in `send`",
            "`title`",
        ),
        ("15m", "15", 33, "sla.deliver_within", "'15' is not a duration", "15m"),
        ("72h", "9000d", 33, "sla.recover_within", "9000d is out of range", "from 1s to 365d"),
        (
            "format: email",
            "format: emial",
            14,
            "contract.properties.email.format",
            "emial",
            "`email`",
        ),
        (
            "trigger: {type: lead.created}",
            "trigger: lead.created",
            4,
            "trigger",
            "not a mapping",
            "`trigger: {type: lead.created}`",
        ),
        (
            "email: {type: string, format: email}",
            "email: string",
            14,
            "contract.properties.email",
            "not a schema",
            "`email: {type: string}`",
        ),
        (
            "email: {type: string, format: email}",
            'email: [string, "null"]',
            14,
            "contract.properties.email",
            "not a schema",
            '`email: {type: [string, "null"]}`',
        ),
        (
            "email: {type: string, format: email}",
            "email:",
            14,
            "contract.properties.email",
            "says nothing",
            "`email: {type: string}`",
        ),
        (
            "email: {type: string, format: email}",
            "email: text",
            14,
            "contract.properties.email",
            "not a schema",
            "`email: {type: string}`",
        ),
        ("type: object", "type: objet", 11, "contract.type", '"objet"', "object"),
        (
            "required: [email, tier]",
            "required: email",
            12,
            "contract.required",
            "not of type",
            "list",
        ),
        ("client: acme", "client: acme\nclient: other", 3, "client", "twice", "once"),
        ("client: acme", "client: !acme acme", 2, "client", "tag !acme", "without tags"),
        (
            "    confirm: [title]",
            "    confirm: [title]\n    required: [title]",
            33,
            "destinations.desk.required",
            "not known",
            "connector declares",
        ),
    ],
)
def test_a_fault_has_its_line_its_path_and_what_to_write_instead(
    old: str, new: str, line: int, path: str, problem: str, fix: str
) -> None:
    text = TEXT.replace(old, new)

    found = [one for one in faults(text) if one.path == path]

    assert [one.line for one in found] == [line]
    assert problem in found[0].problem
    assert fix in found[0].fix


def test_all_faults_are_told_at_once_and_in_the_files_order() -> None:
    text = (
        TEXT.replace("client: acme", "client: Acme Inc")
        .replace("  approver: head-of-support@acme.example\n", "")
        .replace("format: email", "format: emial")
        .replace("data.tier", "data.teir")
        .replace('tier == "pro"', 'tier = "pro"')
        .replace("action: create_ticket", "action: create_tickets")
        .replace("15m", "soon")
    )

    found = faults(text)

    assert [one.path for one in found] == [
        "client",
        "owners.approver",
        "contract.properties.email.format",
        "facts.tier",
        "routes.1.when",
        "destinations.desk.action",
        "sla.deliver_within",
    ]
    lines = [one.line for one in found]
    assert lines == sorted(line or 0 for line in lines)


def test_what_cannot_be_read_does_not_hide_what_is_wrong_with_the_rest() -> None:
    text = TEXT.replace("to: [crm, desk]", "to: desk").replace("queue: '\"senior\"'", "queue: 5")
    text = text.replace('tier == "pro"', 'teir == "pro"')

    assert [one.path for one in faults(text)] == [
        "routes.0.to",
        "routes.1.when",
        "destinations.desk.send.queue",
    ]


def test_a_destination_is_not_called_unused_while_a_route_cannot_be_read() -> None:
    (found,) = faults(TEXT.replace("to: [crm, desk]", "to: desk"))

    assert found.path == "routes.0.to"


@pytest.mark.parametrize("text", ["", "5", "[1]", "just words", "# nothing\n"])
def test_a_file_that_is_no_mapping_is_told_so(text: str) -> None:
    (found,) = faults(text)

    assert "not a mapping" in found.problem


def test_broken_yaml_is_one_fault_with_its_line() -> None:
    (found,) = faults(TEXT.replace("[crm, desk]", "[crm, desk"))

    assert found.line == 24


def test_a_destination_that_no_route_leads_to_is_refused() -> None:
    found = faults(TEXT.replace("to: [crm, desk]", "to: [crm]"))

    assert [(one.path, one.line) for one in found] == [("destinations.desk", 28)]


def test_the_error_itself_names_the_file_and_the_first_fault() -> None:
    with pytest.raises(InvalidFile, match=r"^leads.yaml: line 2: client: .* \(and 1 more\)$"):
        parse(TEXT.replace("client: acme", "client: A").replace("15m", "x"))


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """A folder with a JSON Schema file that holds more than the one contract."""
    lead = {
        "type": "object",
        "required": ["email", "tier"],
        "properties": {
            "email": {"$ref": "#/definitions/text"},
            "tier": {"$ref": "#/definitions/text"},
            "message": {"type": "string"},
        },
    }
    document = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "definitions": {"lead": lead, "text": {"type": "string"}, "other": {"type": "null"}},
    }
    (tmp_path / "leads.json").write_text(json.dumps(document))
    (tmp_path / "broken.json").write_text('{"type": "object",}')
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "here").mkdir()
    return tmp_path


def with_contract(contract: str) -> str:
    before, _, rest = TEXT.partition("contract:\n")
    return f"{before}contract: {contract}\nfacts:{rest.partition('facts:')[2]}"


@pytest.mark.parametrize("file", ["leads.json", "here/../leads.json", "here/linked.json"])
def test_a_contract_can_stand_in_a_schema_file_of_its_own(schemas: Path, file: str) -> None:
    (schemas / "here" / "linked.json").symlink_to("../leads.json")
    text = with_contract(f"{{file: {file}, pointer: /definitions/lead}}")

    workflow = parse(text, folder=schemas)

    assert workflow.contract["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert workflow.contract["definitions"] == {"text": {"type": "string"}}
    assert workflow.contract["required"] == ["email", "tier"]


@pytest.mark.parametrize(
    ("contract", "path", "problem"),
    [
        ("{file: lead.json}", "contract.file", "No such file"),
        ("{file: .}", "contract.file", "s a directory"),
        ("{file: broken.json}", "contract.file", "line 1"),
        ("{file: list.json}", "contract.file", "not an object"),
        ("{file: /etc/passwd}", "contract.file", "absolute path outside"),
        ("{file: 5}", "contract.file", "not a path"),
        ("{file: leads.json, pointer: /definitions/laed}", "contract.pointer", "'lead' is"),
        ("{file: leads.json, pointer: lead}", "contract.pointer", "not a JSON Pointer"),
        ("{file: leads.json, ponter: /definitions/lead}", "contract.ponter", "not known"),
    ],
)
def test_a_contract_file_that_cannot_be_taken_is_a_fault(
    schemas: Path, contract: str, path: str, problem: str
) -> None:
    (found,) = faults(with_contract(contract), folder=schemas)

    assert (found.path, found.line) == (path, 10)
    assert problem in found.problem
    assert found.fix


def test_a_contract_file_stays_inside_the_workflows_folder(schemas: Path) -> None:
    home = schemas / "here"
    (home / "linked.json").symlink_to("../leads.json")
    (home / "folder").symlink_to(schemas, target_is_directory=True)
    for file in ("../leads.json", "folder/leads.json", "linked.json", "./../leads.json"):
        (found,) = faults(with_contract(f"{{file: {file}}}"), folder=home)

        assert found.path == "contract.file"
        assert found.problem == f"{file} leads out of the workflow's folder"


def test_a_contract_file_is_a_file_and_no_pipe_and_no_device(schemas: Path) -> None:
    os.mkfifo(schemas / "pipe.json")
    (schemas / "zero.json").symlink_to("/dev/zero")
    (schemas / "large.json").write_bytes(b" " * (16 * 1_048_576 + 1))
    said = {
        "pipe.json": "pipe.json is not a file",
        "zero.json": "leads out of",
        "large.json": "larger than 16 MiB",
    }
    for file, problem in said.items():
        (found,) = faults(with_contract(f"{{file: {file}}}"), folder=schemas)

        assert problem in found.problem


def test_a_text_without_a_folder_cannot_name_a_contract_file() -> None:
    (found,) = faults(with_contract("{file: leads.json}"))

    assert "needs a workflow that is a file" in found.problem


def test_a_fault_inside_a_schema_file_says_which_file() -> None:
    text = with_contract("{file: leads.json}")

    found = faults(text, folder=EXAMPLE.parent)

    assert "leads.json cannot be read" in found[0].problem


def test_a_fault_in_a_schema_file_names_the_file(schemas: Path) -> None:
    (schemas / "leads.json").write_text('{"properties": {"email": {"type": "strin"}}}')

    (found,) = faults(with_contract("{file: leads.json}"), folder=schemas)

    assert found.path == "contract.properties.email.type"
    assert found.problem.startswith("in leads.json, ")
    assert found.line == 10


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidFile, match="cannot be read"):
        read_workflow(tmp_path / name)


def test_a_file_that_is_not_utf_8_or_too_large_is_refused(tmp_path: Path) -> None:
    latin, large = tmp_path / "latin.yaml", tmp_path / "large.yaml"
    latin.write_bytes(b"title: caf\xe9")
    large.write_bytes(b"#" * 1_100_000)

    with pytest.raises(InvalidFile, match="byte 10 is not UTF-8"):
        read_workflow(latin)
    with pytest.raises(InvalidFile, match="larger than 1 MiB"):
        read_workflow(large)


AMEND = """\
amend:
  - {rename: customer_tier, to: tier}
  - {set: message, value: none, reason: the old form had none}
"""


def test_a_standing_amendment_is_kept_as_it_was_written() -> None:
    workflow = parse(TEXT + AMEND)

    assert workflow.definition()["amend"] == [
        {"rename": "customer_tier", "to": "tier"},
        {"set": "message", "value": "none", "reason": "the old form had none"},
    ]
    assert Workflow.from_definition(workflow.definition()) == workflow


def test_a_workflow_without_one_says_what_it_said_before_there_was_the_key() -> None:
    assert "amend" not in parse(TEXT).definition()


def test_the_faults_of_a_standing_amendment_have_their_lines() -> None:
    text = TEXT + "amend:\n  - {rename: a, to: b.c}\n  - {drop: a, tu: b}\n  - {set: a, value: 1}\n"

    first = len(TEXT.splitlines()) + 2
    assert [(one.path, one.line) for one in faults(text)] == [
        ("amend.0", first),
        ("amend.1.tu", first + 1),
        ("amend.2", first + 2),
    ]

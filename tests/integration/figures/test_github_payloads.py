"""329 recorded webhook payloads, each held against its published schema, on both stores.

What a stock JSON Schema validator refuses, and only that, is in quarantine with the same error
paths; all others are confirmed at the sandbox, once each.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.views.quarantine.list import list_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from tests.conftest import SHARED
from tests.integration.pairs import ENDS, Pair
from tests.integration.system import System, running_system

GITHUB = SHARED / "inputs" / "github-webhooks"

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(
        not GITHUB.is_dir(), reason=f"the recorded payloads are not beside this checkout ({GITHUB})"
    ),
]

ARCHIVE = """\
connector: archive
kind: http
base_url: env:MESHLINE_SANDBOX_URL
private_network: true
auth: {bearer: "env:MESHLINE_SANDBOX_TOKEN"}
actions:
  keep:
    idempotency: none
    proof: read_back
    required: [event, sender]
    timeout: 2s
    create:
      path: /records/github
      headers: {Idempotency-Key: "{key}"}
      json: "{send}"
      record_id: id
    read:
      path: /records/github/{record_id}
      fields: fields
"""

WORKFLOW = """\
workflow: github-{slug}
client: acme
title: GitHub's {name} events are archived
trigger: {{type: github.{name}}}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract: {{file: schema.json, pointer: {pointer}}}
formats: annotate
facts: {{}}
routes:
  - {{when: 'true', to: [archive]}}
destinations:
  archive: {{connector: archive, action: keep,
    send: {{event: '"{name}"', sender: '"github"'}}, confirm: [event, sender]}}
sla: {{deliver_within: 15m, recover_within: 72h}}
"""


def recorded() -> Iterator[tuple[str, int, Any]]:
    for one in json.loads((GITHUB / "payloads" / "index.json").read_text()):
        for number, example in enumerate(one["examples"]):
            yield one["name"], number, example


@functools.cache
def pointer(name: str) -> str:
    """Where an event's schema is: events with actions end in _event, others in $event."""
    known = json.loads((GITHUB / "schema.json").read_text())["definitions"]
    ending = "_event" if f"{name}_event" in known else "$event"
    return f"/definitions/{name}{ending}"


def stock_error_paths() -> dict[str, set[str]]:
    """What the stock validator finds: the paths of the errors by payload, where there are any."""
    schema = json.loads((GITHUB / "schema.json").read_text())
    found = {}
    for name, number, payload in recorded():
        pointed = {"definitions": schema["definitions"], "$ref": f"#{pointer(name)}"}
        errors = jsonschema.Draft7Validator(pointed).iter_errors(payload)
        paths = {"".join(f"/{escaped(part)}" for part in error.absolute_path) for error in errors}
        if paths:
            found[f"{name}-{number}"] = paths
    return found


def escaped(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


@pytest.mark.parametrize("pair", ENDS, indirect=True)
def test_exactly_what_a_stock_validator_refuses_is_quarantined(tmp_path: Path, pair: Pair) -> None:
    home = tmp_path / "home"
    expected = stock_error_paths()
    assert len(expected) == 52
    with running_system(home, pair) as system:
        (home / "connectors" / "archive.yaml").write_text(ARCHIVE)
        ids = accept_all(system, home / "connectors")
        system.start_sandbox()
        system.start_relay()
        system.start_worker()

        counts = system.wait_until_settled(len(ids))

        assert (counts["delivered"], counts["quarantined"]) == (277, 52)
        assert error_paths(system, ids) == expected
        fine = {event_id for event_id, key in ids.items() if key not in expected}
        archived = system.count_by_key("records/github")
        assert archived == {f"{event_id}.archive": 1 for event_id in fine}


def accept_all(system: System, connectors: Path) -> dict[str, str]:
    """Publish a workflow for each event name and accept every payload; keys by event id."""
    names = {name for name, _, _ in recorded()}
    known = catalog(load_connectors(connectors))
    for name in sorted(names):
        text = WORKFLOW.format(name=name, slug=name.replace("_", "-"), pointer=pointer(name))
        workflow = parse_workflow(text, name=f"{name}.yaml", folder=GITHUB, catalog=known)
        publish_workflow(system.store, workflow, actor=login("cli:tester"))
    triggers = [
        Trigger(
            client="acme",
            type=f"github.{name}",
            payload=strict_json.dumps(payload),
            digest=strict_json.digest(payload),
            idempotency_key=f"{name}-{number}",
        )
        for name, number, payload in recorded()
    ]
    accepted = accept_batch(system.store, triggers, actor="key:test")
    keys = [trigger.idempotency_key for trigger in triggers]
    return {one.id: str(key) for one, key in zip(accepted, keys, strict=True)}


def error_paths(system: System, ids: dict[str, str]) -> dict[str, set[str]]:
    with system.store.read() as tx:
        standing = list_quarantine(tx, Selection(reason="contract_violation"))
    return {ids[one.id]: {each.path for each in one.violations} for one in standing}

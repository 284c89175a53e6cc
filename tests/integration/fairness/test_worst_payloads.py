"""What one client sends at its worst delays no other client's leads by more than a turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.embedded.ready import says
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.views.events.show import show_event
from orchestrator.store.views.quarantine.list import EVERYTHING, list_quarantine
from tests.integration.crashes.slow_worker import ENDLESS
from tests.integration.pairs import Pair
from tests.integration.quick_leads import EXAMPLES, delivered, publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

COMPANIONS = 40
LEADS = 400
WORST = 200  # a whole group of them

OPTIONS = [{"option": number} for number in range(300)]
WORST_WORKFLOW: dict[str, Any] = {
    "workflow": "worst",
    "client": "globex",
    "title": "Trees and lists that are as dear as they may be",
    "trigger": {"type": "worst.sent"},
    "owners": dict.fromkeys(
        ("owner", "recovery_lead", "approver", "backstop"), "triage@globex.example"
    ),
    "contract": {
        "$defs": {
            "node": {
                "anyOf": [
                    {"properties": {"a": {"$ref": "#/$defs/node"}}, "required": [name]}
                    for name in ("x", "y")
                ]
            }
        },
        "type": "object",
        "required": ["email"],
        "properties": {
            "email": {"type": "string"},
            "tree": {"$ref": "#/$defs/node"},
            "list": {"items": {"enum": OPTIONS}},
        },
    },
    "facts": {"email": "data.email"},
    "routes": [{"when": "true", "to": ["crm"]}],
    "destinations": {
        "crm": {
            "connector": "crm",
            "action": "upsert_contact",
            "send": {"email": "email", "tier": '"pro"'},
            "confirm": ["email"],
        }
    },
    "sla": {"deliver_within": "15m", "recover_within": "72h"},
}


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        take_quick_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        yield running


def test_leads_are_delivered_while_another_client_sends_its_worst(system: System) -> None:
    system.environment["MESHLINE_TASK_TIME_LIMIT_SECONDS"] = "5"
    publish_worst(system)
    accept_batch(system.store, [worst(number) for number in range(WORST)], actor="key:globex")
    system.start_relay()
    system.start_worker()
    wait_until(lambda: delivered(system, "worst") > 0)

    accept_batch(system.store, [lead(number) for number in range(LEADS)], actor="key:acme")
    wait_until(lambda: delivered(system, "leads") == LEADS)
    done = settled(system, "worst")

    # Groups in the order of their coming would have taken all of the worst first.
    assert done < WORST / 2
    limits = quarantined(system)
    assert set(limits.values()) <= {"contract_limit"}


def test_an_event_whose_decision_does_not_end_is_found_at_once_and_its_companions_go_on(
    system: System,
) -> None:
    batch = [lead(number) for number in range(COMPANIONS)]
    batch.insert(COMPANIONS // 2, lead(0, email=ENDLESS))
    accepted = accept_batch(system.store, batch, actor="key:test")
    system.start_relay()
    worker = system._start(
        "worker", ("tests.integration.crashes.slow_worker",), ready=says(" ready.")
    )

    counts = system.wait_until_settled(COMPANIONS + 1)

    endless = accepted[COMPANIONS // 2].id
    with system.store.read() as tx:
        shown = show_event(tx, endless)
    assert counts["delivered"] == COMPANIONS
    assert quarantined(system) == {endless: "start_limit"}
    assert shown and shown.quarantine
    assert shown.quarantine.detail == (
        "the decision at validate on this event alone was not made in 5 s, so its process was ended"
    )
    assert worker.running


def publish_worst(system: System) -> None:
    text = strict_json.dumps(WORST_WORKFLOW)  # JSON is YAML
    known = catalog(load_connectors(EXAMPLES))
    workflow = parse_workflow(text, name="worst.yaml", folder=None, catalog=known)
    publish_workflow(system.store, workflow, actor=login("cli:tester"))


def worst(number: int) -> Trigger:
    """A list at the limit, or a tree far beyond it."""
    payload: dict[str, Any] = {"email": f"{number}@globex.example"}
    if number % 4:
        payload["list"] = [OPTIONS[-1]] * 900
    else:
        tree: dict[str, Any] = {}
        for _ in range(60):
            tree = {"a": tree}
        payload["tree"] = tree
    return Trigger(
        client="globex",
        type="worst.sent",
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=f"worst-{number}",
    )


def settled(system: System, workflow: str) -> int:
    return delivered(system, workflow) + len(quarantined(system))


def quarantined(system: System) -> dict[str, str]:
    with system.store.read() as tx:
        return {one.id: one.reason for one in list_quarantine(tx, EVERYTHING)}

"""The broker may die, and may be emptied: the store drives every event on."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshline import Event, Producer
from orchestrator.domain.access.actor import login
from orchestrator.embedded.child import Child
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.access.keys import create_key
from tests.integration.pairs import Pair
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead

pytestmark = pytest.mark.processes

LEADS = 40


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        take_quick_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        yield running


def test_what_was_accepted_without_a_broker_is_delivered_when_it_is_back(system: System) -> None:
    door = system.start_door()
    relay = system.start_relay()
    worker = system.start_worker()
    wait_until_ready(door, broker="ok")
    system.broker.process.kill()

    wait_until_ready(door, broker="degraded")
    ids = send(system, door)
    wait_until_said(relay, "the broker does not take chains")
    system.broker.process.start()

    assert system.wait_until_settled(LEADS)["delivered"] == LEADS
    assert relay.running and worker.running
    assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}
    wait_until_ready(door, broker="ok")


def test_an_emptied_broker_loses_nothing(system: System) -> None:
    relay = system.start_relay()
    ids = accept(system)
    wait_for_a_chain(system)
    system.empty_broker()

    system.start_worker()

    assert system.wait_until_settled(LEADS)["delivered"] == LEADS
    assert relay.running
    assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}


def wait_until_ready(door: str, *, broker: str) -> None:
    """Until the door says that it is ready, and this of the broker."""
    for _ in range(1200):
        with urllib.request.urlopen(f"{door}/readyz", timeout=20) as answer:
            said = json.load(answer)  # anything but 200 would have been raised
        if said["ready"] and said["broker"].startswith(broker):
            return
        time.sleep(0.05)
    raise AssertionError(said)


def send(system: System, door: str) -> list[str]:
    """Hand leads to the door; their ids."""
    key = create_key(system.store, clients=["acme"], label="tests", actor=login("cli:tester"))
    data = [
        {"email": f"lead-{number}@example.com", "tier": "enterprise"} for number in range(LEADS)
    ]
    with Producer(door, key=key, deadline=60) as producer:
        return [one.id for one in producer.emit_many(Event("lead.created", one) for one in data)]


def wait_until_said(relay: Child, text: str) -> None:
    """Until the relay has tried anew, and failed again."""
    for _ in range(1200):
        if text in relay.output():
            return
        time.sleep(0.05)
    raise AssertionError(relay.output())


def accept(system: System) -> list[str]:
    leads = [lead(number, tier="enterprise") for number in range(LEADS)]
    return [one.id for one in accept_batch(system.store, leads, actor="key:test")]


def wait_for_a_chain(system: System) -> None:
    """Until the relay has put something on the broker that can be lost."""
    for _ in range(600):
        if system.lying():
            return
        time.sleep(0.05)
    raise AssertionError("the relay has published nothing")

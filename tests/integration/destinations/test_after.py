"""A destination after another, with real workers: each made once, in order, whatever ends them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestrator.domain.access.actor import login
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.views.events.show import EventView, show_event
from orchestrator.store.views.quarantine.selection import Selection
from tests.integration.pairs import Pair
from tests.integration.quick_leads import EXAMPLES, WORKFLOW, publish_text
from tests.integration.system import System, running_system
from tests.leads import lead
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.parametrize("pair", ["sqlite+valkey", "postgresql+valkey"], indirect=True),
]

TICKETS, CONTACTS = "/helpdesk/tickets", "/crm/contacts"
AFTER = WORKFLOW.replace(
    "send: {title: '\"Onboard \" + email', queue:", "send: {title: '\"Contact \" + crm.url', queue:"
).replace("confirm: [title, queue]}", "confirm: [title, queue], after: [crm]}")
URL = "    url: {value: '/crm/contacts/{record_id}'}\n"


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        for example in EXAMPLES.glob("*.yaml"):
            text = example.read_text().replace("timeout: 5s", "timeout: 2s").rstrip() + "\n"
            more = URL if example.name == "crm.yaml" else ""
            (home / "connectors" / example.name).write_text(text + more)
        publish_text(running, AFTER)
        running.start_sandbox()
        running.start_relay()
        yield running


def accept(system: System, count: int) -> list[str]:
    leads = [lead(number, tier="enterprise") for number in range(count)]
    return [one.id for one in accept_batch(system.store, leads, actor="key:test")]


def show(system: System, event_id: str) -> EventView:
    with system.store.read() as tx:
        event = show_event(tx, event_id)
    assert event is not None
    return event


def states(system: System, event_id: str) -> dict[str, str]:
    return {one.destination: one.state for one in show(system, event_id).deliveries}


def check_made_once(system: System, ids: list[str]) -> None:
    """Each event has one contact and one ticket, and the ticket says where the contact is."""
    contacts = {row["id"] for row in system.ledger("crm/contacts")}
    assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}
    assert len(contacts) == len(ids)
    linked = {
        str(one.send["title"]).rpartition("/")[2]
        for event_id in ids
        for one in show(system, event_id).deliveries
        if one.destination == "desk"
    }
    assert linked == contacts


def test_each_is_made_once_with_the_address_of_the_one_before(system: System) -> None:
    system.start_worker()

    ids = accept(system, 40)

    assert system.wait_until_settled(40)["delivered"] == 40
    check_made_once(system, ids)


def test_a_worker_that_is_killed_between_the_two_loses_and_doubles_nothing(
    system: System,
) -> None:
    worker = system.start_worker()
    system.fail_next("slow", path=TICKETS, count=40, seconds=0.7)
    ids = accept(system, 40)
    wait_until(lambda: len(system.ledger("crm/contacts")) > 0)
    wait_until(lambda: any(states(system, one)["desk"] == "sending" for one in ids))
    for process in (*psutil.Process(worker.pid).children(recursive=True), worker):
        os.kill(process.pid, signal.SIGKILL)
    assert system.counts()["delivered"] < 40, "it was killed too late to prove anything"

    system.start_worker("worker-2")

    assert system.wait_until_settled(40)["delivered"] == 40
    check_made_once(system, ids)


def test_a_replay_goes_on_where_it_was(system: System) -> None:
    system.start_worker()
    system.fail_next("error", path=TICKETS, count=1, status=422)
    (one,) = accept(system, 1)
    assert system.wait_until_settled(1)["quarantined"] == 1
    assert states(system, one) == {"crm": "confirmed", "desk": "failed"}

    replay_events(system.store, Selection(ids=(one,)), actor=login("cli:tester"))

    assert system.wait_until_settled(1)["delivered"] == 1
    check_made_once(system, [one])


def test_what_waits_is_not_sent_where_the_one_before_fails_for_good(system: System) -> None:
    system.start_worker()
    system.fail_next("error", path=CONTACTS, count=1, status=422)
    (one,) = accept(system, 1)
    assert system.wait_until_settled(1)["quarantined"] == 1
    assert states(system, one) == {"crm": "failed", "desk": "waiting"}
    assert system.ledger("helpdesk/tickets") == []

    replay_events(system.store, Selection(ids=(one,)), actor=login("cli:tester"))

    assert system.wait_until_settled(1)["delivered"] == 1
    check_made_once(system, [one])

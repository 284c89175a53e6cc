"""Destinations that are down, closed, too fast or half done: held, paced, and taken back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.breakers import Block
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.operations.switch_destinations import pause_destination, resume_destination
from orchestrator.store.destinations.circuits import troubled_circuits
from orchestrator.store.views.audit import AuditRow, list_audit
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
QUICK = "breaker: {failures: 3, cooldown: 1s}\nactions:"
UNDO = "    undo: {method: delete, path: '/crm/contacts/{record_id}'}\n"


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        take_guarded_connectors(home / "connectors")
        publish_text(running, WORKFLOW)
        running.start_sandbox()
        running.start_relay()
        running.start_worker()
        yield running


def take_guarded_connectors(folder: Path, *, rate: str = "") -> None:
    for example in EXAMPLES.glob("*.yaml"):
        text = example.read_text().replace("timeout: 5s", "timeout: 2s")
        text = text.replace("actions:", f"{rate}{QUICK}", 1)
        undo = UNDO if example.name == "crm.yaml" else ""
        (folder / example.name).write_text(text.rstrip() + "\n" + undo)


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


def audited(system: System, action: str) -> list[AuditRow]:
    with system.store.read() as tx:
        return list_audit(tx, action=action)


def test_a_destination_that_is_down_holds_its_events_and_nobody_elses(system: System) -> None:
    system.fail_next("error", path=TICKETS, count=33)  # all at first, then three that try

    ids = accept(system, 30)
    counts = system.wait_until_settled(30)

    assert counts["delivered"] == 30
    assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}
    assert audited(system, "trip") and audited(system, "recover")
    held = {str(row.event_id) for row in audited(system, "hold")}
    assert held, "nothing was held"
    # None of them waited with its contact, and none lost a retry to the others' failures.
    assert all(show(system, one).replays == 0 for one in held)
    with system.store.read() as tx:
        assert troubled_circuits(tx) == {}


def test_a_login_that_is_refused_opens_the_breaker_at_the_first_call(system: System) -> None:
    system.fail_next("error", path=TICKETS, count=1, status=401)

    (one,) = accept(system, 1)
    wait_until(lambda: bool(audited(system, "trip")))

    (tripped,) = audited(system, "trip")
    assert tripped.reason == "unauthorized"
    assert system.wait_until_settled(1)["delivered"] == 1
    desk = next(d for d in show(system, one).deliveries if d.destination == "desk")
    assert desk.attempt == 1


def test_what_is_paused_stands_still_until_somebody_resumes_it(system: System) -> None:
    pause_destination(
        system.store, ["acme/leads/desk"], why="they move house", actor=login("cli:tester")
    )
    time.sleep(1.1)  # a worker looks once a second

    (one,) = accept(system, 1)
    wait_until(lambda: states(system, one) == {"crm": "confirmed", "desk": "held"})

    with system.store.read() as tx:
        assert troubled_circuits(tx)["acme/leads/desk"].block is Block.PAUSE
    assert show(system, one).state == "routed"
    assert system.ledger("helpdesk/tickets") == []

    resume_destination(
        system.store, ["acme/leads/desk"], why="they are back", actor=login("cli:tester")
    )
    assert system.wait_until_settled(1)["delivered"] == 1
    assert len(system.ledger("helpdesk/tickets")) == 1


def test_a_destination_that_asks_us_to_wait_is_waited_for_and_no_retry_is_spent(
    system: System,
) -> None:
    system.fail_next("rate_limit", path=TICKETS, count=4, seconds=1)

    (one,) = accept(system, 1)

    assert system.wait_until_settled(1)["delivered"] == 1
    desk = next(d for d in show(system, one).deliveries if d.destination == "desk")
    assert desk.attempt == 1
    assert not audited(system, "trip")


def test_a_rate_budget_spreads_the_calls_and_all_arrive(tmp_path: Path, pair: Pair) -> None:
    home = tmp_path / "home"
    with running_system(home, pair) as system:
        take_guarded_connectors(home / "connectors", rate="rate: {calls: 20, per: 1s, burst: 4}\n")
        publish_text(system, WORKFLOW)
        system.start_sandbox()
        system.start_relay()
        system.start_worker()
        ids = accept(system, 40)

        assert system.wait_until_settled(40)["delivered"] == 40

        assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}
        event = show(system, ids[-1])
        assert {one.attempt for one in event.deliveries} == {1}
        # 40 events of 2 calls at each: the budget of either lasts for some seconds.
        accepted, delivered = event.history[0].at, event.history[-1].at
        assert accepted[:19] < delivered[:19]


def test_what_was_made_is_taken_back_where_another_destination_refuses_for_good(
    system: System,
) -> None:
    publish_text(system, WORKFLOW + "on_failure: undo\n")
    system.fail_next("error", path=TICKETS, count=1, status=422)

    (one,) = accept(system, 1)
    assert system.wait_until_settled(1)["quarantined"] == 1

    assert states(system, one) == {"crm": "undone", "desk": "failed"}
    assert system.ledger("crm/contacts") == []
    event = show(system, one)
    assert "taken back: crm" in str(event.detail) and "422" in str(event.detail)
    told = [row.action for row in event.history if row.destination == "crm"]
    assert told == ["confirm", "plan_undo", "undo"]

    replay_events(system.store, Selection(ids=(one,)), actor=login("cli:tester"))
    assert system.wait_until_settled(1)["delivered"] == 1
    assert system.count_by_key("crm/contacts") == {f"{one}.crm.1": 1}
    assert len(system.ledger("helpdesk/tickets")) == 1


def test_an_undo_whose_system_is_down_waits_for_it(system: System) -> None:
    publish_text(system, WORKFLOW + "on_failure: undo\n")
    system.fail_next("error", path=TICKETS, count=1, status=422)
    system.fail_next("error", path=CONTACTS, method="DELETE", count=2, status=503)

    (one,) = accept(system, 1)
    assert system.wait_until_settled(1)["quarantined"] == 1

    assert states(system, one) == {"crm": "undone", "desk": "failed"}
    assert system.ledger("crm/contacts") == []

"""A process that is asked to stop hands back at once what it does not finish: no lease runs out."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from orchestrator.embedded.child import Child
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.store.database.schema import audit, deliveries
from tests.integration.pairs import Pair
from tests.integration.quick_leads import HOURS, publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

TICKETS = "/helpdesk/tickets"


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        running.environment |= HOURS
        take_quick_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        yield running


def test_a_worker_that_is_stopped_in_mid_call_finishes_it_and_hands_back_the_rest(
    system: System,
) -> None:
    count = 200
    system.fail_next("slow", path=TICKETS, count=count, seconds=0.5)
    system.start_relay()
    worker = system.start_worker()
    ids = accept(system, count)
    wait_until(lambda: len(system.ledger("helpdesk/tickets")) > 0)

    stop(worker)

    assert 0 < system.counts()["delivered"] < count, "it had nothing in hand, or all"
    assert calls_out(system) == 0

    system.start_worker("worker-2")
    assert system.wait_until_settled(count)["delivered"] == count
    assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}
    assert looked_up(system) == 0  # no call's answer was lost


def test_relays_and_workers_that_are_stopped_again_and_again_leave_nothing_lying(
    system: System,
) -> None:
    count = 400
    system.fail_next("slow", path=TICKETS, count=count, seconds=1)
    relay, worker = system.start_relay(), system.start_worker()
    accept(system, count)

    for number in range(2):
        before = system.counts()["delivered"]
        wait_until(lambda before=before: system.counts()["delivered"] > before)  # type: ignore[misc]
        stop(relay)
        stop(worker)
        assert system.counts()["delivered"] < count, "it was stopped too late to prove anything"
        relay = system.start_relay(f"relay-{number}")
        worker = system.start_worker(f"worker-{number}")

    assert system.wait_until_settled(count)["delivered"] == count
    assert set(system.count_by_key("helpdesk/tickets").values()) == {1}
    assert looked_up(system) == 0


def test_what_does_not_come_to_an_end_in_time_is_ended(system: System) -> None:
    system.environment["MESHLINE_STOP_SECONDS"] = "1"
    system.fail_next("slow", path="/crm/contacts", seconds=9, count=3)
    system.start_relay()
    worker = system.start_worker()
    accept(system, 1)
    wait_until(lambda: calls_out(system) > 0)
    family = psutil.Process(worker.pid).children(recursive=True)

    worker.ask_to_stop(signal.SIGTERM)
    worker.wait(60)

    assert "ended with 1" in worker.obituary()
    assert system.counts()["delivered"] == 0
    wait_until(lambda: not any(one.is_running() for one in family))


def accept(system: System, count: int) -> list[str]:
    leads = [lead(number, tier="enterprise") for number in range(count)]
    return [one.id for one in accept_batch(system.store, leads, actor="key:test")]


def stop(child: Child) -> None:
    """SIGTERM, as a supervisor sends it; it ends by itself, and well."""
    child.ask_to_stop(signal.SIGTERM)
    child.wait(60)
    assert not child.running
    assert "ended with 0" in child.obituary()
    assert "Traceback" not in child.output()


def calls_out(system: System) -> int:
    """How many deliveries are in a run's hand: no other run may touch them yet."""
    sending = select(func.count()).where(deliveries.c.state == "sending")
    with system.store.read() as tx:
        return int(tx.execute(sending).scalar_one())


def looked_up(system: System) -> int:
    """How many calls found a record that an earlier call had made."""
    found = select(func.count()).where(audit.c.detail.like("%an earlier call had made it%"))
    with system.store.read() as tx:
        return int(tx.execute(found).scalar_one())

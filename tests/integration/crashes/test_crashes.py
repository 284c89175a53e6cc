"""A worker is killed in mid-drain, and every lead still arrives exactly once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from orchestrator.operations.accept_triggers import accept_batch
from tests.integration.pairs import Pair
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead

LEADS = 600


@pytest.mark.processes
def test_every_lead_arrives_once_though_workers_are_killed(tmp_path: Path, pair: Pair) -> None:
    home = tmp_path / "home"
    with running_system(home, pair) as system:
        take_quick_connectors(home / "connectors")
        publish(system)
        system.start_sandbox()
        system.start_relay()
        worker = system.start_worker()
        for start in range(0, LEADS, 100):
            batch = [lead(start + one, tier="enterprise") for one in range(100)]
            accept_batch(system.store, batch, actor="key:test")

        kill_in_mid_drain(system, worker.pid, after=40)
        worker = system.start_worker("worker-2")
        kill_in_mid_drain(system, worker.pid, after=250)
        system.start_worker("worker-3")

        counts = system.wait_until_settled(LEADS)
        tickets = system.count_by_key("helpdesk/tickets")
        contacts = system.ledger("crm/contacts")
        assert counts["delivered"] == LEADS, counts
        assert len(tickets) == LEADS and set(tickets.values()) == {1}
        assert len(contacts) == LEADS


def kill_in_mid_drain(system: System, pid: int, *, after: int) -> None:
    """SIGKILL the worker and all its processes once some tickets are there."""
    end = time.monotonic() + 60
    while len(system.ledger("helpdesk/tickets")) < after:
        assert time.monotonic() < end, system.counts()
        time.sleep(0.01)
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGKILL)
    assert system.counts()["delivered"] < LEADS, "it was killed too late to prove anything"

"""A worker is killed in mid-drain, and every lead still arrives exactly once."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from tests.integration.pairs import Pair
from tests.integration.system import System, running_system
from tests.leads import TEXT, lead

EXAMPLES = Path(__file__).parents[2] / "workflows" / "connectors"

WORKFLOW = (
    TEXT[: TEXT.index("destinations:")]
    + """\
destinations:
  crm: {connector: crm, action: upsert_contact, send: {email: email, tier: tier}, confirm: [tier]}
  desk: {connector: helpdesk, action: create_ticket,
         send: {title: '"Onboard " + email', queue: '"desk"'}, confirm: [title, queue]}
retries: {limit: 8, first: 500ms, factor: 2, ceiling: 5s}
sla: {deliver_within: 15m, recover_within: 72h}
"""
)

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


def take_quick_connectors(folder: Path) -> None:
    for example in EXAMPLES.glob("*.yaml"):
        quick = example.read_text().replace("timeout: 5s", "timeout: 2s")
        (folder / example.name).write_text(quick)


def publish(system: System) -> None:
    connectors = catalog(load_connectors(EXAMPLES))
    workflow = parse_workflow(WORKFLOW, name="leads.yaml", folder=None, catalog=connectors)
    publish_workflow(system.store, workflow, actor="cli:tester")


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

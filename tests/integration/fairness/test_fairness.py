"""A flood, and a slow destination, of one workflow keep no other workflow waiting."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.embedded.child import Child
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from tests.integration.pairs import Pair
from tests.integration.quick_leads import EXAMPLES, WORKFLOW, delivered
from tests.integration.system import System, running_system
from tests.leads import lead
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

CLOCKS = {
    "MESHLINE_DISPATCH_BUDGET_SECONDS": "8",
    "MESHLINE_TASK_TIME_LIMIT_SECONDS": "12",
    "MESHLINE_VISIBILITY_TIMEOUT_SECONDS": "13",
    "MESHLINE_LEASE_SECONDS": "15",
}
"""A call of 2 s has time to end, and a killed worker is not waited for very long."""

PATIENT = {
    "MESHLINE_DISPATCH_BUDGET_SECONDS": "300",
    "MESHLINE_TASK_TIME_LIMIT_SECONDS": "310",
    "MESHLINE_VISIBILITY_TIMEOUT_SECONDS": "320",
    "MESHLINE_LEASE_SECONDS": "330",
    "MESHLINE_DISPATCH_TURN_SECONDS": "0.5",
    "MESHLINE_GROUP_SIZE": "400",
}
"""A dispatch that thought of nobody else would make all its calls first."""

TICKETS = "/helpdesk/tickets"
QUICK = "enquiries"


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        take_wide_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        yield running


def test_a_flood_of_one_workflow_does_not_stop_another(system: System) -> None:
    system.environment |= PATIENT
    flood = 1_600  # as many as may be on their way at once
    system.fail_next("slow", path=TICKETS, count=flood, seconds=1)
    accept_slow(system, flood)
    system.start_relay()
    system.start_worker()
    wait_until(lambda: delivered(system, "leads") > 0)

    accept_quick(system, 5)
    wait_until(lambda: delivered(system, QUICK) == 5)

    assert delivered(system, "leads") < flood / 2


def test_a_slow_destination_and_a_killed_worker_double_nothing_and_starve_nobody(
    system: System,
) -> None:
    system.environment |= CLOCKS
    flood = 400  # a group for each worker
    system.fail_next("slow", path=TICKETS, count=flood, seconds=2)
    system.start_relay()
    workers = [system.start_worker(f"worker-{number}", processes=1) for number in range(2)]
    ids = accept_slow(system, flood)
    wait_until(lambda: len(system.ledger("helpdesk/tickets")) > 0)
    kill(workers[0])

    accept_quick(system, 20)
    wait_until(lambda: delivered(system, QUICK) == 20)
    assert delivered(system, "leads") < flood

    system.start_worker("worker-2", processes=1)
    assert system.wait_until_settled(flood + 20, within=150)["delivered"] == flood + 20
    assert system.count_by_key("helpdesk/tickets") == {f"{one}.desk": 1 for one in ids}
    assert len(system.ledger("crm/contacts")) == flood + 20


def take_wide_connectors(folder: Path) -> None:
    """The examples, with more calls at once: 2 s each are long enough."""
    for example in EXAMPLES.glob("*.yaml"):
        wide = example.read_text().replace("timeout: 5s", "timeout: 5s\n    max_in_flight: 40")
        (folder / example.name).write_text(wide)


def publish(system: System) -> None:
    """Two workflows: one makes contacts and tickets, the quick one makes contacts only."""
    quick = WORKFLOW.replace("workflow: leads", f"workflow: {QUICK}").replace(
        "lead.created", "enquiry.created"
    )
    known = catalog(load_connectors(EXAMPLES))
    for text in (WORKFLOW, quick):
        workflow = parse_workflow(text, name="both.yaml", folder=None, catalog=known)
        publish_workflow(system.store, workflow, actor=login("cli:tester"))


def accept_slow(system: System, count: int) -> list[str]:
    leads = [lead(number, tier="enterprise") for number in range(count)]
    return [one.id for one in accept_batch(system.store, leads, actor="key:test")]


def accept_quick(system: System, count: int) -> list[str]:
    """Triggers of the other workflow; no tickets come of them."""
    enquiries = [
        replace(lead(number, email=f"enquiry-{number}@example.com"), type="enquiry.created")
        for number in range(count)
    ]
    return [one.id for one in accept_batch(system.store, enquiries, actor="key:test")]


def kill(worker: Child) -> None:
    """SIGKILL the worker and its pool."""
    for one in [psutil.Process(worker.pid), *psutil.Process(worker.pid).children(recursive=True)]:
        os.kill(one.pid, signal.SIGKILL)

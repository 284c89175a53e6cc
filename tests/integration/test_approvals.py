"""Real processes: what waits is not sent, a yes sends it once, a no and no answer never."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select, update

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.approvals.requests import EventDecision, read_group
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.approvals.decide import decide_group
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.approvals.list import list_groups
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import event_approvals
from tests.integration.pairs import Pair
from tests.integration.quick_leads import EXAMPLES, WORKFLOW, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead
from tests.store.approvals.asked import approver, decide, event, with_approvers

pytestmark = pytest.mark.processes

LEADS = 60
ASKING = WORKFLOW.replace("to: [crm, desk]}", "to: [crm, desk], approve: {within: 4h}}")


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        running.environment["MESHLINE_KEEPER_SECONDS"] = "0.3"
        take_quick_connectors(home / "connectors")
        known = catalog(load_connectors(EXAMPLES))
        workflow = parse_workflow(ASKING, name="leads.yaml", folder=None, catalog=known)
        publish_workflow(running.store, workflow, actor=login("cli:tester"))
        with_approvers(running.store)
        running.start_sandbox()
        running.start_relay()
        yield running


def test_what_was_approved_arrives_once_though_workers_are_killed(system: System) -> None:
    batch = [lead(number, tier="enterprise") for number in range(LEADS)]
    accepted = accept_batch(system.store, batch, actor="key:test")
    worker = system.start_worker()
    wait_until(lambda: waiting(system) > 0)
    kill(worker.pid)
    worker = system.start_worker("worker-2")
    wait_until(lambda: waiting(system) == LEADS)
    refused, late = accepted[0].id, accepted[1].id
    assert system.ledger("helpdesk/tickets") == []

    decide(system.store, refused, EventDecision.REFUSE)
    with system.store.write() as tx:
        mine = event_approvals.c.event_id == late
        tx.execute(update(event_approvals).where(mine).values(decide_by=after(-1)))
    system.start_keeper()
    wait_until(lambda: event(system.store, late).state == "quarantined")
    with system.store.read() as tx:
        (group,) = list_groups(tx)
    decide_group(
        system.store, read_group(group.group), EventDecision.APPROVE,
        actor=approver(system.store), seen=(group.digest,),
    )  # fmt: skip
    wait_until(lambda: len(system.ledger("helpdesk/tickets")) > 5)
    kill(worker.pid)
    system.start_worker("worker-3")

    counts = system.wait_until_settled(LEADS)
    tickets = system.count_by_key("helpdesk/tickets")
    assert (counts["delivered"], counts["quarantined"]) == (LEADS - 2, 2), counts
    assert len(tickets) == LEADS - 2
    assert set(tickets.values()) == {1}
    assert event(system.store, refused).reason == "approval_refused"
    assert event(system.store, late).reason == "approval_late"
    with system.store.read() as tx:
        asked = tx.execute(select(func.count()).select_from(event_approvals)).scalar_one()
    assert asked == LEADS  # each of them once, whoever died


def test_another_definition_of_a_connector_is_asked_about_before_it_is_used(
    system: System,
) -> None:
    (one,) = accept_batch(system.store, [lead(1, tier="enterprise")], actor="key:test")
    worker = system.start_worker()
    wait_until(lambda: waiting(system) == 1)
    kill(worker.pid)
    decide(system.store, one.id)
    file = Path(system.environment["MESHLINE_CONNECTORS"]) / "helpdesk.yaml"
    file.write_text(file.read_text().replace("timeout: 2s", "timeout: 3s"))

    system.start_worker("worker-2")

    wait_until(lambda: waiting(system) == 1)
    assert system.ledger("helpdesk/tickets") == []
    assert system.ledger("crm/contacts") == []
    assert event(system.store, one.id).state == "awaiting_approval"
    decide(system.store, one.id)
    assert system.wait_until_settled(1)["delivered"] == 1
    assert len(system.ledger("helpdesk/tickets")) == 1


def waiting(system: System) -> int:
    return system.counts()["awaiting_approval"]


def wait_until(holds: Callable[[], bool], within: float = 60) -> None:
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def kill(pid: int) -> None:
    """SIGKILL a worker and all its processes."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    for process in family:
        os.kill(process.pid, signal.SIGKILL)

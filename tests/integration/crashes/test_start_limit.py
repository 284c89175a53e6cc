"""An event that kills each process that takes it is found, and its companions get on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded.ready import says
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.store.views.events.show import show_event
from orchestrator.store.views.quarantine.list import EVERYTHING, list_quarantine
from tests.integration.crashes.deadly_worker import DEADLY
from tests.integration.pairs import Pair
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead

pytestmark = pytest.mark.processes

COMPANIONS = 40
IMPATIENT = {"MESHLINE_LEASE_SECONDS": "7", "MESHLINE_START_LIMIT": "4"}
"""Each start costs a lease."""


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        running.environment |= IMPATIENT
        take_quick_connectors(home / "connectors")
        publish(running)
        running.start_sandbox()
        running.start_relay()
        yield running


def test_an_event_that_kills_its_process_is_quarantined_and_its_companions_go_on(
    system: System,
) -> None:
    batch = [lead(number) for number in range(COMPANIONS)]
    batch.insert(COMPANIONS // 2, lead(0, email=DEADLY))
    accepted = accept_batch(system.store, batch, actor="key:test")
    worker = system._start(
        "worker", ("tests.integration.crashes.deadly_worker",), ready=says(" ready.")
    )

    counts = system.wait_until_settled(COMPANIONS + 1)

    with system.store.read() as tx:
        (standing,) = list_quarantine(tx, EVERYTHING)
        shown = show_event(tx, accepted[COMPANIONS // 2].id)
    assert counts["delivered"] == COMPANIONS
    assert standing.id == accepted[COMPANIONS // 2].id
    assert standing.reason == "start_limit"
    assert shown and shown.quarantine
    assert shown.quarantine.detail == "started 4 times at validate without progress"
    assert worker.running

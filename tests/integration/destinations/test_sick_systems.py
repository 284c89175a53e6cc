"""Real workers before a system that cannot take some events, or wants fewer calls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.views.destinations.list import list_destinations
from orchestrator.store.views.events.show import show_event
from tests.integration.destinations.stand_in import DEFINITION, StandIn, standing_in
from tests.integration.pairs import Pair
from tests.integration.system import System, running_system
from tests.leads import TEXT, lead

pytestmark = [
    pytest.mark.processes,
    pytest.mark.parametrize("pair", ["sqlite+valkey", "postgresql+valkey"], indirect=True),
]

WORKFLOW = (
    TEXT[: TEXT.index("routes:")]
    + """\
routes:
  - {when: 'true', to: [crm]}
destinations:
  crm: {connector: fake, action: record, send: {email: email}, confirm: [email]}
retries: {limit: 3, first: 500ms, factor: 2, ceiling: 2s}
sla: {deliver_within: 15m, recover_within: 72h}
"""
)


@pytest.fixture
def before(tmp_path: Path, pair: Pair) -> Iterator[tuple[System, StandIn]]:
    home = tmp_path / "home"
    with running_system(home, pair) as system, standing_in() as (stand_in, base):
        folder = home / "connectors"
        (folder / "fake.yaml").write_text(DEFINITION.format(base=base))
        connectors = catalog(load_connectors(folder))
        workflow = parse_workflow(WORKFLOW, name="leads.yaml", folder=None, catalog=connectors)
        publish_workflow(system.store, workflow, actor=login("cli:tester"))
        system.start_relay()
        system.start_worker()
        yield system, stand_in


def accept(system: System, numbers: range) -> list[str]:
    leads = [lead(number) for number in numbers]
    return [one.id for one in accept_batch(system.store, leads, actor="key:test")]


def wait_until_open(system: System, *, within: float = 60) -> None:
    end = time.monotonic() + within
    while True:
        with system.store.read() as tx:
            rows = list_destinations(tx)
        if rows and rows[0].breaker == "open":
            return
        assert time.monotonic() < end, f"no breaker opened: {rows}"
        time.sleep(0.1)


def test_three_events_that_a_system_cannot_take_stop_no_others(
    before: tuple[System, StandIn],
) -> None:
    system, stand_in = before
    bad_ones = {f"lead-{number}@example.com" for number in range(3)}
    stand_in.story = lambda email: 500 if email in bad_ones else None

    bad = accept(system, range(3))
    wait_until_open(system)  # others taken before that would prove nothing for it
    good = accept(system, range(3, 13))
    counts = system.wait_until_settled(13, within=240)

    assert (counts["delivered"], counts["quarantined"]) == (10, 3)
    with system.store.read() as tx:
        shown = {one: show_event(tx, one) for one in [*bad, *good]}
    for event_id in bad:
        event = shown[event_id]
        assert event and event.reason == "retries_exhausted"
        assert "so it cannot take this one" in str(event.detail)


def test_a_spent_budget_is_asked_for_by_a_handful_of_calls_and_then_all_arrive(
    before: tuple[System, StandIn],
) -> None:
    system, stand_in = before
    stand_in.story = lambda _: 429

    accept(system, range(200))
    time.sleep(25)

    first = stand_in.created[0][0]
    later = [at for at, _ in stand_in.created if at > first + 2]
    assert len(later) <= 6  # 200 wait; each worker by itself would make hundreds
    with system.store.read() as tx:
        (row,) = list_destinations(tx)
    assert row.pauses >= 2 and "429" in str(row.pause_error)

    stand_in.story = lambda _: None
    assert system.wait_until_settled(200)["delivered"] == 200

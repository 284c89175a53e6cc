"""A new version is tried on real events by real processes: it goes on, or back, by itself."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import select

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.changes.rollout import MOST_AT_ONCE, read_rollout
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.changes.rollout.figures import RolloutFigures
from orchestrator.operations.changes.rollout.keep import keep_rollouts
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.schema import deliveries
from tests.integration.quick_leads import EXAMPLES, WORKFLOW, publish
from tests.integration.system import System
from tests.leads import lead
from tests.store.changes.rollout.rolling import figures
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

EVENTS = 100


def roll_out(system: System, text: str, *, each: str) -> str:
    workflow = parse_workflow(text, name="leads.yaml", catalog=catalog(load_connectors(EXAMPLES)))
    done = publish_workflow(
        system.store,
        workflow,
        actor=login("cli:tester"),
        rollout=read_rollout(None, "100%", each),
    )
    return done.change or ""


def keep_until(system: System, token: str, state: str) -> RolloutFigures:
    """Turns of a keeper until the change is there."""

    def there() -> bool:
        keep_rollouts(system.store)
        return figures(system.store, token).state == state

    wait_until(there, within=90)
    return figures(system.store, token)


def is_each_delivered_once(system: System, ids: list[str]) -> bool:
    """Whether the sandbox has one contact for each delivered event, and none twice."""
    with system.store.read() as tx:
        found = select(deliveries.c.event_id).where(deliveries.c.event_id.in_(ids))
        made = set(tx.execute(found).scalars())
    counted = system.count_by_key("crm/contacts")
    return set(counted.values()) <= {1} and len(counted) == len(made)


def test_a_field_that_breaks_in_one_of_a_hundred_events_stops_it_and_nothing_is_lost(
    system: System,
) -> None:
    publish(system)
    token = roll_out(system, WORKFLOW.replace("[enterprise, pro]", "[enterprise]"), each="5000ev")
    tiers = ["enterprise"] * EVENTS
    for place in random.Random(5).sample(range(EVENTS), 3):
        tiers[place] = "pro"
    leads = [lead(number, tier=tier) for number, tier in enumerate(tiers)]
    ids = [one.id for one in accept_batch(system.store, leads, actor="key:test")]

    shown = keep_until(system, token, "rolled_back")
    keep_rollouts(system.store)  # it gives the version before what was not routed
    counts = system.wait_until_settled(EVENTS)

    assert 1 <= counts["quarantined"] <= MOST_AT_ONCE
    assert counts["delivered"] == EVENTS - counts["quarantined"]
    assert "has not had in 28 days" in shown.says
    assert is_each_delivered_once(system, ids)


def test_a_harmless_one_is_live_for_all_after_its_events(system: System) -> None:
    token = roll_out(system, WORKFLOW.replace("15m", "20m"), each="12ev")
    leads = [lead(number, tier="enterprise") for number in range(500, 530)]
    ids = [one.id for one in accept_batch(system.store, leads, actor="key:test")]

    shown = keep_until(system, token, "live")
    counts = system.wait_until_settled(30)

    assert (counts["delivered"], counts["quarantined"]) == (30, 0)
    assert shown.steps[0].events >= 12 and shown.steps[0].bad == 0
    assert is_each_delivered_once(system, ids)

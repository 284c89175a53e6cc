"""The tab Events tells what is paused or broken, and what waits there."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.stages import hand_back
from tests.dashboard.rig import RunningFlower, running_flower
from tests.dashboard.test_tab import text_of
from tests.leads import accept_leads, claim_groups, drive_to_routed, lead_workflow, publish_leads

pytestmark = pytest.mark.processes


def hold(store: Store) -> str:
    """One event that waits at the crm, which is paused; the connector is broken too."""
    publish_leads(store)
    (event_id,) = accept_leads(store, 1)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    with store.write() as tx:
        pause_circuit(tx, "acme/leads/crm", why="<b>a migration</b>", actor="cli:tester")
        note_failures(
            tx, "fake", ["an-event"], error="HTTP 503", policy=policy, actor="worker:dispatch"
        )
        hold_deliveries(
            tx,
            [event_id],
            ["crm"],
            workflow=lead_workflow(),
            epoch=group.epoch,
            circuit="acme/leads/crm",
            reason="paused",
            actor="worker:dispatch",
        )
        hand_back(tx, [event_id], group.epoch)
    return event_id


def test_what_is_held_back_is_shown_with_why_and_with_how_many_wait(
    tmp_path: Path, valkey: EmbeddedServer
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        event_id = hold(store)

    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        overview = flower.get("/events").text
        page = flower.get(f"/events/{event_id}").text
        event = text_of(page)
        incident = flower.get("/incidents/1").text
        listed = {
            by: flower.get(f"/events?held={by}").text.count(f"/events/{event_id}")
            for by in ("*", "acme/leads/crm", "fake")
        }

    shown = text_of(overview)
    assert "1 acme/leads/crm paused <b>a migration</b> cli:tester" in shown
    assert "<b>a migration" not in overview
    assert "0 fake breaker open failing HTTP 503 worker:dispatch" in shown
    assert "crm fake record held waits at acme/leads/crm" in event
    assert f"{event_id} held dispatch pause of acme/leads/crm, since" in shown
    assert "routed held" in event and "crm: pause of acme/leads/crm, since" in event
    assert 'href="/incidents/1"' in page and "Flower remembers none" in event
    assert 'href="/events?held=acme%2Fleads%2Fcrm"' in page and "acme%2Fleads%2Fcrm" in incident
    assert "acme/leads/crm is paused since" in text_of(incident)
    assert "meshline destinations resume acme/leads/crm" in text_of(incident)
    assert listed == {"*": 1, "acme/leads/crm": 1, "fake": 0}


def test_where_all_flows_nothing_is_said_of_it(flower: RunningFlower) -> None:
    assert "Held back" not in flower.get("/events").text

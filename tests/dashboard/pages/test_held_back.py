"""The pages tell what is paused or broken, and what waits there."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.store.database.migrate import open_store
from orchestrator.store.destinations.definition_blocks import block_by_definition
from tests.dashboard.holding import hold, hold_due
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.leads import publish_leads
from tests.plans import frozen

pytestmark = pytest.mark.processes


def test_what_is_held_back_is_shown_with_why_and_with_how_many_wait(
    tmp_path: Path, valkey: EmbeddedServer
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        event_id = hold(store)

    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        overview = flower.get("/now").text
        listing = text_of(flower.get("/events").text)
        page = flower.get(f"/events/{event_id}").text
        event = text_of(page)
        incident = flower.get("/incidents/1").text
        listed = {
            by: flower.get(f"/events?held={by}").text.count(f"/events/{event_id}")
            for by in ("*", "acme/leads/crm", "fake")
        } | {"state": flower.get("/events?state=held").text.count(f"/events/{event_id}")}

    shown = text_of(overview)
    assert "acme/leads/crm paused cli:tester resumed 1 <b>a migration</b>" in shown
    assert "<b>a migration" not in overview
    assert "fake breaker open worker:dispatch \u2014 0 failing HTTP 503" in shown
    assert "crm fake record held waits at acme/leads/crm" in event
    assert f"{event_id} held dispatch pause of acme/leads/crm, since" in listing
    assert "routed held" in event and "crm: pause of acme/leads/crm, since" in event
    assert 'href="/incidents/1"' in page and "Flower remembers none" in event
    assert 'href="/events?held=acme%2Fleads%2Fcrm"' in page and "acme%2Fleads%2Fcrm" in incident
    assert "acme/leads/crm is paused since" in text_of(incident)
    assert "meshline destinations resume acme/leads/crm" in text_of(incident)
    assert listed == {"*": 1, "acme/leads/crm": 1, "fake": 0, "state": 1}


def test_a_job_of_a_plan_names_what_holds_its_events(
    tmp_path: Path, valkey: EmbeddedServer
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        start_plan_job(store, frozen(store, 2), actor=login("cli:ada"))
        carry_out_next_job(store, keeper="host:1", lease_seconds=60)
        hold_due(store)

    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        page = flower.get("/jobs/1").text

    assert "2 events wait at acme/leads/crm : pause of acme/leads/crm, since" in text_of(page)
    assert 'href="/destinations/acme/leads/crm"' in page


def test_what_waits_for_an_approved_definition_says_so(
    tmp_path: Path, valkey: EmbeddedServer
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        publish_leads(store)
        with store.write() as tx:
            error = "the definition of fake that was approved is 1, and the one of this worker is 2"
            block_by_definition(tx, "acme/leads/crm", error=error, actor="worker:dispatch")

    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        listed = text_of(flower.get("/destinations").text)
        page = text_of(flower.get("/destinations/acme/leads/crm").text)

    assert "other definition" in listed and "a worker has the approved definition" in listed
    assert "acme/leads/crm waits for an approved definition since" in page
    assert "meshline change propose FILE" in page


def test_where_all_flows_nothing_is_said_of_it(flower: RunningFlower) -> None:
    assert "Nothing is held back" in text_of(flower.get("/now").text)

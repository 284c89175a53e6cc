"""The pages of jobs: how far each is, who started it, and what came of each event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from orchestrator.domain.access.actor import login
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.start_on_events import start_discard_job
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.dashboard.browsing import opened
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.leads import renamed_lead
from tests.plans import frozen

pytestmark = pytest.mark.processes

WHY = "<script>alert(1)</script> asked us"
ADA = login("cli:<b>ada</b>")


@pytest.fixture(scope="module")
def working(
    tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer
) -> Iterator[RunningFlower]:
    """Flower over a store with a job that failed, one that is done, and one that waits."""
    folder: Path = tmp_path_factory.mktemp("jobs")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        token = frozen(store, 120)
        start_plan_job(store, token, actor=ADA, why=WHY)
        every = Selection(workflow="leads")
        start_discard_job(store, every, actor=ADA, why="test entries")
        discard_events(store, every, why="by hand", actor=ADA)
        for _ in range(2):
            carry_out_next_job(store, keeper="host:1", lease_seconds=60)
        accept_batch(store, [renamed_lead(900)], actor="key:test")
        validate_leads(store)
        start_discard_job(store, every, actor=ADA, why=WHY)
    with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
        yield flower


def test_the_list_says_how_far_each_job_is_and_leads_to_it(working: RunningFlower) -> None:
    page = working.get("/jobs").text
    shown = text_of(page)

    assert 'href="/jobs/1"' in page and 'href="/jobs/3"' in page
    assert "3: discard queued 0 of 1 0 acme" in shown
    assert "2: discard done 120 of 120 0 acme" in shown
    assert "1: run plan failed 0 of 120 0 acme" in shown
    assert "<script>alert(1)" not in page and "<b>ada" not in page
    assert "/jobs/2" not in working.get("/jobs?state=failed").text
    assert 'href="/jobs"' in working.get("/events").text, "it is a tab"


def test_the_page_of_an_incident_leads_to_the_job_that_acts_on_it(working: RunningFlower) -> None:
    page = working.get("/incidents/1").text

    assert 'href="/jobs/3"' in page and 'href="/jobs/2"' not in page
    shown = text_of(page)
    assert "A job waits for a keeper to act on it: job 3, discard" in shown
    assert f"0 of 1 events, started by {ADA.name}" in shown
    assert "<b>ada" not in page


def test_a_job_says_who_started_it_why_and_what_to_do(working: RunningFlower) -> None:
    shown = text_of(working.get("/jobs/1").text)

    assert f"by {ADA.name}" in shown
    assert WHY in shown
    assert "120 events of plan" in shown and "are not as they were planned" in shown
    assert "To go on meshline jobs go-on 1" in shown
    assert "120 discarded, not by this plan" in shown


def test_its_events_are_shown_a_page_at_a_time(working: RunningFlower) -> None:
    first = working.get("/jobs/2").text
    assert first.count("unchanged</td>") == 100
    assert "120 unchanged" in text_of(first)
    assert "?after=99" in first
    assert working.get("/jobs/2?after=99").text.count("unchanged</td>") == 20
    assert "There is none" in working.get("/jobs/2?failed=1").text
    assert working.get("/jobs/1?failed=1").text.count("not by this plan</td>") == 100


def test_what_is_not_there_or_is_not_a_number_is_told(working: RunningFlower) -> None:
    assert working.get("/jobs", login=False).status_code == 401
    assert working.get("/jobs/1", login=False).status_code == 401
    assert working.get("/jobs/99").status_code == 404
    assert working.get("/jobs/x").status_code == 404
    for asked in ("state=x", "before=x", "client=nobody", "before=9999999999999"):
        assert working.get(f"/jobs?{asked}").status_code in (400, 404), asked
    assert working.get("/jobs/1?after=-1").status_code == 400


@pytest.mark.parametrize("width", [375, 1280])
def test_the_pages_never_scroll_sideways_and_load_nothing_from_elsewhere(
    browser: Browser, working: RunningFlower, width: int
) -> None:
    with opened(browser, working, viewport={"width": width, "height": 740}) as page:
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text))
        for address in ("/jobs", "/jobs/1", "/jobs/2?failed=1"):
            page.goto(address)

            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert [one for one in said if "Content Security Policy" in one] == []


def test_what_failed_is_a_file(working: RunningFlower) -> None:
    csv = working.get("/jobs/1/failed.csv")
    assert csv.headers["Content-Disposition"] == 'attachment; filename="job-1-failed.csv"'
    lines = csv.text.splitlines()
    assert lines[0] == "place,id,outcome,why"
    assert len(lines) == 121
    assert lines[1].endswith('"discarded, not by this plan",')

    document = working.get("/jobs/1/failed.json").json()
    assert (document["job"], document["complete"], len(document["events"])) == (1, True, 120)
    assert working.get("/jobs/2/failed.json").json()["events"] == []
    assert working.get("/jobs/99/failed.csv").status_code == 404
    assert "/jobs/1/failed.csv" in working.get("/jobs/1").text


def test_a_job_says_what_became_of_its_events(working: RunningFlower) -> None:
    ran, gave_up = (text_of(working.get(f"/jobs/{number}").text) for number in (1, 2))

    assert "0 of 120 events are delivered 0 deliveries confirmed" in ran
    assert "are delivered" not in gave_up
    assert 'href="/incidents/1"' in working.get("/jobs/2").text

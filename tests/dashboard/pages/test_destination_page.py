"""Each destination has a page: what stops it, what it holds, what failed there, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.migrate import open_store
from tests.dashboard.browsing import opened
from tests.dashboard.holding import hold
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.dashboard.wild import CLIENT, DESK, SAID, WORKFLOW, fill_wild

pytestmark = pytest.mark.processes

CRM = "/destinations/acme/leads/crm"


@pytest.fixture(scope="module")
def held(
    tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer
) -> Iterator[RunningFlower]:
    """Flower over a store in which one event waits at a destination that a person paused."""
    folder: Path = tmp_path_factory.mktemp("held")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        hold(store)
        fill_wild(store)
    with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
        yield flower


def test_a_paused_destination_says_who_paused_it_what_it_holds_and_what_resumes_it(
    held: RunningFlower,
) -> None:
    page = held.get(CRM).text
    shown = text_of(page)

    assert "acme/leads/crm is paused since" in shown
    assert "until somebody resumes it, by cli:tester: <b>a migration</b>" in shown
    assert "it holds 1 delivery" in shown
    assert 'href="/events?held=acme%2Fleads%2Fcrm"' in page
    assert "the circuit breaker of fake is open (failing) since" in shown
    assert "meshline destinations resume acme/leads/crm --why 'the reason'" in shown
    assert "<b>a migration" not in page


def test_a_connector_lists_the_destinations_that_it_serves(held: RunningFlower) -> None:
    page = held.get("/destinations/fake").text

    assert 'href="/destinations/acme/leads/crm"' in page
    assert 'href="/destinations/acme/leads/desk"' in page
    assert held.get("/destinations/acme/leads/desk").status_code == 200


def test_what_failed_there_is_told_with_its_event_and_its_incident(held: RunningFlower) -> None:
    page = held.get(f"/destinations/{CLIENT}/{WORKFLOW}/{DESK}").text
    shown = text_of(page)

    assert f"failed destination_refused {SAID[6]}" in shown
    assert 'href="/incidents/' in page and "what is sent is refused" in shown
    assert "<script>alert(1)" not in page


def test_the_tab_an_event_and_an_incident_link_to_it(held: RunningFlower) -> None:
    overview = held.get("/now").text
    long = f"{CLIENT}/{WORKFLOW}/{DESK}"

    assert 'href="/destinations/acme/leads/crm"' in overview
    pages = [held.get(f"/incidents/{number}").text for number in (1, 2, 3)]
    assert any(f'href="/destinations/{long}"' in page for page in pages)


def test_who_is_not_logged_in_and_who_asks_for_another_name_sees_none(held: RunningFlower) -> None:
    assert held.get(CRM, login=False).status_code == 401
    assert held.get("/destinations/nowhere").status_code == 404
    assert "There is no such destination" in held.get("/destinations/%3Cscript%3E").text


def test_it_leads_to_its_workflow_and_says_how_calls_are_held_back(held: RunningFlower) -> None:
    page = held.get(f"/destinations/{CLIENT}/{WORKFLOW}/{DESK}").text
    other = held.get("/destinations/acme/leads/desk").text

    assert f'href="/workflows/{CLIENT}/{WORKFLOW}"' in page
    assert 'aria-current="page">Destinations' in " ".join(page.split())
    assert "meshline destinations" in text_of(other)


@pytest.mark.parametrize("width", [375, 1280])
def test_the_page_never_scrolls_sideways(browser: Browser, held: RunningFlower, width: int) -> None:
    with opened(browser, held, viewport={"width": width, "height": 740}) as page:
        for name in ("fake", "acme/leads/crm", f"{CLIENT}/{WORKFLOW}/{DESK}"):
            page.goto(f"/destinations/{name}")

            assert page.evaluate("document.documentElement.scrollWidth") <= width, name

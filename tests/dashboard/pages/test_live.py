"""An open page keeps itself right, and leaves alone what somebody has in hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.dashboard.browsing import opened
from tests.dashboard.rig import RunningFlower, running_flower
from tests.leads import accept_leads, publish_leads

pytestmark = pytest.mark.processes

SOON = 60_000  # milliseconds: it is asked every five seconds, and the machine may be busy


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A page of Flower, and the store that it shows."""

    page: Page
    flower: RunningFlower
    store: Store


@pytest.fixture
def desk(tmp_path: Path, valkey: EmbeddedServer, browser: Browser) -> Iterator[Desk]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with (
        closing(open_store(url)) as store,
        running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower,
    ):
        publish_leads(store)
        accept_leads(store, 1)
        with opened(browser, flower) as page:
            yield Desk(page=page, flower=flower, store=store)


def test_a_number_changes_in_place_and_the_focus_stays(desk: Desk) -> None:
    desk.page.goto("/now")
    cell = desk.page.locator('#stages [data-label="Under way"]')
    expect(cell).to_have_text("1")
    desk.page.get_by_role("link", name="incidents overdue").focus()

    accept_leads(desk.store, 2)

    expect(cell).to_have_text("3", timeout=SOON)
    expect(desk.page.get_by_role("link", name="incidents overdue")).to_be_focused()


def test_new_rows_wait_until_they_are_asked_for(desk: Desk) -> None:
    desk.page.goto("/events")
    rows = desk.page.locator("#list [data-row]")
    desk.page.get_by_label("Id or key").fill("half a word")

    accept_leads(desk.store, 2)

    show = desk.page.get_by_role("button", name="2 new: show")
    expect(show).to_be_visible(timeout=SOON)
    assert rows.count() == 1
    show.press("Enter")
    expect(rows).to_have_count(3)
    expect(desk.page.get_by_label("Id or key")).to_have_value("half a word")
    expect(desk.page.get_by_role("button", name="Pause")).to_be_focused()


def test_nothing_is_fetched_while_it_is_paused(desk: Desk) -> None:
    asked: list[str] = []
    desk.page.goto("/now")
    desk.page.get_by_role("button", name="Pause").click()
    desk.page.on("request", lambda request: asked.append(request.url))

    accept_leads(desk.store, 1)
    desk.page.wait_for_timeout(6_000)  # longer than it waits between two looks

    assert asked == []
    desk.page.get_by_role("button", name="Go on").click()
    expect(desk.page.locator('#stages [data-label="Under way"]')).to_have_text("2", timeout=SOON)


def test_a_page_says_that_flower_is_gone_and_is_right_again_after_a_restart(
    tmp_path: Path, valkey: EmbeddedServer, browser: Browser
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        publish_leads(store)
        accept_leads(store, 1)
        with (
            running_flower(tmp_path, store_url=url, broker_url=valkey.url) as first,
            opened(browser, first, fails="ERR_") as page,
        ):
            page.goto("/now")
            cell = page.locator('#stages [data-label="Under way"]')
            expect(cell).to_have_text("1")

            first.process.kill()
            first.process.wait()

            said = page.locator("[data-live-word]")
            expect(said).to_contain_text("not up to date: Flower", timeout=SOON)
            accept_leads(store, 2)
            port = int(first.url.rpartition(":")[2])
            with running_flower(tmp_path, store_url=url, broker_url=valkey.url, port=port):
                expect(cell).to_have_text("3", timeout=SOON)
                expect(said).to_be_empty()

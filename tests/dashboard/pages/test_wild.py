"""Pages of a store whose words are as long, foreign and hostile as they come, in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.migrate import open_store
from tests.dashboard.browsing import opened
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.dashboard.wild import CLIENT, DESK, WORKFLOW, Wild, fill_wild

pytestmark = pytest.mark.processes

LISTS = ("/now", "/incidents", "/events", "/events?held=*")
PHONE = {"width": 375, "height": 740}
_LINES = """one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return new Set([...range.getClientRects()].map(box => Math.round(box.bottom))).size;
}"""


@pytest.fixture(scope="module")
def wild(
    tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer
) -> Iterator[tuple[RunningFlower, Wild]]:
    folder: Path = tmp_path_factory.mktemp("wild")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        filled = fill_wild(store)
    with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
        yield flower, filled


@pytest.mark.parametrize("width", [375, 1280])
def test_no_page_scrolls_sideways_and_no_value_is_markup(
    browser: Browser, wild: tuple[RunningFlower, Wild], width: int
) -> None:
    flower, filled = wild
    events = [f"/events/{one}" for one in (*filled.broken, filled.refused)]
    with opened(browser, flower, viewport={"width": width, "height": 740}) as page:
        for address in (
            "/now",
            "/incidents",
            "/events",
            "/events?held=*",
            "/incidents/1",
            "/incidents/2",
            *("/destinations", "/workflows", "/workflows/inventory", "/alerts", "/audit"),
            f"/workflows/{CLIENT}/{WORKFLOW}",
            f"/destinations/{CLIENT}/{WORKFLOW}/{DESK}",
            "/dead-letters",
            *(f"/dead-letters/{number}" for number in filled.letters),
            *events,
        ):
            page.goto(address)

            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert page.locator("main script").count() == 0
            assert "49" not in page.locator("main").inner_text().split()


def test_on_a_phone_neither_an_id_nor_an_option_is_parted(
    browser: Browser, wild: tuple[RunningFlower, Wild]
) -> None:
    flower, filled = wild
    with opened(browser, flower, viewport=PHONE) as page:
        page.goto(f"/events/{filled.refused}")
        assert page.locator("h1 .font-monospace").evaluate(_LINES) == 1

        for word in page.locator("code .events-word").all():
            assert word.evaluate(_LINES) == 1, word.inner_text()
        step = page.locator(".events-steps code").last
        command = f"meshline quarantine replay {filled.refused} --plan"
        selected = step.evaluate("""one => {
            getSelection().selectAllChildren(one);
            return getSelection().toString();
        }""")
        assert selected == command


def test_a_runbook_keeps_off_the_edge_of_its_card(
    browser: Browser, wild: tuple[RunningFlower, Wild]
) -> None:
    with opened(browser, wild[0], viewport=PHONE) as page:
        page.goto("/incidents/1")
        runbook = page.locator(".events-runbook")

        assert runbook.evaluate("one => parseFloat(getComputedStyle(one).paddingLeft)") >= 8
        assert runbook.evaluate("one => getComputedStyle(one).whiteSpace") == "pre-line"


def test_a_deadline_is_written_alike_for_events_and_for_messages(
    wild: tuple[RunningFlower, Wild],
) -> None:
    shown = text_of(wild[0].get("/now").text)

    assert "+00:00" not in shown and not re.search(r"\dT\d\d:", shown)
    assert "paused paused" not in shown

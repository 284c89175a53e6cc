"""Whatever a page holds, all of it is reached, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.handle_incidents import acknowledge_incidents, assign_incidents
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import pause_circuit
from tests.dashboard.browsing import opened
from tests.dashboard.filled import fill, reject_what_is_due
from tests.dashboard.rig import RunningFlower, running_flower

pytestmark = pytest.mark.processes

LONG = "tier" * 1_250
PHONE, DESK = 375, 1280

_HIDDEN = """() => {
    const reaches = one => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX);
    return [...document.querySelectorAll('main *')]
        .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
        .filter(one => getComputedStyle(one).display !== 'inline' && !reaches(one))
        .filter(one => !['INPUT', 'SELECT'].includes(one.tagName))
        .map(one => `${one.tagName}.${one.className}: ${one.scrollWidth} in ${one.clientWidth}`);
}"""


@dataclass(frozen=True, kw_only=True)
class Wide:
    """A Flower over events of which everything is as long as it may be."""

    flower: RunningFlower
    pages: tuple[str, ...]


def lengthen(store: Store) -> tuple[str, ...]:
    """Fill a store with long names, values and reasons; the pages that show them."""
    filled = fill(store)
    renamed = {"email": LONG, LONG: "pro"}
    trigger = Trigger(
        client="acme",
        type="lead.created",
        payload=strict_json.dumps(renamed),
        digest=strict_json.digest(renamed),
        idempotency_key=LONG,
    )
    long = accept_batch(store, [trigger], actor=f"key:{LONG}")[0].id
    reject_what_is_due(store)
    longest = f"{LONG[:240]}@acme.example"
    assign_incidents(store, [1], owner=longest, actor="cli:tester", why=LONG)
    acknowledge_incidents(store, [1], actor=f"cli:{LONG}")
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    with store.write() as tx:
        pause_circuit(tx, "acme/leads/crm", why=LONG, actor="cli:tester")
        note_failures(tx, "fake", ["an-event"], error=LONG, policy=policy, actor="worker:dispatch")
    lists = ("/events", f"/events?before={LONG}&text=nobody")
    return (*lists, "/incidents/1", "/incidents/3", f"/events/{long}", f"/events/{filled.refused}")


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer) -> Iterator[Wide]:
    folder: Path = tmp_path_factory.mktemp("wide")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        pages = lengthen(store)
    with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
        yield Wide(flower=flower, pages=pages)


def seen_at(browser: Browser, wide: Wide, width: int) -> AbstractContextManager[Page]:
    """A page of this width on which nothing glides: what is scrolled to is there at once."""
    size = {"width": width, "height": 740}
    return opened(browser, wide.flower, viewport=size, reduced_motion="reduce")


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_nothing_is_cut_off_and_no_page_scrolls_sideways(
    browser: Browser, wide: Wide, width: int
) -> None:
    with seen_at(browser, wide, width) as page:
        for address in wide.pages:
            page.goto(address)

            assert page.evaluate("document.documentElement.scrollWidth") <= width, address
            assert page.evaluate(_HIDDEN) == [], address


def test_the_last_column_of_every_table_is_scrolled_to(browser: Browser, wide: Wide) -> None:
    with seen_at(browser, wide, PHONE) as page:
        for address in wide.pages:
            page.goto(address)
            tables = page.locator("table").all()
            assert tables, address
            for table in tables:
                last = table.locator("thead th").last
                last.evaluate("one => one.scrollIntoView({inline: 'end'})")

                assert _is_on_top(last), (address, last.inner_text())


def test_the_keyboard_alone_scrolls_every_table(browser: Browser, wide: Wide) -> None:
    with seen_at(browser, wide, PHONE) as page:
        for address in wide.pages:
            page.goto(address)
            for region in page.locator(".table-responsive").all():
                _focus_in(region)
                page.keyboard.press("ArrowRight")

                moved = "one => one.scrollLeft > 0"
                page.wait_for_function(moved, arg=region.element_handle(), timeout=10_000)


def test_a_table_that_takes_the_focus_says_which_it_is(browser: Browser, wide: Wide) -> None:
    with opened(browser, wide.flower) as page:
        page.goto("/events")
        assert page.get_by_role("region", name="Held back").get_attribute("tabindex") == "0"

        page.goto("/incidents/1")
        assert page.get_by_role("region", name="History").get_attribute("tabindex") == "0"


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_fields_of_the_filter_stand_in_rows(browser: Browser, wide: Wide, width: int) -> None:
    with seen_at(browser, wide, width) as page:
        page.goto("/events")
        for kind in (".form-label", ".form-control, .form-select"):
            boxes = [one.bounding_box() for one in page.locator(f"form :is({kind})").all()]
            tops = sorted({round(box["y"]) for box in boxes if box})

            assert len(boxes) == 8
            assert all(below - above > 40 for above, below in pairwise(tops)), (kind, tops)


def _focus_in(region: Locator) -> None:
    """Put the focus where the Tab key would: on the first link, else on the table's region."""
    links = region.locator("a[href]")
    inside = links.first if links.count() else region
    inside.focus()
    assert inside.evaluate("one => one === document.activeElement"), region.inner_text()[:80]


def _is_on_top(cell: Locator) -> bool:
    """Whether a finger that touches the cell's middle touches the cell."""
    touched: bool = cell.evaluate("""one => {
        const box = one.getBoundingClientRect();
        const found = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return one === found || one.contains(found);
    }""")
    return touched

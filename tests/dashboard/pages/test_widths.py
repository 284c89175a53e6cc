"""Whatever a page holds, all of it is reached, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.incidents.handle import acknowledge_incidents, assign_incidents
from orchestrator.store.clocks.alerts import add_test, claim_alert, mark_sent
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from tests.dashboard.browsing import opened
from tests.dashboard.filled import fill, reject_what_is_due
from tests.dashboard.rig import RunningFlower, running_flower

pytestmark = pytest.mark.processes

LONG = "tier" * 1_250
PHONE, DESK = 375, 1280
ZOOMED = DESK // 2  # what is left of a desk's width at 200 %

_HIDDEN = """() => {
    const reaches = one => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX);
    return [...document.querySelectorAll('main *')]
        .filter(one => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0)
        .filter(one => getComputedStyle(one).display !== 'inline' && !reaches(one))
        .filter(one => !['INPUT', 'SELECT', 'THEAD'].includes(one.tagName))
        .filter(one => !one.closest('.visually-hidden'))
        .map(one => `${one.tagName}.${one.className}: ${one.scrollWidth} in ${one.clientWidth}`);
}"""


_CUT = """() => [...document.querySelectorAll('main table')]
    .filter(one => one.scrollWidth > one.parentElement.clientWidth + 1)
    .map(one => `${one.caption.textContent.trim()}: ${one.scrollWidth}`)"""


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
    assign_incidents(store, [1], owner=longest, actor=login("cli:tester"), why=LONG)
    acknowledge_incidents(store, [1], actor=login(f"cli:{LONG}"))
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    with store.write() as tx:
        pause_circuit(tx, "acme/leads/crm", why=LONG, actor="cli:tester")
        note_failures(tx, "fake", ["an-event"], error=LONG, policy=policy, actor="worker:dispatch")
        letter = DeadLetter(queue=LONG, error=LONG, body=b"-", headers=None, task=LONG)
        keep_dead_letter(tx, letter)
        number = add_test(tx, f"{LONG[:200]}@acme.example", actor=f"cli:{LONG[:200]}")
        alert = claim_alert(tx, number)
        assert alert
        mark_sent(tx, alert, way=LONG, failed=LONG)
    lists = ["/now", "/incidents", "/events", f"/events?before={LONG}&text=nobody"]
    lists += ("/destinations", "/workflows", "/workflows/inventory", "/workflows/acme/leads")
    lists += ("/dead-letters", "/alerts", "/audit", "/audit?action=discard")
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


@pytest.mark.parametrize("width", [PHONE, ZOOMED, DESK])
def test_every_column_of_every_table_is_seen_without_scrolling(
    browser: Browser, wide: Wide, width: int
) -> None:
    with seen_at(browser, wide, width) as page:
        for address in wide.pages:
            page.goto(address)

            assert page.evaluate(_CUT) == [], address


def test_on_a_phone_a_row_is_a_card_with_state_owner_and_deadline_first(
    browser: Browser, wide: Wide
) -> None:
    with seen_at(browser, wide, PHONE) as page:
        page.goto("/incidents")
        row = page.locator("[data-row]").first
        cells = row.locator("th, td").all()
        tops = [box["y"] for cell in cells if (box := cell.bounding_box())]
        labels = [cell.get_attribute("data-label") for cell in cells]
        shown = cells[2].evaluate("one => getComputedStyle(one, '::before').content")

    assert labels[:4] == [None, "State", "Owner", "Heal by"], "the title is the card's head"
    assert tops == sorted(tops) and len(set(tops)) == len(cells) == 8, "one below the other"
    assert shown == '"Owner"'


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_fields_of_the_filter_stand_in_rows(browser: Browser, wide: Wide, width: int) -> None:
    with seen_at(browser, wide, width) as page:
        page.goto("/events")
        for kind in (".form-label", ".form-control, .form-select"):
            boxes = [one.bounding_box() for one in page.locator(f"form :is({kind})").all()]
            tops = sorted({round(box["y"]) for box in boxes if box})

            assert len(boxes) == 10
            assert all(below - above > 40 for above, below in pairwise(tops)), (kind, tops)

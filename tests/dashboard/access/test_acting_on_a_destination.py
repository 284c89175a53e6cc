"""Acts on the page of a destination: what it says beforehand, changed ground, and by keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.switch_destinations import pause_destination
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.destinations.page import DestinationView, show_destination
from tests.dashboard.access.desk import Somebody, add_people, somebody
from tests.dashboard.browsing import log_in_by_keyboard, opened
from tests.dashboard.page_text import text_of
from tests.dashboard.peopled import people
from tests.dashboard.rig import RunningFlower, running_flower
from tests.integration.pairs import Pair
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import running_system
from tests.leads import lead
from tests.people import ADMIN, logged_in
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

ADA, BEN = "ada@acme.example", "ben@acme.example"
DESK = "acme/leads/desk"
PAGE = f"/destinations/{DESK}"


@pytest.fixture
def desk(tmp_path: Path, valkey: EmbeddedServer) -> Iterator[tuple[RunningFlower, Store]]:
    """Flower over a store in which one delivery waits for a pause of acme/leads/desk."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        people(store)
        add_people(store, ada="Ada", ben="Ben")
        with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
            yield flower, store


def seen_by(one: Somebody) -> str:
    return one.seen_on(PAGE)


def destination(store: Store) -> DestinationView:
    with store.read() as tx:
        found = show_destination(tx, DESK)
    assert found is not None
    return found


def test_what_waits_is_said_and_changed_ground_is_refused(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, store = desk
    with somebody(flower) as ada, somebody(flower) as ben:
        ada.come_in(store, ADA)
        ben.come_in(store, BEN)
        page, seen = text_of(ada.get(PAGE).text), seen_by(ben)
        assert f"{DESK} is paused since" in page
        assert "2 deliveries wait for it. All of them are sent at once, the oldest first" in page

        blank = ada.post(f"/acts/resume/{DESK}", {"seen": seen, "why": " "})
        done = ada.post(f"/acts/resume/{DESK}", {"seen": seen, "why": "they are back"})
        late = ben.post(f"/acts/pause/{DESK}", {"seen": seen, "why": "not yet", "until": "2h"})

        assert (blank.status_code, done.status_code, late.status_code) == (400, 303, 409)
        assert done.headers["Location"] == PAGE
        assert f"person:{ADA}/page let it go on at " in text_of(late.text)
        assert "You wrote not yet" in text_of(late.text)
        assert destination(store).blockers == ()
        assert "/acts/resume" not in ben.get(PAGE).text


def test_a_pause_ends_when_the_form_says(desk: tuple[RunningFlower, Store]) -> None:
    flower, store = desk
    with somebody(flower) as ada:
        ada.come_in(store, ADA)

        def pause(**given: str) -> int:
            form = {"seen": seen_by(ada), "why": "they move", **given}
            return ada.post(f"/acts/pause/{DESK}", form).status_code

        assert pause(until="moment") == 400
        assert pause(until="moment", moment="2001-01-01T00:00") == 400
        assert pause(until="2h") == 303
        (blocker,) = destination(store).blockers
        assert blocker.until is not None
        assert (blocker.by, blocker.error) == (f"person:{ADA}/page", "they move")
        tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}"
        assert pause(until="moment", moment=tomorrow) == 303
        assert str(destination(store).blockers[0].until).startswith(f"{tomorrow}:00")
        assert pause(until="resumed") == 303
        assert destination(store).blockers[0].until is None


@pytest.mark.chromium
def test_a_held_destination_is_resumed_by_keyboard_and_its_deliveries_arrive(
    browser: Browser, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    home = tmp_path / "home"
    with running_system(home, Pair(store_url=url)) as system:
        take_quick_connectors(home / "connectors")
        publish(system)
        add_people(system.store)
        pause_destination(
            system.store, [DESK], why="they move", actor=logged_in(system.store, ADMIN)
        )
        system.start_sandbox()
        system.start_relay()
        system.start_worker(processes=1)
        leads = [lead(number, tier="enterprise") for number in range(3)]
        accept_batch(system.store, leads, actor="key:test")
        wait_until(lambda: sum(one.held for one in destination(system.store).blockers) == 3)
        assert system.ledger("helpdesk/tickets") == []

        with (
            running_flower(tmp_path, store_url=url, broker_url=system.broker.url) as flower,
            opened(browser, flower, login=False) as page,
        ):
            log_in_by_keyboard(page, ADMIN, back=PAGE)
            expect(page.get_by_text("3 deliveries wait for it.")).to_be_visible()
            page.locator("#resume summary").focus()
            page.keyboard.press("Tab")
            expect(page.locator("#resume-why")).to_be_focused()
            page.keyboard.type("they are back")
            page.keyboard.press("Tab")
            expect(page.get_by_role("button", name=f"Resume {DESK}")).to_be_focused()
            with page.expect_navigation():
                page.keyboard.press("Enter")

            wait_until(lambda: len(system.ledger("helpdesk/tickets")) == 3)
            expect(page.get_by_text("go out").first).to_be_visible()

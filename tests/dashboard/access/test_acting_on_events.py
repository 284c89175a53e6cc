"""Acts on events: one by one on their pages, and those that are ticked in the list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.desk.plans import find_plan
from orchestrator.store.views.events.show import EventView, Payload, show_event
from orchestrator.store.views.jobs import find_job
from tests.dashboard.access.desk import COOKIE, Somebody, add_people, somebody
from tests.dashboard.browsing import opened
from tests.dashboard.filled import Filled, fill
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower

pytestmark = pytest.mark.processes

ADA, BEN = "ada@acme.example", "ben@acme.example"
GOOD = {"email": "ada@example.com", "tier": "pro"}


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A Flower, and what it shows."""

    flower: RunningFlower
    store: Store
    filled: Filled

    def payload(self, event_id: str) -> Payload:
        """What an event carries."""
        content = self.event(event_id).content
        assert content is not None
        return content

    def event(self, event_id: str) -> EventView:
        """One event, with its payload."""
        with self.store.read() as tx:
            found = show_event(tx, event_id, with_payload=True)
        assert found is not None
        return found


@pytest.fixture
def desk(tmp_path: Path, valkey: EmbeddedServer) -> Iterator[Desk]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        filled = fill(store)
        add_people(store, ada="Ada", ben="Ben")
        with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
            yield Desk(flower=flower, store=store, filled=filled)


@pytest.fixture
def ada(desk: Desk) -> Iterator[Somebody]:
    with somebody(desk.flower) as one:
        one.come_in(desk.store, ADA)
        yield one


def sure_of(answer: httpx.Response) -> dict[str, str]:
    """What the form of a page of confirmation sends, without its token."""
    assert answer.status_code == 200, text_of(answer.text)
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text)
    return {name: value for name, value in found if name != "_xsrf"}


def test_an_event_is_discarded_and_restored_after_its_pages_said_what_that_does(
    desk: Desk, ada: Somebody
) -> None:
    event = desk.filled.renamed
    page = f"/events/{event}"
    shown = ada.post(f"{page}/discard", {})
    assert "It is in quarantine for contract_violation." in text_of(shown.text)
    assert "1 event is given up: nothing more of it is sent." in text_of(shown.text)
    assert ada.post(f"{page}/discard", {"sure": "yes", "why": " "}).status_code == 400
    assert desk.event(event).state == "quarantined"

    done = ada.post(f"{page}/discard", {"sure": "yes", "why": "a test"})
    with somebody(desk.flower) as ben:
        ben.come_in(desk.store, BEN)
        late = ben.post(f"{page}/discard", {"sure": "yes", "why": "mine"})

    assert (done.status_code, done.headers["Location"]) == (303, page)
    assert desk.event(event).state == "discarded"
    assert late.status_code == 409
    assert f"person:{ADA}/page discarded it at " in text_of(late.text)
    assert "1 event is back in quarantine" in text_of(ada.post(f"{page}/restore", {}).text)
    assert ada.post(f"{page}/restore", {"sure": "yes", "why": "a mistake"}).status_code == 303
    assert desk.event(event).state == "quarantined"


def test_a_payload_is_written_by_hand_tried_and_applied_with_its_replay_planned(
    desk: Desk, ada: Somebody
) -> None:
    event = desk.filled.renamed
    page = f"/events/{event}"
    assert "&quot;customer_tier&quot;" in ada.get(page).text

    broken = ada.post(f"{page}/amend", {"payload": "{"})
    still = ada.post(f"{page}/amend", {"payload": json.dumps({"email": "a@b.example"})})
    other = ada.post(f"{page}/amend", {"payload": "[]"})
    tried = ada.post(f"{page}/amend", {"payload": json.dumps(GOOD)})

    assert (broken.status_code, still.status_code, other.status_code) == (400, 200, 400)
    assert "It would still be refused" in text_of(still.text)
    assert 'name="sure"' not in still.text
    assert "another document altogether" in text_of(other.text)
    assert "It would pass" in text_of(tried.text)
    assert "/customer_tier" in text_of(tried.text)
    assert desk.payload(event).amended is None

    given = {"sure": "yes", "seen": sure_of(tried)["seen"], "payload": json.dumps(GOOD)}
    done = ada.post(f"{page}/amend", {**given, "then": "plan"})
    late = ada.post(f"{page}/amend", {**given, "payload": json.dumps({**GOOD, "tier": "x"})})

    assert done.status_code == 303
    assert desk.payload(event).amended == GOOD
    assert desk.payload(event).payload == {"email": "ada@example.com", "customer_tier": "pro"}
    token = done.headers["Location"].removeprefix("/plans/")
    with desk.store.read() as tx:
        plan = find_plan(tx, token)
    assert plan is not None
    assert plan.events == 1
    assert late.status_code == 409
    assert f"person:{ADA}/page amended it at " in text_of(late.text)


def test_ticked_events_are_discarded_by_a_job_and_a_replay_of_a_filter_is_planned(
    desk: Desk, ada: Somebody
) -> None:
    chosen = (desk.filled.renamed, desk.filled.hostile)
    listed = ada.get("/events?state=quarantined").text
    assert all(f'form="chosen" name="event" value="{one}"' in listed for one in chosen)
    assert 'form="chosen"' not in ada.get("/events").text
    assert 'name="all"' in ada.get("/events?state=quarantined&client=acme").text
    assert ada.post("/acts/events/discard", {}).status_code == 400

    every = {"all": "yes", "client": "acme", "reason": "contract_violation"}
    shown = ada.post("/acts/events/discard", every)
    assert "2 events are given up: nothing more of them is sent." in text_of(shown.text)
    assert "2 of acme/leads for contract_violation" in text_of(shown.text)
    sure = sure_of(shown)
    assert sure["client"] == "acme"
    assert sure["until"].isdigit()
    done = ada.post("/acts/events/discard", {**sure, "why": "a bad form"})
    assert done.status_code == 303
    number = int(done.headers["Location"].removeprefix("/jobs/"))
    with desk.store.read() as tx:
        job = find_job(tx, number)
    assert job is not None
    assert (job.kind, job.items, job.why) == ("discard", 2, "a bad form")

    refused = ada.post("/acts/events/replay", {"event": desk.filled.refused})
    assert refused.status_code == 303
    assert refused.headers["Location"].startswith("/plans/")
    broken = ada.post("/acts/events/replay", {"event": desk.filled.hostile})
    assert broken.status_code == 400
    assert "none of 1 events would pass" in text_of(broken.text)
    gone = {"event": desk.filled.discarded, "sure": "yes", "why": "x"}
    assert ada.post("/acts/events/discard", gone).status_code == 409


@pytest.mark.chromium
def test_an_event_is_amended_by_keyboard(browser: Browser, desk: Desk, ada: Somebody) -> None:
    event = desk.filled.renamed
    with opened(browser, desk.flower, login=False) as page:
        page.context.add_cookies(
            [{"name": COOKIE, "value": str(ada.session), "url": desk.flower.url}]
        )
        page.goto(f"/events/{event}")
        page.locator("#amend summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator("#amend-payload")).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type(json.dumps({"email": "ada@example.com"}))
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="It would still be refused")).to_be_visible()
        expect(page.locator("#payload")).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type(json.dumps(GOOD))
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Amend it, and plan its replay")).to_be_focused()
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.url.endswith(f"/events/{event}")
        expect(page.get_by_text("taken out").first).to_be_visible()
    assert desk.payload(event).amended == GOOD

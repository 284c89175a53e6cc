"""Acts on the page of an incident: who may, on changed ground, by two at once, hostile words."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from html import unescape
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from orchestrator.domain.access.roles import Role
from orchestrator.domain.text.links import signed
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.access.people import RoleChange, change_roles
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.incidents.page import IncidentView, show_incident
from tests.dashboard.access.desk import Somebody, add_operator, add_people, somebody
from tests.dashboard.browsing import log_in_by_keyboard, opened
from tests.dashboard.filled import fill
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.people import ADMIN, PASSWORD, logged_in

pytestmark = pytest.mark.processes

KEY = "a-key-of-signed-links"
INCIDENT = 1  # of acme
HOSTILE = "<script>alert(1)</script>{{ 7 * 7 }}\u202e\0"
ADA, BEN = "ada@acme.example", "ben@acme.example"
VIC, EVE = "vic@acme.example", "eve@globex.example"


@pytest.fixture
def desk(tmp_path: Path, valkey: EmbeddedServer) -> Iterator[tuple[RunningFlower, Store]]:
    """Flower over incidents, with two operators, one who looks, and one of another client."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store, pytest.MonkeyPatch.context() as patch:
        fill(store)
        add_people(store, ada="Ada", ben="Ben")
        add_operator(store, VIC, "Vic", "acme")
        changes = [
            RoleChange(client="acme", role=Role.OPERATOR, withdraw=True),
            RoleChange(client="acme", role=Role.VIEWER),
        ]
        change_roles(store, VIC, changes, actor=logged_in(store, ADMIN))
        add_operator(store, EVE, "Eve", "globex")
        patch.setenv("MESHLINE_LINK_KEY", KEY)
        with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
            yield flower, store


def seen_by(one: Somebody, number: int = INCIDENT) -> str:
    """The digest that the forms of the incident's page have."""
    return one.seen_on(f"/incidents/{number}")


def act(
    one: Somebody, what: str, seen: str, number: int = INCIDENT, **given: str
) -> httpx.Response:
    return one.post(f"/incidents/{number}/{what}", {"seen": seen, **given})


def test_a_page_says_that_the_owner_cannot_see_its_incident(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, _ = desk
    with somebody(flower) as ada:
        ada.log_in(ADA, PASSWORD)
        assert "cannot see it" not in ada.get("/incidents/1").text

        act(ada, "assign", seen_by(ada), to=EVE)

        assert "has no role for acme, and cannot see it" in ada.get("/incidents/1").text


def _forms(page: str) -> list[str]:
    """The acts whose forms an incident's page has."""
    return re.findall(r'action="/incidents/1/(\w+)"', page)


def incident(store: Store) -> IncidentView:
    with store.read() as tx:
        found = show_incident(tx, INCIDENT)
    assert found is not None
    return found


def test_two_people_act_and_the_second_is_told_who_did_what_and_when(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, store = desk
    with somebody(flower) as ada, somebody(flower) as ben:
        ada.come_in(store, ADA)
        ben.come_in(store, BEN)
        seen = seen_by(ada)
        assert seen == seen_by(ben)

        done = act(ada, "acknowledge", seen, why="I look at the form", lasts="2h")
        late = act(ben, "acknowledge", seen, why="and so do I")
        also = act(ben, "assign", seen, to=BEN)
        fresh = act(ben, "acknowledge", seen_by(ben))

        assert (done.status_code, done.headers["Location"]) == (303, f"/incidents/{INCIDENT}")
        now = incident(store)
        assert now.acknowledged_by == f"person:{ADA}/page"
        assert now.acknowledged_until is not None
        assert (late.status_code, also.status_code, fresh.status_code) == (409, 409, 409)
        (row,) = [one for one in now.history if one.action == "acknowledge_incident"]
        for answer in (late, also):
            told = text_of(answer.text)
            assert f"person:{ADA} acknowledged it at {row.at}" in told
        assert "You wrote and so do I" in text_of(late.text)
        assert f"person:{ADA}/page acknowledged incident 1 at {now.acknowledged_at}" in text_of(
            fresh.text
        )

        taken = act(ben, "assign", seen_by(ben), to=BEN, why="mine from now on")
        assert taken.status_code == 303
        assert incident(store).owner == BEN
        assert "mine from now on" in text_of(ada.get(f"/incidents/{INCIDENT}").text)


def test_of_two_at_once_one_acts(desk: tuple[RunningFlower, Store]) -> None:
    flower, store = desk
    with somebody(flower) as ada, somebody(flower) as ben:
        ada.come_in(store, ADA)
        ben.come_in(store, BEN)
        seen = seen_by(ada)
        ben.xsrf()

        with ThreadPoolExecutor(2) as pool:
            both = pool.map(lambda one: act(one, "assign", seen, to=f"{id(one)}@x.io"), (ada, ben))
            codes = sorted(answer.status_code for answer in both)

    assert codes == [303, 409]
    assert sum(row.action == "assign_incident" for row in incident(store).history) == 1


def test_who_may_not_act_changes_nothing(desk: tuple[RunningFlower, Store]) -> None:
    flower, store = desk
    before = incident(store)
    with somebody(flower) as ada, somebody(flower) as vic, somebody(flower) as eve:
        for one, mail in ((ada, ADA), (vic, VIC), (eve, EVE)):
            one.come_in(store, mail)
        seen = seen_by(ada)

        looks = act(vic, "acknowledge", seen)
        other = act(eve, "acknowledge", seen)
        none = act(ada, "acknowledge", seen, number=4711)
        stranger = flower.client.post(f"{flower.url}/incidents/1/acknowledge", data={"seen": seen})
        link = signed(f"/incidents/{INCIDENT}", now=time.time(), key=KEY)
        query = link.partition("?")[2]
        linked = flower.client.post(f"{flower.url}/incidents/1/acknowledge?{query}")
        got = ada.get("/incidents/1/acknowledge")
        forged = ada.post("/incidents/1/acknowledge", {"seen": seen}, Origin="https://evil.example")

        forms = [_forms(one.get("/incidents/1").text) for one in (ada, vic)]
        every = ["acknowledge", "plan", "acknowledge", "assign", "plan", "resolve", "note"]
        assert forms == [every, []]
        assert "Decide" not in text_of(vic.get("/incidents/1").text)
        assert looks.status_code == 403
        assert "takes the role operator" in text_of(looks.text)
        assert (other.status_code, none.status_code) == (404, 404)
        assert "no incident 1;" in unescape(other.text)
        assert (stranger.status_code, linked.status_code) == (401, 401)
        assert (got.status_code, forged.status_code) == (405, 403)
    assert incident(store) == before


def test_what_is_refused_says_why_and_keeps_the_words(desk: tuple[RunningFlower, Store]) -> None:
    flower, store = desk
    with somebody(flower) as ada:
        ada.come_in(store, ADA)
        seen = seen_by(ada)

        open_yet = act(ada, "resolve", seen, why=HOSTILE)
        blank = act(ada, "resolve", seen, why=" ")
        owner = act(ada, "assign", seen, to="nobody")
        length = act(ada, "acknowledge", seen, lasts="99y")
        long = act(ada, "acknowledge", seen, why="x" * 3000)

        answers = (open_yet, blank, owner, length, long)
        assert [one.status_code for one in answers] == [400] * 5
        assert "are still in quarantine" in text_of(open_yet.text)
        assert "<script>alert" not in open_yet.text
        assert "{{ 7 * 7 }}" in text_of(open_yet.text)
        assert act(ada, "acknowledge", seen, why=HOSTILE).status_code == 303
        page = ada.get(f"/incidents/{INCIDENT}").text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_a_note_is_in_the_history_and_changes_nothing_else(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, store = desk
    before = incident(store)
    with somebody(flower) as ada, somebody(flower) as vic, somebody(flower) as eve:
        for one, mail in ((ada, ADA), (vic, VIC), (eve, EVE)):
            one.come_in(store, mail)

        written = act(ada, "note", "", why=f"The form's vendor was asked. {HOSTILE}")
        refused = [act(one, "note", "", why="and I") for one in (vic, eve)]
        blank = act(ada, "note", "", why=" \n")

        assert written.status_code == 303
        assert [one.status_code for one in refused] == [403, 404]
        assert (blank.status_code, "needs a reason" in text_of(blank.text)) == (400, True)
        assert "vendor was asked. <script>" in text_of(vic.get(f"/incidents/{INCIDENT}").text)
    now = incident(store)
    (row,) = now.history[len(before.history) :]
    assert (row.action, row.actor) == ("note_incident", f"person:{ADA}/page")
    assert (now.state, now.owner, now.acknowledged_by) == (
        (before.state, before.owner, before.acknowledged_by)
    )


def test_the_link_of_an_alert_leads_to_the_login_and_back_to_the_incident(
    desk: tuple[RunningFlower, Store],
) -> None:
    flower, _ = desk
    link = signed(f"/incidents/{INCIDENT}", now=time.time(), key=KEY)
    with somebody(flower) as ada:
        shown = ada.get(link)
        assert f'href="/incidents/{INCIDENT}" autofocus>Log in to act on it' in shown.text
        assert "<form" not in shown.text

        asked = ada.get(f"/incidents/{INCIDENT}")
        assert asked.headers["Location"] == f"/login?next=/incidents/{INCIDENT}"
        back = ada.log_in(ADA, back=f"/incidents/{INCIDENT}").headers["Location"]
        assert f'action="/incidents/{INCIDENT}/acknowledge"' in ada.get(back).text


@pytest.mark.chromium
@pytest.mark.parametrize("scripts", [True, False], ids=("scripts", "no_scripts"))
def test_an_incident_is_acknowledged_by_keyboard(
    browser: Browser, desk: tuple[RunningFlower, Store], scripts: bool
) -> None:
    flower, store = desk
    with opened(browser, flower, login=False, java_script_enabled=scripts) as page:
        log_in_by_keyboard(page, ADA, back=f"/incidents/{INCIDENT}")

        page.locator("#acknowledge summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_label("Until")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.type("on it")
        page.keyboard.press("Tab")
        with page.expect_navigation():
            page.keyboard.press("Enter")

        expect(page.locator(".events-state.events-acknowledged").first).to_be_visible()
    assert incident(store).acknowledged_by == f"person:{ADA}/page"

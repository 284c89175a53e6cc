"""Our pages in Flower: what they show, and what it does with what nobody should have sent."""

from __future__ import annotations

import re
from contextlib import closing
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flower.urls import handlers

from orchestrator.dashboard.pages.events import PAGE_SIZE
from orchestrator.dashboard.pages.navigation import tabs_in_order
from orchestrator.domain.text.visible import visible
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.database.migrate import open_store
from tests.dashboard.filled import FIXED_EMAIL, HOSTILE, Filled
from tests.dashboard.page_text import elements, linked_events, text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.leads import accept_leads, publish_leads

pytestmark = pytest.mark.processes


def _paths() -> list[str]:
    """One path for each of Flower's own routes, and ours."""
    patterns = [getattr(one, "regex", None) or one[0] for one in handlers]
    found = [getattr(one, "pattern", one).rstrip("$") for one in patterns]
    filled_in = [
        re.sub(r"\(.*?\)", "x", one).replace("/?", "").replace(".*", "/x") for one in found
    ]
    ours = ["/now", "/now/revision", "/incidents", "/incidents/1", "/events", "/events/x"]
    ours += ["/destinations", "/destinations/x", "/workflows", "/workflows/x/y"]
    ours += ["/workflows/inventory", "/workflows/inventory.csv", "/dead-letters", "/dead-letters/1"]
    ours += ["/alerts", "/audit", "/audit.csv", "/audit.json"]
    return [*filled_in, *ours, "/events/static/events.css"]


def test_each_tab_has_a_key_of_its_own_or_none() -> None:
    keys = [tab.key for tab in tabs_in_order() if tab.key]

    assert len(keys) == len(set(keys))
    assert all(len(key) == 1 for key in keys)


def test_flower_begins_with_what_needs_somebody_now(flower: RunningFlower) -> None:
    answer = flower.get("/")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/now")


def test_nobody_gets_anything_but_the_health_check_and_styles_without_the_login(
    flower: RunningFlower,
) -> None:
    open_to_all = {path for path in _paths() if flower.get(path, login=False).status_code != 401}

    assert open_to_all == {"/healthcheck", "/login", "/static/x", "/events/static/events.css"}
    assert flower.get("/healthcheck", login=False).text == "OK"
    assert "acme" not in flower.get("/login", login=False).text


def test_without_the_login_a_browser_is_asked_for_it(flower: RunningFlower) -> None:
    answer = flower.get("/events", login=False)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert "acme" not in answer.text


@pytest.mark.parametrize(
    "page", ["/workers", "/tasks", "/broker", *(tab.address for tab in tabs_in_order())]
)
def test_every_page_has_our_tabs_and_flowers(flower: RunningFlower, page: str) -> None:
    html = flower.get(page).text

    tabs = re.findall(r'class="nav-link( active)?"\s+href="(/[\w-]+)"', html)
    ours = [tab.address for tab in tabs_in_order()]
    assert [path for _, path in tabs] == [*ours, "/workers", "/tasks", "/broker"]
    assert [path for active, path in tabs if active] == [page]


def test_a_page_says_that_the_store_speaks_and_as_of_when(flower: RunningFlower) -> None:
    shown = text_of(flower.get("/events").text)

    assert "the store is right" in shown
    assert re.search(r"As of \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", shown)


def test_the_newest_event_comes_first(flower: RunningFlower, filled: Filled) -> None:
    found = linked_events(flower.get("/events").text)

    assert found[0] == filled.accepted
    assert found[-1] == filled.delivered
    assert len(found) == 7


def test_the_list_says_where_each_event_stalled(flower: RunningFlower, filled: Filled) -> None:
    shown = text_of(flower.get("/events").text)

    assert f"{filled.refused} quarantined dispatch destination_refused crm: HTTP 422" in shown
    assert f"{filled.renamed} quarantined validate contract_violation" in shown
    assert f"{filled.delivered} delivered \u2014 \u2014 leads v1 acme lead.created" in shown


@pytest.mark.parametrize(
    ("query", "fates"),
    [
        ("state=discarded", ["discarded"]),
        ("reason=destination_refused", ["refused"]),
        ("text=form-0", ["renamed"]),
        ("client=acme&workflow=leads&state=routed", []),
        ("client=acme&workflow=leads&state=delivered", ["delivered"]),
        ("text=a%00b", []),
        ("text=%25", []),
    ],
)
def test_the_list_is_narrowed(
    flower: RunningFlower, filled: Filled, query: str, fates: list[str]
) -> None:
    html = flower.get(f"/events?{query}").text

    assert linked_events(html) == [getattr(filled, fate) for fate in fates]
    assert fates or "No event matches." in text_of(html)


def test_an_event_is_found_by_the_beginning_of_its_id(
    flower: RunningFlower, filled: Filled
) -> None:
    html = flower.get(f"/events?text={filled.refused[:20].upper()}").text

    assert filled.refused in linked_events(html)


@pytest.mark.parametrize(
    "query",
    [
        *("state=lost", "reason=none", "refresh=soon", "refresh=0", "state=%3Cscript%3E"),
        *("client=acne", "workflow=lead", "client=%3Cscript%3E"),
    ],
)
@pytest.mark.usefixtures("filled")
def test_a_filter_that_cannot_be_is_a_page_that_says_what_could(
    flower: RunningFlower, query: str
) -> None:
    answer = flower.get(f"/events?{query}")

    assert answer.status_code == 400
    assert re.search(r"; (use|write) ", text_of(answer.text))
    assert "<script>" not in answer.text


def test_the_page_reloads_itself_only_when_it_is_asked_to(flower: RunningFlower) -> None:
    assert "Refresh" not in flower.get("/events").headers
    assert flower.get("/events?refresh=5").headers["Refresh"] == "5"
    assert "http-equiv" not in flower.get("/events").text


def test_an_older_page_is_a_link_away(flower: RunningFlower, filled: Filled) -> None:
    page = flower.get(f"/events?before={filled.renamed}").text

    assert linked_events(page) == [filled.refused, filled.delivered]
    assert 'href="/events?"' in page
    assert ">Newest</a>" in page
    assert ">Older</a>" not in page


def test_a_long_list_is_read_page_by_page_under_the_same_filter(
    tmp_path: Path, valkey: EmbeddedServer
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(open_store(url)) as store:
        publish_leads(store)
        ids = accept_leads(store, PAGE_SIZE + 3)

    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        first = flower.get("/events?state=accepted&client=acme").text
        (older,) = re.findall(r'href="([^"]*)" rel="next"', first)
        second = flower.get(unescape(older)).text

    assert "state=accepted&amp;client=acme&amp;before=" in older
    assert linked_events(first) + linked_events(second) == sorted(ids, reverse=True)
    assert len(linked_events(first)) == PAGE_SIZE
    assert 'rel="next"' not in second


def test_one_event_tells_its_whole_story(flower: RunningFlower, filled: Filled) -> None:
    shown = text_of(flower.get(f"/events/{filled.replayed}").text)

    steps = ("accept key:test", "quarantine worker:validate", "amend cli:tester",
             "replay cli:tester")  # fmt: skip
    assert [step for step in steps if step in shown] == list(steps)
    assert sorted(steps, key=shown.index) == list(steps)
    assert "rename customer_tier to tier, set email" in shown
    assert "Replays 1" in shown


def test_one_event_shows_its_deliveries(flower: RunningFlower, filled: Filled) -> None:
    delivered = text_of(flower.get(f"/events/{filled.delivered}").text)
    refused = text_of(flower.get(f"/events/{filled.refused}").text)

    assert "crm fake record confirmed record-crm 1" in delivered
    assert "desk fake record confirmed record-desk 1" in delivered
    assert "crm fake record failed \u2014 1 destination_refused crm: HTTP 422" in refused


def test_an_event_in_quarantine_shows_what_is_wrong_and_who_mends_it_until_when(
    flower: RunningFlower, filled: Filled
) -> None:
    shown = text_of(flower.get(f"/events/{filled.renamed}").text)

    assert "Recovery lead triage@acme.example Owner support-ops@acme.example" in shown
    assert re.search(r"Deadline \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ in 71h", shown)
    assert re.search(r"customer_tier.{1,20}looks like the missing.{1,5}tier", shown)
    assert "required" in shown
    assert "additionalProperties" in shown
    assert f"meshline quarantine replay {filled.renamed}" in shown


def test_a_discarded_event_says_why(flower: RunningFlower, filled: Filled) -> None:
    assert "quarantined \u2192 discarded a test lead" in text_of(
        flower.get(f"/events/{filled.discarded}").text
    )


def test_a_payload_is_shown_on_its_own_page_alone_as_it_came_beside_as_amended(
    flower: RunningFlower, filled: Filled
) -> None:
    own = text_of(flower.get(f"/events/{filled.replayed}").text)
    others = [
        flower.get(path).text
        for path in ("/now", "/now/revision", "/incidents", "/incidents/2", "/events")
    ]

    assert f'/email "ada@example.com" "{FIXED_EMAIL}" changed' in own
    assert '/customer_tier "pro" \u2014 taken out' in own
    assert '/tier \u2014 "pro" added' in own
    assert not [page for page in others if "ada@example.com" in page or FIXED_EMAIL in page]


def test_an_event_is_a_line_of_time_on_which_the_stall_is_marked(
    flower: RunningFlower, filled: Filled
) -> None:
    html = flower.get(f"/events/{filled.refused}").text

    way = text_of(html[html.index("desk-way") : html.index("</ol>")])
    assert re.search(r"accepted .* validated .* routed .* crm: failed .*", way)
    assert re.search(r"stalled at dispatch stalled here .* waits for triage@acme.example", way)


def test_hostile_text_stays_text(flower: RunningFlower, filled: Filled) -> None:
    for path in ("/events", f"/events/{filled.hostile}", f"/events?text={HOSTILE}"):
        page = flower.get(path).text
        assert "<script>alert" not in page
        assert "&amp;lt;" not in page, "it was escaped twice"
        assert not [one for one in page if not one.isprintable() and one not in "\r\n\t"]
    assert visible(HOSTILE) in unescape(flower.get(f"/events/{filled.hostile}").text)


def test_a_hostile_key_is_found_as_it_was_sent(flower: RunningFlower, filled: Filled) -> None:
    html = flower.get(f"/events?{urlencode({'text': HOSTILE})}").text

    assert linked_events(html) == [filled.hostile]


@pytest.mark.parametrize(
    "event_id", ["0" * 32, "nope", "%00", "%3Cscript%3E", "..%2F..%2Fetc", "%F0%9F%92%A5"]
)
def test_an_event_that_is_not_there_is_a_page_that_says_so(
    flower: RunningFlower, event_id: str
) -> None:
    answer = flower.get(f"/events/{event_id}")

    assert answer.status_code == 404
    assert "There is no such event" in answer.text
    assert "<script>'" not in answer.text


def test_nothing_can_be_written_here(flower: RunningFlower, filled: Filled) -> None:
    for path in ("/now", "/incidents", "/incidents/1", "/events", f"/events/{filled.renamed}"):
        assert flower.post(path).status_code == 405


def test_flowers_own_buttons_are_off(flower: RunningFlower) -> None:
    answer = flower.post("/api/task/revoke/x")

    assert answer.status_code == 403
    assert "Read only" in answer.text


def test_other_sites_can_neither_frame_nor_script_the_pages(flower: RunningFlower) -> None:
    headers = flower.get("/events").headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("fate", [None, "renamed", "delivered"])
def test_the_pages_can_be_read_by_a_screen_reader(
    flower: RunningFlower, filled: Filled, fate: str | None
) -> None:
    html = flower.get(f"/events/{getattr(filled, fate)}" if fate else "/events").text
    found = elements(html)

    labelled = {attributes.get("for") for tag, attributes in found if tag == "label"}
    controls = [one for tag, one in found if tag in ("select", "input") and one.get("type") is None]
    assert {one.get("id") for one in controls} <= labelled
    tables = [tag for tag, _ in found if tag == "table"]
    assert tables
    assert len(tables) == len([tag for tag, _ in found if tag == "caption"])
    assert not [one for tag, one in found if tag == "th" and "scope" not in one]
    assert ("a", {"class": "skip-link", "href": "#main-content"}) in found
    assert [tag for tag, _ in found].count("h1") == 1

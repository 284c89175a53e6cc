"""A signed link opens the page that it names, without what payloads hold, and nothing else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from orchestrator.dashboard.pages.incident import ShownIncident
from orchestrator.dashboard.pages.linked_incident import without_values
from orchestrator.dashboard.signed_links import opened_page
from orchestrator.domain.access.actor import login
from orchestrator.domain.contracts.places import Places
from orchestrator.domain.documents import strict_json
from orchestrator.domain.drift.finding import ChangeKind, Finding
from orchestrator.domain.event import Trigger
from orchestrator.domain.text.links import GOOD_FOR_SECONDS, signed
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.incidents.handle import acknowledge_incidents
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.dashboard.browsing import opened
from tests.dashboard.filled import fill, reject_what_is_due
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.incidents import incident_page

KEY = "a-key-of-signed-links"
LINK = signed("/incidents/7", now=time.time(), key=KEY)
OLD = signed("/incidents/7", now=time.time() - GOOD_FOR_SECONDS - 2, key=KEY)

VALUES = ("not-mail-of-ada", "Plated", "the mailbox does not exist", "said-by-telephone")
"""What payloads, destinations and people wrote, and a link must not show."""


@pytest.mark.parametrize(
    ("method", "uri", "number"),
    [
        ("GET", LINK, "7"),
        ("HEAD", LINK, "7"),
        ("POST", LINK, None),
        ("GET", OLD, None),
        ("GET", LINK.replace("/7", "/8"), None),
        ("GET", "/incidents/7", None),
        ("GET", "https://[", None),
        ("GET", None, None),
        ("GET", signed("/events", now=time.time(), key=KEY), None),
    ],
    ids=range(9),  # a link has the time in it, and a test keeps its name
)
def test_a_signed_link_opens_the_incident_that_it_names(
    method: str, uri: str | None, number: str | None
) -> None:
    found = opened_page(method, uri, KEY)
    assert (found and found.name) == number
    assert opened_page(method, uri, "another-key") is None
    assert opened_page(method, uri, "") is None


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("contact.e_mail", "contact.e_mail"),
        ("/a~1b/items/*", "/a~1b/items/*"),
        ("ada@example.com", "a field"),
        ("Ada Lovelace", "a field"),
        ("calls.4799887766", "a field"),
        ("x" * 300, "a field"),
    ],
)
def test_a_link_shows_names_of_fields_and_none_that_may_be_a_value(path: str, told: str) -> None:
    finding = Finding(
        kind=ChangeKind.RENAMED,
        path="tier",
        to=path,
        events=1,
        of=2,
        since=None,
        evidence=("`Gold`",),
    )
    kept = without_values(shown(finding, fix=(f"--rename {path}=tier",)))

    (found,) = kept.findings
    assert kept.fix == ()
    assert found.told() == f"renamed: tier \N{RIGHTWARDS ARROW} {told}, in 1 of 2 events"
    assert found.evidence == ()


def shown(finding: Finding, *, fix: tuple[str, ...] = ()) -> ShownIncident:
    return ShownIncident(
        owner_sees=True,
        incident=incident_page(),
        findings=(finding,),
        saved=(),
        fix=fix,
        repair=None,
        now="2026-11-30T09:00:00+00:00",
    )


CONTRACT = {
    "properties": {
        "tier": {"type": "string"},
        "lines": {"items": {"properties": {"count": {"type": "integer"}}}},
        "people": {"additionalProperties": {"properties": {"mail": {"type": "string"}}}},
    }
}


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("tier", "tier"),
        ("customer_tier", "customer_tier"),  # a new name beside declared ones
        ("lines.*.count", "lines.*.count"),
        ("lines.*.number", "lines.*.number"),
        ("people.ada-lovelace.mail", "people.*.mail"),
        ("people.ada-lovelace", "people.*"),
        ("/people/ada-lovelace/mail", "people.*.mail"),
        ("people.ada-lovelace.e_mail", "people.*.e_mail"),
        ("tier.ada-lovelace", "tier.*"),
        ("new.ada-lovelace", "*.*"),
    ],
)
def test_a_link_shows_no_key_that_a_sender_makes_up(path: str, told: str) -> None:
    finding = Finding(
        kind=ChangeKind.REMOVED, path=path, events=1, of=2, since=None, evidence=("`Gold`",)
    )
    (found,) = without_values(shown(finding), Places(CONTRACT)).findings

    assert found.path == told


def spoil(store: Store) -> None:
    """Fill a store with incidents whose events, errors and history quote values."""
    fill(store)
    payloads = [{"email": VALUES[0], "tier": "pro"}, {"email": "a@example.com", "tier": VALUES[1]}]
    for payload in payloads:
        trigger = Trigger(
            client="acme",
            type="lead.created",
            payload=strict_json.dumps(payload),
            digest=strict_json.digest(payload),
        )
        accept_batch(store, [trigger], actor="key:test")
    reject_what_is_due(store)
    acknowledge_incidents(store, [1], actor=login("cli:dana"), why=VALUES[3])


@pytest.fixture(scope="module")
def linked(
    tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer
) -> Iterator[RunningFlower]:
    """A Flower whose alerts sign their links."""
    folder: Path = tmp_path_factory.mktemp("linked")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        spoil(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MESHLINE_LINK_KEY", KEY)
        with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
            yield flower


def link_of(incident: int) -> str:
    return signed(f"/incidents/{incident}", now=time.time(), key=KEY)


@pytest.mark.processes
def test_who_follows_the_link_of_an_alert_sees_the_incident_without_a_login(
    linked: RunningFlower,
) -> None:
    page = linked.get(link_of(1), login=False)

    assert page.status_code == 200, linked.log.read_text()
    assert "triage@acme.example" in page.text
    assert "acknowledge incident" in text_of(page.text)
    assert linked.get("/incidents/1", login=False).status_code == 401
    assert linked.get("/events", login=False).status_code == 401


@pytest.mark.processes
def test_a_link_shows_nothing_that_quotes_a_value(linked: RunningFlower) -> None:
    numbers = range(1, 5)

    with_login = "".join(linked.get(f"/incidents/{number}").text for number in numbers)
    by_link = "".join(linked.get(link_of(number), login=False).text for number in numbers)

    assert [value for value in VALUES if value not in with_login] == []
    assert [value for value in VALUES if value in by_link] == []
    assert "renamed: tier \N{RIGHTWARDS ARROW} customer_tier" in text_of(by_link)
    assert "new value: tier, in 1 of 1 event" in text_of(by_link)


@pytest.mark.processes
def test_a_page_that_a_link_opened_has_one_link_which_says_that_it_asks_for_a_login(
    linked: RunningFlower,
) -> None:
    for number, more in ((1, ["/incidents/1"]), (2, ["/incidents/2"]), (4711, [])):
        page = linked.get(link_of(number), login=False).text

        assert "<nav" not in page
        assert re.findall(r'<a\s[^>]*href="([^"]*)"', page) == ["#main-content", *more]
        assert page.count("Log in to act on it</a>") == len(more)


@pytest.mark.processes
def test_with_the_login_the_same_link_shows_the_whole_page(linked: RunningFlower) -> None:
    page = linked.get(link_of(1)).text

    assert "<nav" in page
    assert VALUES[2] in page
    assert re.search(r'href="/events/[0-9a-f]{32}"', page)


@pytest.mark.processes
def test_a_link_is_probed_before_it_is_followed(linked: RunningFlower) -> None:
    answer = linked.client.head(linked.url + link_of(1))

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert answer.content == b""
    assert linked.client.head(f"{linked.url}/incidents/1").status_code == 401


@pytest.mark.processes
def test_a_link_to_an_incident_that_is_gone_says_so(linked: RunningFlower) -> None:
    page = linked.get(link_of(4711), login=False)

    assert page.status_code == 404
    assert "There is no such incident" in text_of(page.text)


@pytest.mark.processes
def test_a_browser_without_the_login_gets_all_that_the_page_is_made_of(
    browser: Browser, linked: RunningFlower
) -> None:
    with opened(browser, linked, login=False, viewport={"width": 375, "height": 740}) as page:
        page.goto(link_of(2))

        card = page.locator(".detail-card").first
        assert card.evaluate("one => getComputedStyle(one).overflowWrap") == "anywhere"
        assert card.evaluate("one => getComputedStyle(one).borderTopStyle") == "solid"
        assert page.locator("main a").all_inner_texts() == ["Log in to act on it"]
        assert page.get_by_role("table", name="Its oldest events").count() == 1

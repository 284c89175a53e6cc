"""A signed link opens the page that it names, and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from orchestrator.dashboard.signed_links import may_open
from orchestrator.domain.links import signed
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.keeping import keep_clocks
from orchestrator.store.migrate import open_store
from orchestrator.store.terms import TermsShelf
from tests.dashboard.rig import running_flower
from tests.keeper.test_keeper import stopped_leads

KEY = "a-key-of-signed-links"
LINK = signed("/incidents/7", until=int(time.time()) + 600, key=KEY)
OLD = signed("/incidents/7", until=int(time.time()) - 1, key=KEY)


@pytest.mark.parametrize(
    ("method", "uri", "referer", "opened"),
    [
        ("GET", LINK, None, True),
        ("GET", "/events/static/events.css", f"https://desk.example{LINK}", True),
        ("GET", "/static/css/flower.css", f"https://desk.example{LINK}", True),
        ("POST", LINK, None, False),
        ("GET", OLD, None, False),
        ("GET", LINK.replace("/7", "/8"), None, False),
        ("GET", "/incidents/7", None, False),
        ("GET", "/events", f"https://desk.example{LINK}", False),
        ("GET", "/incidents/8", f"https://desk.example{LINK}", False),
        ("GET", "/static/../events", f"https://desk.example{LINK}", False),
        ("GET", "/static/css/flower.css", "https://[", False),
        ("GET", "/static/css/flower.css", None, False),
        ("GET", signed("/events", until=2_000_000_000, key=KEY), None, False),
    ],
)
def test_a_signed_link_opens_its_page_and_what_that_is_made_of(
    method: str, uri: str, referer: str | None, opened: bool
) -> None:
    assert may_open(method, uri, referer, KEY) is opened
    assert not may_open(method, uri, referer, "another-key")
    assert not may_open(method, uri, referer, "")


@pytest.mark.processes
def test_who_follows_the_link_of_an_alert_sees_the_incident_without_a_login(
    tmp_path: Path, valkey: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    stopped_leads(store, 2)
    keep_clocks(store, TermsShelf())
    store.close()
    monkeypatch.setenv("MESHLINE_LINK_KEY", KEY)
    link = signed("/incidents/1", until=int(time.time()) + 600, key=KEY)

    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        page = flower.get(link, login=False)
        assert page.status_code == 200, flower.log.read_text()
        assert "triage@acme.example" in page.text
        assert flower.get("/incidents/1", login=False).status_code == 401
        assert flower.get("/events", login=False).status_code == 401

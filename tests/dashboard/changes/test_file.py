"""The page of a change as one file: whole by itself, escaped, and without a link to a server."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from orchestrator.dashboard.pages.changes.file import change_as_html
from orchestrator.dashboard.pages.changes.page import look_at_change
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.dashboard.browsing import running_browser
from tests.dashboard.page_text import elements, text_of
from tests.leads import TEXT
from tests.store.changes.governed import APPROVER, AUTHOR, decide, govern, proposed

HOSTILE = "<script>alert(1)</script> {{ 7 * 7 }}"


def page_of(store: Store, token: str) -> str:
    with store.read() as tx:
        return change_as_html(look_at_change(tx, token))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    found = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    govern(found)
    return found


def test_it_says_what_the_page_says_and_loads_nothing(store: Store) -> None:
    token = proposed(store, TEXT.replace("New leads reach the desk", HOSTILE))

    html = page_of(store, token)

    found = elements(html)
    assert not {name for name, _ in found} & {"script", "link", "img", "a", "form", "button"}
    assert not [given for _, given in found if {"href", "src", "style"} & given.keys()]
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src &#39;sha256-{digest}&#39;" in html or f"'sha256-{digest}'" in html
    told = text_of(html)
    assert HOSTILE in told and HOSTILE not in html
    for words in (f"{APPROVER} decides.", AUTHOR, "If it goes wrong", "What was tested", token):
        assert words in told
    decide(store, token)
    assert f"approved by {APPROVER} by session" in text_of(page_of(store, token))


@pytest.mark.processes
@pytest.mark.chromium
def test_a_browser_shows_it_in_its_style_on_a_screen_and_on_paper(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "change.html"
    file.write_text(page_of(store, proposed(store)), "utf-8")
    with running_browser() as browser:
        shown, wrongs = _opened(browser, file)

    assert wrongs == []
    assert shown == [True, True, True]


def _opened(browser: Browser, file: Path) -> tuple[list[bool], list[str]]:
    """Whether its style counts, it fits a phone, and paper has what is folded; what went wrong."""
    wrongs: list[str] = []
    page = browser.new_page(viewport={"width": 375, "height": 740})
    page.on("console", lambda said: wrongs.append(said.text) if said.type == "error" else None)
    page.goto(file.as_uri())
    styled = page.evaluate("getComputedStyle(document.querySelector('.detail-row')).display")
    width = page.evaluate("document.documentElement.scrollWidth")
    page.emulate_media(media="print")
    row = page.locator("#differences tbody tr").first
    return [styled == "grid", width <= 375, row.is_visible()], wrongs

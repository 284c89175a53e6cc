"""A real browser, and pages of it on which nothing may go wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.dashboard.rig import PASSWORD, USER, RunningFlower
from tests.people import PASSWORD as OWN_PASSWORD
from tests.places import find_chromium


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium for the length of the block."""
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root.
        alone = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=alone)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser,
    flower: RunningFlower,
    *,
    login: bool = True,
    fails: str | None = None,
    **wishes: Any,
) -> Iterator[Page]:
    """A page of a fresh browser; at its end nothing may have gone wrong on it.

    With `fails` errors on its console may, whose text has this.
    """
    wrongs: list[str] = []
    if login:
        wishes["http_credentials"] = {"username": USER, "password": PASSWORD}
    context = browser.new_context(base_url=flower.url, **wishes)
    page = context.new_page()
    page.on("pageerror", lambda error: wrongs.append(str(error)))
    page.on("dialog", lambda dialog: wrongs.append(f"a dialog: {dialog.message}"))
    page.on("console", lambda said: wrongs.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert not [one for one in wrongs if fails is None or fails not in one]


def log_in_by_keyboard(page: Page, mail: str, *, back: str) -> None:
    """Through the form of the login, which then leads to the path `back`.

    A page takes the focus some time after it has loaded, and its own address may hold `back`: so
    both are waited for by what they are.
    """
    page.goto(f"/login?next={quote(back)}")
    expect(page.get_by_label("Mail address")).to_be_focused()
    page.keyboard.type(mail)
    page.keyboard.press("Tab")
    page.keyboard.type(OWN_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: urlsplit(url).path == back)

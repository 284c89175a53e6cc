"""What the desk's script adds to pages that work without it: local times, and keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import opened
from tests.dashboard.filled import Filled
from tests.dashboard.rig import RunningFlower

pytestmark = pytest.mark.processes

_KOLKATA = r"[-0-9]{10} (\d\d):(\d\d):\d\d GMT\+5:30 \((.*\D)?(\d\d):(\d\d):\d\dZ\)"
_UTC = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"


@pytest.fixture
def page(browser: Browser, flower: RunningFlower) -> Iterator[Page]:
    with opened(browser, flower) as found:
        found.goto("/now")
        yield found


def focused_link(page: Page) -> str:
    href: str = page.evaluate("document.activeElement.getAttribute('href')")
    return href


def test_times_are_in_the_viewers_zone_with_utc_beside(
    browser: Browser, flower: RunningFlower, filled: Filled
) -> None:
    with opened(browser, flower, timezone_id="Asia/Kolkata") as page:
        page.goto(f"/events/{filled.delivered}")
        shown = page.locator("main time").first.inner_text()

    found = re.fullmatch(_KOLKATA, shown)
    assert found, shown
    local, utc = (60 * int(found[at]) + int(found[at + 1]) for at in (1, 4))
    assert (local - utc) % (24 * 60) == 330


@pytest.mark.parametrize(("zone", "script"), [("UTC", True), ("Asia/Kolkata", False)])
def test_in_utc_and_without_script_a_time_is_in_utc(
    browser: Browser, flower: RunningFlower, zone: str, script: bool
) -> None:
    with opened(browser, flower, timezone_id=zone, java_script_enabled=script) as page:
        page.goto("/now")

        assert re.fullmatch(_UTC, page.locator("main time").first.inner_text())


@pytest.mark.parametrize(("key", "address"), [("n", "/now"), ("i", "/incidents"), ("e", "/events")])
def test_two_keys_lead_to_a_tab(page: Page, key: str, address: str) -> None:
    page.goto("/workers")
    page.keyboard.press("g")
    page.keyboard.press(key)

    page.wait_for_url(f"**{address}")


def test_rows_are_gone_through_and_opened_by_keys(page: Page) -> None:
    rows = [one.get_attribute("href") for one in page.locator("[data-row] th a").all()]

    walked = []
    for key in ("j", "j", "k", "k", "k"):
        page.keyboard.press(key)
        walked.append(focused_link(page))
    assert walked == [rows[0], rows[1], rows[0], rows[0], rows[0]]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{rows[0]}")


def test_a_slash_leads_to_the_search_from_every_page(page: Page) -> None:
    page.keyboard.press("/")
    page.wait_for_url("**/events#text")
    expect(page.get_by_label("Id or key")).to_be_focused()
    page.goto("/incidents")
    page.keyboard.press("/")

    expect(page.get_by_label("Words of an event's payload")).to_be_focused()


def test_a_question_mark_lists_the_keys_and_escape_gives_the_focus_back(page: Page) -> None:
    page.keyboard.press("j")
    before = focused_link(page)

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert "g i Incidents" in " ".join(dialog.inner_text().split())
    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    assert focused_link(page) == before


def test_who_types_into_a_field_types(page: Page) -> None:
    page.goto("/events")
    page.get_by_label("Id or key").focus()
    page.keyboard.type("g i/?jk")

    assert page.get_by_label("Id or key").input_value() == "g i/?jk"
    assert page.url.endswith("/events")


def test_shortcuts_can_be_turned_off_and_stay_off(page: Page) -> None:
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use these shortcuts").uncheck()
    page.get_by_role("button", name="Close").click()
    page.goto("/now")
    page.keyboard.press("?")
    page.keyboard.press("j")

    expect(page.get_by_role("dialog")).to_be_hidden()
    assert focused_link(page) is None


def test_keys_of_the_browser_are_left_alone(page: Page) -> None:
    for key in ("Control+/", "Alt+j", "Meta+k"):
        page.keyboard.press(key)

    assert focused_link(page) is None

"""The tab in a real browser: with the keyboard alone, without JavaScript, in the dark."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.browsing import opened
from tests.dashboard.filled import Filled
from tests.dashboard.rig import RunningFlower

pytestmark = pytest.mark.processes

_FOCUS = """() => {
    const one = document.activeElement, style = getComputedStyle(one);
    return {href: one.getAttribute('href'), id: one.id, text: one.textContent.trim(),
            outline: style.outlineStyle + ' ' + style.outlineWidth, shadow: style.boxShadow};
}"""


@pytest.fixture
def page(browser: Browser, flower: RunningFlower) -> Iterator[Page]:
    with opened(browser, flower) as found:
        yield found


def tab_to(page: Page, reached: str, *, most: int = 80) -> dict[str, str]:
    """Press Tab until the focus is on a link whose address matches; what has the focus then."""
    for _ in range(most):
        page.keyboard.press("Tab")
        focus: dict[str, str] = page.evaluate(_FOCUS)
        if re.fullmatch(reached, focus["href"] or ""):
            return focus
    raise AssertionError(f"the keyboard never came to {reached}")


def test_the_keyboard_alone_opens_the_first_event(page: Page, filled: Filled) -> None:
    page.goto("/events")

    focus = tab_to(page, r"/events/[0-9a-f]{32}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/*")

    assert focus["text"] == filled.accepted
    assert page.locator("h1").inner_text() == f"Event {filled.accepted}"


def test_the_keyboard_alone_goes_from_an_incident_to_one_of_its_events(page: Page) -> None:
    page.goto("/now")

    title = tab_to(page, r"/incidents/\d+")["text"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/*")
    assert page.locator("h1").inner_text().endswith(f": {title}")
    event_id = tab_to(page, r"/events/[0-9a-f]{32}")["text"]
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/*")

    assert page.locator("h1").inner_text() == f"Event {event_id}"


def test_the_focus_is_seen(page: Page) -> None:
    page.goto("/now")

    assert tab_to(page, "/workers")["outline"] == "solid 2px"
    assert tab_to(page, r"/events\?state=quarantined")["outline"] == "solid 2px"
    assert tab_to(page, r"/incidents/\d+")["outline"] == "solid 2px"


def test_the_skip_link_comes_first_and_leads_past_the_navigation(page: Page) -> None:
    page.goto("/now")

    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUS)["text"] == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate(_FOCUS)["text"] == "Pause"
    page.keyboard.press("Tab")
    assert page.evaluate(_FOCUS)["href"] == "/incidents?overdue=yes"


def test_the_filters_work_from_the_keyboard(page: Page, filled: Filled) -> None:
    page.goto("/events")

    page.get_by_label("Id or key").focus()
    page.keyboard.type("form-0")
    page.keyboard.press("Enter")
    page.wait_for_url("**text=form-0**")

    assert page.locator("tbody a.events-id").all_inner_texts() == [filled.renamed]
    assert page.get_by_label("Id or key").input_value() == "form-0"


def test_it_works_without_javascript(
    browser: Browser, flower: RunningFlower, filled: Filled
) -> None:
    with opened(browser, flower, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("link", name="Events", exact=True).click()
        page.get_by_label("State", exact=True).select_option("quarantined")
        page.get_by_role("button", name="Show").click()
        page.get_by_role("link", name=filled.renamed).click()

        expect(page.get_by_text("looks like the missing").first).to_be_visible()


def test_hostile_text_runs_nothing(page: Page, filled: Filled) -> None:
    page.goto("/events")
    page.goto(f"/events/{filled.hostile}")

    expect(page.get_by_text('<script>alert("key")</script>').first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_tab_follows_flowers_theme(
    browser: Browser, flower: RunningFlower, scheme: str
) -> None:
    with opened(browser, flower, color_scheme=scheme) as page:
        page.goto("/events")

        card = page.locator(".detail-card").first
        red, green, blue = map(
            int,
            re.findall(r"\d+", card.evaluate("one => getComputedStyle(one).backgroundColor"))[:3],
        )
    assert (max(red, green, blue) < 64) == (scheme == "dark")


def test_a_phone_need_not_scroll_sideways(browser: Browser, flower: RunningFlower) -> None:
    with opened(browser, flower, viewport={"width": 360, "height": 740}) as page:
        page.goto("/events")

        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_page_that_was_asked_to_reloads_itself(page: Page) -> None:
    page.goto("/events?refresh=1")

    with page.expect_navigation(timeout=20_000):
        pass

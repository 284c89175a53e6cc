"""The login in a real browser: by keyboard, without script, under our content security policy."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from orchestrator.store.database.engine import Store
from tests.dashboard.access.desk import COOKIE, somebody
from tests.dashboard.browsing import log_in_by_keyboard, opened
from tests.dashboard.rig import RunningFlower
from tests.people import PASSWORD

pytestmark = [pytest.mark.processes, pytest.mark.chromium]


@pytest.mark.parametrize("scripts", [True, False], ids=("scripts", "no_scripts"))
def test_a_person_logs_in_and_out_by_keyboard(
    browser: Browser, desk: RunningFlower, scripts: bool
) -> None:
    with opened(browser, desk, login=False, java_script_enabled=scripts) as page:
        page.goto("/events?state=quarantined")
        assert page.url.endswith("/login?next=/events%3Fstate%3Dquarantined")
        expect(page.get_by_label("Mail address")).to_be_focused()

        page.keyboard.type("ada@acme.example")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")

        page.wait_for_url("**/events?state=quarantined")
        out = page.get_by_role("button", name="Sign out")
        expect(page.get_by_role("link", name="Ada <b>Lovelace</b> {{ 7 * 7 }}")).to_be_visible()
        out.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/login")

        page.go_back()
        assert "Lovelace" not in page.content(), "no cache keeps the page"


def test_a_form_of_another_site_logs_nobody_out(browser: Browser, desk: RunningFlower) -> None:
    evil = "http://localhost:1/evil"
    form = (
        f'<form method="post" action="{desk.url}/logout">'
        '<input name="_xsrf" value="ab"><button>go</button></form>'
    )
    context = browser.new_context(base_url=desk.url)
    page = context.new_page()
    log_in_by_keyboard(page, "ben@acme.example", back="/events")

    page.route(evil, lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto(evil)
    with page.expect_response("**/logout*") as sent:
        page.get_by_role("button").click()

    assert sent.value.status in (303, 403)
    page.goto(f"{desk.url}/events")
    expect(page.get_by_role("link", name="Ben", exact=True)).to_be_visible()
    context.close()


def test_an_open_page_says_that_its_session_has_ended_and_leads_to_the_login(
    browser: Browser, desk: RunningFlower, people: Store
) -> None:
    with somebody(desk) as ada, opened(browser, desk, login=False) as page:
        ada.come_in(people, "ada@acme.example")
        assert ada.session
        page.context.add_cookies([{"name": COOKIE, "value": ada.session, "url": desk.url}])
        page.goto("/incidents?state=open")

        ada.post("/logout", {})

        again = page.get_by_role("link", name="Log in again")
        expect(again).to_be_visible(timeout=60_000)
        expect(page.get_by_role("status")).to_contain_text("your session has ended")
        again.press("Enter")
        page.wait_for_url("**/login?next=%2Fincidents%3Fstate%3Dopen")
        expect(page.get_by_role("status")).to_have_text("Your session has ended. Log in again.")

"""An approver decides by keyboard alone, in a real browser, and reads who was first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.rollout import read_rollout
from orchestrator.operations.access.people import accept_invite, disable_person, invite_person
from orchestrator.operations.changes.rollout.go_back import stop_rollout
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from tests.dashboard.changes.conftest import Governed
from tests.dashboard.keyboard import Keyboard
from tests.leads import lead_workflow
from tests.people import ADMIN, PASSWORD, add, age_roles, logged_in
from tests.store.changes.governed import AUTHOR, change, decide, live_version, proposed, version

pytestmark = [pytest.mark.processes, pytest.mark.chromium, pytest.mark.slow]

KEYS, KEYS_TOO = "keys@acme.example", "keys-too@acme.example"


@pytest.fixture(scope="module")
def approvers(governed: Governed) -> Store:
    """Two approvers with a password; nobody else is one, so each of them may decide."""
    store = governed.store
    admin = logged_in(store, ADMIN)
    for mail in (KEYS, KEYS_TOO):
        add(store, mail, Role.APPROVER, "acme")
        accept_invite(store, invite_person(store, mail, actor=admin), password=PASSWORD)
    age_roles(store)
    # Nobody has the address that is named from then on, so each approver may decide.
    decide(store, proposed(store, named_for(version(40), "desk@acme.example")))
    return store


@contextmanager
def browsing(browser: Browser, governed: Governed, mail: str, address: str) -> Iterator[Keyboard]:
    """A browser in which this person logged in on the way to a page, by keys alone."""
    context = browser.new_context(base_url=governed.flower.url, reduced_motion="reduce")
    keys = Keyboard(page=context.new_page())
    keys.page.goto(address)
    keys.log_in(mail)
    yield keys
    context.close()


def named_for(text: str, mail: str) -> str:
    """The live version of the story names this person as its approver from then on."""
    return re.sub(r"approver: \S+", f"approver: {mail}", text)


def decide_by(keys: Keyboard, button: str) -> None:
    """Past the navigation, down to the forms, and press the button."""
    for link in ("Skip to main content", "decide below"):
        keys.go_to(keys.page.get_by_role("link", name=link))
        keys.press("Enter")
    keys.use(button)


def look_again(keys: Keyboard) -> None:
    """From the page that says why nothing was done."""
    keys.go_to(keys.page.get_by_role("link", name="Skip to main content"))
    keys.press("Enter")
    keys.use("Look at it again", role="link")


def told(page: Page) -> str:
    return " ".join(page.locator("main").inner_text().split())


def test_an_approver_logs_in_opens_the_inbox_and_approves(
    browser: Browser, governed: Governed, approvers: Store
) -> None:
    before = live_version(approvers) or 0
    token = proposed(approvers, named_for(version(41), "desk@acme.example"))

    with browsing(browser, governed, KEYS, "/inbox") as keys:
        keys.press("j")
        with keys.page.expect_navigation():
            keys.press("Enter")
        expect(keys.page).to_have_url(re.compile(f"/changes/{token}$"))
        decide_by(keys, "Approve it")
        assert f"It is live as version {before + 1}" in told(keys.page)
        keys.page.goto("/inbox")
        assert f"No change waits for you, {KEYS}." in told(keys.page)

    assert change(approvers, token).decisions[-1].by == f"person:{KEYS}/page"


def test_of_two_approvers_at_once_the_second_reads_who_was_first(
    browser: Browser, governed: Governed, approvers: Store
) -> None:
    token = proposed(approvers, named_for(version(42), "desk@acme.example"))
    with (
        browsing(browser, governed, KEYS, f"/changes/{token}") as one,
        browsing(browser, governed, KEYS_TOO, f"/changes/{token}") as other,
    ):
        decide_by(one, "Approve it")
        decide_by(other, "Approve it")
        said = told(other.page)
        look_again(other)
        again = told(other.page)

    assert f"change {token} awaits no approval: it is live since 20" in said
    assert f", by person:{KEYS}" in said
    assert f"approved by {KEYS} by session" in again


def test_what_was_edited_while_it_was_open_is_looked_at_again(
    browser: Browser, governed: Governed, approvers: Store
) -> None:
    token = proposed(approvers, named_for(version(43), "desk@acme.example"))
    with browsing(browser, governed, KEYS, f"/changes/{token}") as keys:
        later = lead_workflow(named_for(version(44), "desk@acme.example"))
        publish_workflow(approvers, later, actor=logged_in(approvers, AUTHOR), change=token)
        decide_by(keys, "Approve it")
        said = told(keys.page)
        look_again(keys)
        assert "44m" in told(keys.page)
        decide_by(keys, "Approve it")

    assert f"its round 2 is by person:{AUTHOR}, of 20" in said
    assert change(approvers, token).state == "live"


def test_who_is_disabled_while_it_is_open_is_asked_to_log_in_and_decides_nothing(
    browser: Browser, governed: Governed, approvers: Store
) -> None:
    token = proposed(approvers, named_for(version(45), "desk@acme.example"))
    with browsing(browser, governed, KEYS_TOO, f"/changes/{token}") as keys:
        disable_person(approvers, KEYS_TOO, actor=logged_in(approvers, ADMIN))
        decide_by(keys, "Approve it")
        expect(keys.page.get_by_label("Mail address")).to_be_visible()

    assert change(approvers, token).state == "awaiting_approval"


def test_the_line_of_time_of_a_rollout_is_reached_by_keys_and_says_in_text_what_it_shows(
    browser: Browser, governed: Governed, approvers: Store
) -> None:
    text = named_for(version(45), "desk@acme.example")
    rollout = read_rollout("1h", "5%,100%", "1ev")
    author = logged_in(approvers, AUTHOR)
    token = publish_workflow(approvers, lead_workflow(text), actor=author, rollout=rollout).change
    assert token is not None
    decide(approvers, token)
    stop_rollout(approvers, token, why="the desk sees odd titles", actor=author)

    with browsing(browser, governed, KEYS, f"/changes/{token}") as keys:
        for link in ("Skip to main content", "What happened so far"):
            keys.go_to(keys.page.get_by_role("link", name=link))
            keys.press("Enter")
        line = keys.page.get_by_role("region", name="What happened")
        expect(line.get_by_role("heading")).to_be_in_viewport()
        stops = [" ".join(one.split()) for one in line.get_by_role("listitem").all_inner_texts()]
        marks = line.locator("svg, canvas, img").count()

    said = ("proposed by", "checked by", "approved by", "shadow began by", "taken back: version")
    assert len(stops) == len(said)
    assert all(stop.startswith(start) for stop, start in zip(stops, said, strict=True))
    assert f"by {AUTHOR}" in stops[-1] and "the desk sees odd titles" in stops[-1]
    assert all(re.search(r"20\d\d-\d\d-\d\d|ago|today|just now", one) for one in stops)
    assert marks == 0  # it is drawn by style alone: the text is the whole of it

"""What a program can check of WCAG 2.2 AA: axe on every page, in both themes, in every width.

A page is loaded once and looked at in every theme and width. All rules are asked in the two
layouts, light; dark, those of colours; zoomed, those of sizes: no other rule sees a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from connectors.registry import catalog, load_connectors
from orchestrator.dashboard.pages.navigation import tabs_in_order
from orchestrator.domain.access.actor import login, process
from orchestrator.domain.access.roles import Role
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.changes.backtest import backtest_change
from orchestrator.operations.jobs.start_on_events import start_discard_job
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.views.quarantine.selection import Selection
from tests.dashboard.access.desk import COOKIE, somebody
from tests.dashboard.browsing import opened
from tests.dashboard.filled import Filled
from tests.dashboard.peopled import people
from tests.dashboard.rig import RunningFlower, running_flower
from tests.people import ADMIN, add_admin, age_roles, give

pytestmark = pytest.mark.processes

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_EVERY_RULE = {"runOnly": _TAGS, "resultTypes": ["violations"]}
_COLOURS = {
    "runOnly": ["color-contrast", "link-in-text-block"],
    "resultTypes": ["violations"],
}
_SIZES = {
    "runOnly": ["target-size", "scrollable-region-focusable"],
    "resultTypes": ["violations"],
}
# At 200 % a browser lays a page of 1280 pixels out as one of 640.
_LOOKS = (
    ("light", "light", (1280, 900), _EVERY_RULE),
    ("phone", "light", (375, 740), _EVERY_RULE),
    ("dark", "dark", (1280, 900), _COLOURS),
    ("dark phone", "dark", (375, 740), _COLOURS),
    ("zoomed", "dark", (640, 450), _SIZES),
)
_OPEN_ALL = "document.querySelectorAll('main details').forEach((one) => (one.open = true))"
_BRIEF = """(options) => axe.run(document, options).then((found) => found.violations.flatMap(
  (one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 200)}`)))"""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """A Flower, an admin's session there, and what it shows."""

    flower: RunningFlower
    session: str
    filled: Filled
    addresses: tuple[str, ...]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("axe")
    url = f"sqlite:///{folder / 'store.db'}"
    with (
        closing(open_store(url)) as store,
        running_flower(folder, store_url=url, broker_url=valkey.url) as flower,
    ):
        filled, held, plan, *changes_and_asked = _filled(store)
        with somebody(flower) as admin:
            admin.come_in(store, ADMIN)
            assert admin.session
            addresses = (*_addresses(filled, held), f"/plans/{plan}", *changes_and_asked)
            yield Desk(flower=flower, session=admin.session, filled=filled, addresses=addresses)


def _filled(store: Store) -> tuple[Filled, str, str, str, str]:
    """What there is, a held event, the token of a plan, and addresses of what awaits a yes."""
    found = people(store)
    filled, policy = found.filled, BreakerPolicy(failures=1, cooldown_seconds=300)
    renamed = Selection(ids=(filled.renamed,))
    start_discard_job(store, renamed, actor=login("cli:ada"), why="a test lead")
    known, refused = catalog(load_connectors(None)), Selection(ids=(filled.refused,))
    plan = plan_replay(store, refused, catalog=known, actor=login("cli:ada"))
    add_admin(store)
    give(store, ADMIN, Role.APPROVER, "acme")  # so that the forms of a decision are there too
    age_roles(store)
    backtest_change(store, found.change, actor=process("keeper"))
    with store.write() as tx:
        note_failures(tx, "fake", ["e"], error="HTTP 503", policy=policy, actor="worker:dispatch")
    return filled, found.held, plan.token, f"/changes/{found.change}", f"/approvals/{found.asked}"


def _addresses(filled: Filled, held: str) -> tuple[str, ...]:
    fates = (filled.delivered, filled.refused, filled.renamed, filled.replayed, held)
    return (
        *(tab.address for tab in tabs_in_order()),
        *("/incidents/1", "/incidents/2", "/incidents?state=resolved", "/events?text=nobody"),
        *("/events?state=quarantined&client=acme", "/events?state=discarded&client=acme"),
        *("/destinations/acme/leads/desk", "/destinations/fake", "/jobs/1", "/jobs?state=done"),
        *("/destinations?show=failing", "/alerts?incident=999", f"/events/{filled.discarded}"),
        *("/workflows/acme/leads", "/workflows/inventory", "/dead-letters/1", "/audit?actor=me"),
        "/changes?state=live&client=acme",
        *(f"/events/{one}" for one in fates),
        *("/logout", "/events/nobody"),
    )


def violations(page: Page) -> dict[str, list[str]]:
    """What axe finds in each look; the page stays in the last of them."""
    page.evaluate(AXE_SCRIPT)
    page.evaluate(_OPEN_ALL)
    found = {}
    for name, theme, (width, height), options in _LOOKS:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": height})
        if wrong := page.evaluate(_BRIEF, options):
            found[name] = wrong
    return found


@pytest.fixture(scope="module")
def page(browser: Browser, desk: Desk) -> Iterator[Page]:
    """One page for all tests, of somebody to whom every act is offered."""
    wishes = {"reduced_motion": "reduce", "viewport": {"width": 1280, "height": 900}}
    # A page that says 404 or 409 is an error to the console of a browser.
    with opened(browser, desk.flower, login=False, fails="Failed to load", **wishes) as running:
        running.context.add_cookies(
            [{"name": COOKIE, "value": desk.session, "url": desk.flower.url}]
        )
        yield running


def test_axe_finds_nothing_on_any_page(page: Page, desk: Desk) -> None:
    wrong = {}
    for address in desk.addresses:
        page.goto(address)
        if found := violations(page):
            wrong[address] = found

    assert wrong == {}


def _press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def _drop(page: Page, desk: Desk) -> None:
    page.goto("/dead-letters/1")
    _press(page, "Drop it…")
    expect(page.locator("#why")).to_be_focused()


def _not_done(page: Page, desk: Desk) -> None:
    _drop(page, desk)
    page.locator("#why").fill(" ")
    _press(page, "Drop it")
    expect(page.get_by_role("alert")).to_be_visible()


def _amend(page: Page, desk: Desk, payload: str) -> None:
    page.goto(f"/events/{desk.filled.hostile}")
    page.locator("#amend summary").click()
    page.locator("#amend-payload").fill(payload)
    _press(page, "Try it…")


def _chosen(page: Page, desk: Desk) -> None:
    page.goto("/events?state=quarantined&client=acme")
    page.get_by_label("All that match").check()
    _press(page, "Discard…")


def _retried(page: Page, desk: Desk) -> None:
    page.goto("/alerts")
    _press(page, "Send those again that failed for good…")
    expect(page.get_by_role("button", name="Send again")).to_be_focused()


def _healed(page: Page, desk: Desk) -> None:
    page.goto(f"/events/{desk.filled.renamed}")
    page.locator("#state a[href^='/incidents/']").first.click()
    page.wait_for_url("**/incidents/*")
    page.evaluate(_OPEN_ALL)
    page.locator("#recipe-text").fill("--rename customer_tier=tier")
    with page.expect_navigation():
        page.locator("#mend button[type=submit]").click()
    expect(page.get_by_text("customer_tier").first).to_be_visible()


_STEPS: dict[str, Callable[[Page, Desk], None]] = {
    "confirm": _drop,
    "not done": _not_done,
    "no JSON": lambda page, desk: _amend(page, desk, "{"),
    "would not pass": lambda page, desk: _amend(page, desk, '{"email": "a@b.example"}'),
    "would pass": lambda page, desk: _amend(page, desk, '{"email": "a@b.example", "tier": "pro"}'),
    "chosen": _chosen,
    "retried": _retried,
    "recipe": _healed,
}
"""Pages that only a form leads to."""


def test_axe_finds_nothing_on_pages_that_forms_lead_to(page: Page, desk: Desk) -> None:
    wrong = {}
    for name, step in _STEPS.items():
        step(page, desk)
        if found := violations(page):
            wrong[name] = found

    assert wrong == {}


def test_axe_finds_nothing_in_the_list_of_shortcuts(page: Page) -> None:
    page.goto("/now")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()

    assert violations(page) == {}
    page.keyboard.press("Escape")


# Axe looks at no text that a style sheet writes, as the labels of the cards that rows become.
_PALE_LABELS = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([red, green, blue]) => [red, green, blue]
    .map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = parts(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
      if (colour[3] > 0) return null;  // seen through: nobody knows
    }
    return [255, 255, 255];
  };
  const cells = [...document.querySelectorAll(".desk-rows > tbody > tr > td")];
  const labels = cells.filter((one) => /\\w/.test(getComputedStyle(one, "::before").content)
    && getComputedStyle(one, "::before").content !== "none" && one.checkVisibility());
  const told = labels.map((one) => {
    const back = behind(one), ink = parts(getComputedStyle(one, "::before").color);
    const [high, low] = [light(ink), back ? light(back) : NaN].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    return ratio >= 4.5 ? "" : `${one.dataset.label}: ${ratio.toFixed(2)}`;
  });
  return [labels.length, [...new Set(told.filter(Boolean))]];
}"""


def test_the_labels_of_cards_can_be_read_in_both_themes(page: Page, desk: Desk) -> None:
    page.set_viewport_size({"width": 375, "height": 740})
    pale, seen = {}, 0
    for address in desk.addresses:
        page.goto(address)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            labels, wrong = page.evaluate(_PALE_LABELS)
            seen += labels
            if wrong:
                pale[address, theme] = wrong

    assert seen > 100
    assert pale == {}


_TABBABLE = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
  .filter((one) => !one.disabled && one.checkVisibility({ visibilityProperty: true })
    && one.tabIndex >= 0).length"""
_FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  one.dataset.met = String(Number(one.dataset.met || 0) + 1);
  const style = getComputedStyle(one);
  const seen = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0)
    || style.boxShadow !== 'none';
  return [one.dataset.met, seen ? '' : one.outerHTML.slice(0, 200)];
}"""


@pytest.mark.parametrize(
    "address",
    [
        "/destinations/acme/leads/desk",
        "/events?state=quarantined&client=acme",
        "/alerts",
        "/events/{renamed}",
    ],
)
def test_tab_goes_through_all_of_a_page_and_the_focus_is_seen(
    page: Page, desk: Desk, address: str
) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(address.format(renamed=desk.filled.renamed))
    page.evaluate(_OPEN_ALL)
    met, again, unseen = 0, 0, []
    for _ in range(400):
        page.keyboard.press("Tab")
        found = page.evaluate(_FOCUSED)
        if found is None or again > 10:
            break
        met, again = met + (found[0] == "1"), again + (found[0] != "1")  # a date has parts
        unseen += [found[1]] if found[1] else []

    assert unseen == []
    assert met >= page.evaluate(_TABBABLE)

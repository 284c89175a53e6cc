"""From the mail of an alert to all confirmed, by keyboard alone: a browser upon real processes.

What arrived is counted at the sandbox's own records.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from orchestrator.embedded.child import Child
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.ready import says
from orchestrator.operations.accept_triggers import accept_batch
from tests.dashboard.access.desk import add_people
from tests.dashboard.keyboard import MOST_KEYS, SOON, Keyboard
from tests.integration.pairs import Pair
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.keeper.conftest import MAIL
from tests.keeper.receivers import Mails, mail_server
from tests.leads import accept_leads, renamed_lead
from tests.waiting import eventually

pytestmark = [pytest.mark.processes, pytest.mark.chromium, pytest.mark.slow]

ADA, BEN = "ada@acme.example", "ben@acme.example"


@dataclass(kw_only=True)
class Office:
    """Everything runs, and mails of alerts arrive."""

    system: System
    mails: Mails
    flower: Child
    keeper: Child
    url: str

    def quarantine(self, count: int) -> None:
        """Let leads come that have another name for their tier, after good ones."""
        accept_leads(self.system.store, 12)
        assert eventually(lambda: self.system.counts()["delivered"] == 12)
        leads = [renamed_lead(number) for number in range(count)]
        accept_batch(self.system.store, leads, actor="key:form")
        assert eventually(lambda: self.system.counts()["quarantined"] == count)

    def link(self) -> str:
        """The link of the first mail about an incident."""
        assert eventually(lambda: self.mails.texts, within=60)
        found = re.search(rf"{self.url}/incidents/1\?\S+", self.mails.texts[0])
        assert found, self.mails.texts[0]
        return found[0]

    def records(self, count: int) -> Counter[str]:
        """How often the CRM has each of the leads that were renamed, by mail address."""
        found = [one["fields"]["email"] for one in self.system.ledger("crm/contacts")]
        ours = {f"lead-{number}@example.com" for number in range(count)}
        return Counter(one for one in found if one in ours)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    home = tmp_path / "home"
    pair = Pair(store_url=f"sqlite:///{tmp_path / 'store.db'}")
    with running_system(home, pair) as system, mail_server() as mails:
        take_quick_connectors(home / "connectors")
        (home / "connectors" / "mail.yaml").write_text(MAIL)
        publish(system)
        add_people(system.store, ada="Ada", ben="Ben")
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        system.environment |= {
            "MESHLINE_KEEPER_SECONDS": "0.2",
            "MESHLINE_JOB_LEASE_SECONDS": "2",
            "MESHLINE_ALERT_DIGEST_SECONDS": "1",
            "MESHLINE_LINK_KEY": "a-key-of-signed-links",
            "MESHLINE_DASHBOARD_URL": url,
            "MESHLINE_FLOWER_PORT": str(port),
            "MESHLINE_FLOWER_PASSWORD": "nobody uses it",
            "TEST_MAIL_PORT": str(mails.port),
        }
        system.start_sandbox()
        system.start_relay()
        system.start_worker()
        keeper = system.start_keeper()
        words = ("orchestrator.cli.main", "flower")
        flower = system._start("flower", words, ready=says("flower: http"))
        yield Office(system=system, mails=mails, flower=flower, keeper=keeper, url=url)


@pytest.fixture
def context(browser: Browser, office: Office) -> Iterator[BrowserContext]:
    with browser.new_context(base_url=office.url) as one:
        one.set_default_timeout(SOON)
        yield one


def follow(context: BrowserContext, link: str, mail: str) -> Keyboard:
    """Somebody opens the link of a mail and logs in; from here on their keys are counted."""
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_role("button")).to_have_count(0)
    keys = Keyboard(page=page)
    keys.use("Log in to act on it", "link")
    keys.log_in(mail)
    page.wait_for_url("**/incidents/1")
    keys.pressed.clear()
    return keys


def test_an_incident_is_healed_by_keyboard_from_the_mail_to_all_confirmed(
    office: Office, context: BrowserContext
) -> None:
    office.quarantine(40)
    ada = follow(context, office.link(), ADA)

    ada.use("Acknowledge")
    expect(ada.page.locator(".events-state").first).to_have_text("acknowledged")
    ada.use("Preview the recipe")
    expect(ada.page.locator("#decide-title")).to_have_text("40 of 40 events would pass")
    ada.use("Apply to 40 events and plan the replay")
    expect(ada.page.locator("#what tbody tr").first).to_contain_text("40")
    ada.use("Run the plan")
    expect(ada.page.locator("#head")).to_contain_text("40 of 40 events are delivered", timeout=SOON)
    ada.use("Incident 1", "link")
    expect(ada.page.locator("#state")).to_contain_text("Outcome", timeout=SOON)
    expect(ada.page.locator("#state")).to_contain_text("40 delivered")

    assert len(ada.pressed) <= MOST_KEYS, ada.pressed
    records = office.records(40)
    assert (len(records), set(records.values())) == (40, {1})


def test_flower_and_the_keeper_are_killed_in_mid_run_and_each_event_goes_once(
    office: Office, context: BrowserContext
) -> None:
    office.quarantine(60)
    ada = follow(context, office.link(), ADA)
    ada.use("Preview the recipe")
    ada.use("Apply to 60 events and plan the replay")
    ada.page.get_by_label("Events in a second at most").fill("3")
    ada.use("Run the plan")
    job = ada.page.url
    assert eventually(lambda: 0 < progress(office) < 60)

    office.keeper.kill()
    office.flower.kill()
    assert 0 < progress(office) < 60
    office.flower.start()
    office.keeper.start()

    ada.page.goto(job)
    expect(ada.page.locator("#head")).to_contain_text("60 of 60 events are delivered", timeout=SOON)
    records = office.records(60)
    assert (len(records), set(records.values())) == (60, {1})


def progress(office: Office) -> int:
    """How many events of the job are done."""
    from orchestrator.store.views.jobs import find_job

    with office.system.store.read() as tx:
        job = find_job(tx, 1)
    return job.done if job else 0


def test_of_two_people_the_second_is_told_who_ran_the_plan_and_when(
    office: Office, browser: Browser, context: BrowserContext
) -> None:
    office.quarantine(5)
    ada = follow(context, office.link(), ADA)
    with browser.new_context(base_url=office.url) as other:
        ben = follow(other, office.link(), BEN)
        for one in (ada, ben):
            one.use("Preview the recipe")
        ada.use("Apply to 5 events and plan the replay")
        ben.use("Apply to 5 events and plan the replay")
        expect(ben.page.get_by_role("alert")).to_contain_text(
            f"person:{ADA}/page amended events of it at"
        )
        ben.page.goto(ada.page.url)
        ada.use("Run the plan")
        ben.use("Run the plan")
        expect(ben.page.get_by_role("alert")).to_contain_text(
            f"person:{ADA}/page started job 1 with it at"
        )
        ben.use("Look at it again", "link")
        expect(ben.page.get_by_role("link", name="job 1")).to_be_visible()
    assert eventually(lambda: len(office.records(5)) == 5)
    assert set(office.records(5).values()) == {1}

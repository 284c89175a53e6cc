"""The page of what an event would send: by whom it is decided, upon what they saw, and once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.domain.approvals.requests import EventDecision
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.store.approvals.list import list_groups
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.dashboard.access.desk import Somebody, somebody
from tests.dashboard.page_text import text_of
from tests.dashboard.rig import RunningFlower, running_flower
from tests.leads import accept_leads
from tests.store.approvals.asked import (
    APPROVER,
    OPERATOR,
    OTHER,
    decide,
    drive,
    event,
    requests,
    with_people,
)

pytestmark = pytest.mark.processes


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Flower over leads that ask."""

    flower: RunningFlower
    store: Store

    def ask(self, count: int = 1, **fields: str) -> list[str]:
        """Leads that wait for a yes; their ids."""
        ids = accept_leads(self.store, count, tier="enterprise", **fields)
        drive(self.store)
        return ids


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, valkey: EmbeddedServer) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("asked")
    url = f"sqlite:///{folder / 'store.db'}"
    with closing(open_store(url)) as store:
        with_people(store)
        with running_flower(folder, store_url=url, broker_url=valkey.url) as flower:
            yield Desk(flower=flower, store=store)


@pytest.fixture
def approver(desk: Desk) -> Iterator[Somebody]:
    """A browser in which the approver has logged in."""
    with somebody(desk.flower) as browser:
        browser.come_in(desk.store, APPROVER)
        yield browser


def offers(browser: Somebody, token: str) -> list[str]:
    page = browser.get(f"/approvals/{token}").text
    return re.findall(rf'action="/approvals/{re.escape(token)}/(\w+)"', page)


def act(browser: Somebody, token: str, what: str, **given: str) -> tuple[int, str]:
    seen = given.pop("seen", None) or browser.seen_on(f"/approvals/{token}")
    answer = browser.post(f"/approvals/{token}/{what}", {"seen": seen, **given})
    return answer.status_code, text_of(answer.text)


def test_the_approver_sees_what_would_be_sent_and_says_yes(desk: Desk, approver: Somebody) -> None:
    (one,) = desk.ask()
    listed = text_of(approver.get("/approvals").text)
    page = text_of(approver.get(f"/approvals/{one}").text)

    status, _ = act(approver, one, "approve", why="we know them")

    assert one in listed and APPROVER in listed
    assert "You may decide about it." in page
    assert "Onboard lead-0@example.com" in page and "desk: fake.record" in page
    assert requests(desk.store)[-1].subject in page
    assert (status, event(desk.store, one).state) == (303, "routed")
    after = text_of(approver.get(f"/approvals/{one}").text)
    assert f"by {APPROVER} (session): we know them" in after
    assert offers(approver, one) == []


def test_a_no_needs_a_reason_and_quarantines_it(desk: Desk, approver: Somebody) -> None:
    (one,) = desk.ask()

    assert act(approver, one, "refuse")[0] == 400
    assert act(approver, one, "refuse", why="they <b>left</b>")[0] == 303

    seen = event(desk.store, one)
    assert (seen.state, seen.reason) == ("quarantined", "approval_refused")
    assert "<b>left" not in approver.get(f"/approvals/{one}").text


def test_who_was_second_is_told_who_was_first(desk: Desk, approver: Somebody) -> None:
    (one,) = desk.ask()
    seen = approver.seen_on(f"/approvals/{one}")
    decide(desk.store, one, EventDecision.REFUSE)

    status, told = act(approver, one, "approve", seen=seen)

    assert status == 409
    assert "awaits no approval: it was refused at" in told and APPROVER in told


def test_another_digest_is_refused(desk: Desk, approver: Somebody) -> None:
    (one,) = desk.ask()

    status, told = act(approver, one, "approve", seen="0" * 64)

    assert status == 409
    assert "would not send what you looked at" in told
    decide(desk.store, one)


@pytest.mark.parametrize("mail", [OTHER, OPERATOR])
def test_who_may_not_decide_is_offered_nothing_and_refused(desk: Desk, mail: str) -> None:
    (one,) = desk.ask()
    with somebody(desk.flower) as browser:
        browser.come_in(desk.store, mail)
        page = text_of(browser.get(f"/approvals/{one}").text)

        assert offers(browser, one) == []
        assert ("You may not decide about it" in page) == (mail == OTHER)
        status, _ = act(browser, one, "approve", seen=requests(desk.store)[-1].subject)

    assert status == 403
    assert event(desk.store, one).state == "awaiting_approval"
    decide(desk.store, one)


def test_a_group_is_in_the_inbox_and_is_approved_as_one(desk: Desk, approver: Somebody) -> None:
    ids = desk.ask(3)
    with desk.store.read() as tx:
        (group,) = list_groups(tx)
    inbox = approver.get("/inbox").text
    page = text_of(approver.get(f"/approvals/{group.group}").text)

    status, _ = act(approver, group.group, "approve")

    assert f"/approvals/{group.group}" in inbox
    assert all(one in page for one in ids)
    assert status == 303
    assert {event(desk.store, one).state for one in ids} == {"routed"}
    assert "Nothing waits for a yes" in text_of(approver.get("/approvals").text)
    assert approver.get(f"/approvals/{group.group}").status_code == 404


def test_a_form_without_its_token_does_nothing(desk: Desk, approver: Somebody) -> None:
    (one,) = desk.ask()
    answer = approver.client.post(f"{desk.flower.url}/approvals/{one}/approve", data={"seen": "x"})

    assert answer.status_code == 403
    assert event(desk.store, one).state == "awaiting_approval"
    decide(desk.store, one)

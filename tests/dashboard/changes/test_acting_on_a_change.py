"""Acts on the page of a change: by whom, upon what they saw, and where others were first."""

from __future__ import annotations

import re

import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.rollout import read_rollout
from orchestrator.operations.access.away import end_away, set_away
from orchestrator.operations.access.people import disable_person
from orchestrator.operations.changes.freeze import freeze_changes, thaw_changes
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.operations.publish_workflow import publish_workflow
from tests.dashboard.access.desk import Somebody
from tests.dashboard.changes.conftest import Governed
from tests.dashboard.page_text import text_of
from tests.leads import accept_leads, lead_workflow
from tests.people import ADMIN, add, age_roles, give, logged_in
from tests.store.changes.governed import (
    APPROVER,
    AUTHOR,
    OTHER,
    change,
    decide,
    live_version,
    proposed,
    version,
)

pytestmark = pytest.mark.processes


def path(token: str, act: str = "") -> str:
    return f"/changes/{token}{f'/{act}' if act else ''}"


def offers(browser: Somebody, token: str) -> list[str]:
    page = browser.get(path(token)).text
    return re.findall(rf'action="/changes/{token}/(\w+)"', page)


def act(browser: Somebody, token: str, what: str, **given: str) -> tuple[int, str]:
    seen = given.pop("seen", None) or browser.seen_on(path(token))
    answer = browser.post(path(token, what), {"seen": seen, **given})
    return answer.status_code, text_of(answer.text)


def test_its_approver_approves_what_the_page_shows_and_it_is_live(
    governed: Governed, one: Somebody
) -> None:
    before = live_version(governed.store) or 0
    token = proposed(governed.store, version(21))
    governed.come(one, APPROVER)
    page = text_of(one.get(path(token)).text)

    status, _ = act(one, token, "approve", why="asked for in the meeting")

    assert "to be delivered within" in page and f"{APPROVER} decides." in page
    assert f"Version {before} stays live until this change is" in page
    assert (status, live_version(governed.store)) == (303, before + 1)
    after = text_of(one.get(path(token)).text)
    assert f"It is live as version {before + 1}" in after
    assert f"approved by {APPROVER} by session" in after and "asked for in the meeting" in after
    assert offers(one, token) == []


def test_an_author_is_not_offered_to_approve_and_the_operation_refuses_them(
    governed: Governed, one: Somebody
) -> None:
    give(governed.store, OTHER, Role.OPERATOR, "acme")
    token = proposed(governed.store, version(22), by=logged_in(governed.store, OTHER))
    governed.come(one, OTHER)
    page = text_of(one.get(path(token)).text)

    status, told = act(one, token, "approve")

    assert "You may not decide about it: you are one of its authors" in page
    assert offers(one, token) == ["backtest", "withdraw"]
    assert status == 403
    assert "you are one of its authors, and nobody approves their own change" in told
    assert change(governed.store, token).state == "awaiting_approval"
    assert act(one, token, "withdraw", why="not now")[0] == 303
    assert change(governed.store, token).state == "withdrawn"


@pytest.mark.parametrize(
    ("what", "state"), [("request", "draft"), ("reject", "rejected"), ("withdraw", "withdrawn")]
)
def test_who_does_not_approve_says_why(
    governed: Governed, one: Somebody, what: str, state: str
) -> None:
    token = proposed(governed.store, version(23))
    governed.come(one, AUTHOR if what == "withdraw" else APPROVER)

    if what != "withdraw":
        assert act(one, token, what)[0] == 400
    assert act(one, token, what, why="keep the old field for a week")[0] == 303

    assert change(governed.store, token).state == state
    assert "keep the old field" in text_of(one.get(path(token)).text) or what == "withdraw"


def test_of_two_who_decide_the_second_reads_who_was_first(
    governed: Governed, one: Somebody, other: Somebody
) -> None:
    token = proposed(governed.store, version(24))
    for browser in (one, other):
        governed.come(browser, APPROVER)
    seen = one.seen_on(path(token))

    first = act(one, token, "reject", why="no", seen=seen)
    second = act(other, token, "approve", seen=seen)

    assert (first[0], second[0]) == (303, 409)
    assert "it is rejected since 20" in second[1] and f", by person:{APPROVER}" in second[1]


def test_what_was_edited_while_the_page_was_open_is_not_approved(
    governed: Governed, one: Somebody, other: Somebody
) -> None:
    token = proposed(governed.store, version(25))
    governed.come(one, APPROVER)
    seen = one.seen_on(path(token))
    edited = lead_workflow(version(26))
    publish_workflow(governed.store, edited, actor=logged_in(governed.store, AUTHOR), change=token)

    governed.come(other, AUTHOR)
    for browser, what in ((one, "approve"), (other, "withdraw")):
        status, told = act(browser, token, what, seen=seen)
        assert status == 409
        assert f"its round 2 is by person:{AUTHOR}, of 20" in told
    assert change(governed.store, token).state == "awaiting_approval"
    assert act(one, token, "reject", why="a test")[0] == 303


def test_who_is_disabled_while_the_page_is_open_decides_nothing(
    governed: Governed, one: Somebody
) -> None:
    mail = "third@acme.example"
    add(governed.store, mail, Role.APPROVER, "acme")
    age_roles(governed.store)
    token = proposed(governed.store, version(27))
    governed.come(one, mail)
    seen = change(governed.store, token).digest
    xsrf = one.xsrf()
    disable_person(governed.store, mail, actor=logged_in(governed.store, ADMIN))

    answer = one.post(path(token, "approve"), {"seen": seen, "_xsrf": xsrf})

    assert (answer.status_code, answer.headers["Location"][:6]) == (303, "/login")
    assert change(governed.store, token).state == "awaiting_approval"
    decide(governed.store, token)


def test_a_gate_that_stops_a_change_is_on_its_page_and_offers_no_approval(
    governed: Governed, one: Somebody
) -> None:
    accept_leads(governed.store, 2)
    shorter = version(29).replace("format: email", "format: email, maxLength: 5")
    token = proposed(governed.store, shorter)
    governed.come(one, APPROVER)
    page = text_of(one.get(path(token)).text)

    status, told = act(one, token, "approve")

    assert page.count("Nobody can approve it while contract fails") == 2
    assert "newly refuses 2" in page
    assert offers(one, token) == ["waive", "request", "reject"]
    assert (status, change(governed.store, token).state) == (400, "awaiting_approval")
    assert "contract" in told


def test_a_gate_that_its_approver_waives_stops_it_no_longer(
    governed: Governed, one: Somebody, other: Somebody
) -> None:
    accept_leads(governed.store, 1)
    shorter = version(30).replace("format: email", "format: email, maxLength: 6")
    token = proposed(governed.store, shorter)
    governed.come(one, APPROVER)
    waiver = {"gate": "contract", "until": "1d"}

    assert act(one, token, "waive", **waiver)[0] == 400  # without a reason
    assert act(one, token, "waive", why="late", seen="0" * 64, **waiver)[0] == 409
    assert act(one, token, "waive", why="the old form is off", **waiver)[0] == 303

    page = text_of(one.get(path(token)).text)
    assert f"by {APPROVER}: the old form is off" in page and "1 waived" in page
    assert offers(one, token) == ["approve", "request", "reject"]
    assert act(one, token, "reject", why="a test")[0] == 303


def test_a_form_without_the_digest_decides_nothing(governed: Governed, one: Somebody) -> None:
    token = proposed(governed.store, version(28))
    governed.come(one, APPROVER)

    answer = one.post(path(token, "approve"), {})

    assert answer.status_code == 400
    assert change(governed.store, token).state == "awaiting_approval"


def test_a_freeze_is_on_the_page_and_in_whose_place_somebody_decided(
    governed: Governed, one: Somebody
) -> None:
    store = governed.store
    token = proposed(store, version(23))
    set_away(store, APPROVER, until="3d", to=OTHER, actor=logged_in(store, APPROVER))
    freeze_changes(store, "acme", until="1d", why="the sale", actor=logged_in(store, ADMIN))
    governed.come(one, OTHER)
    status, _ = act(one, token, "approve")

    page = text_of(one.get(path(token)).text)

    thaw_changes(store, "acme", why="over", actor=logged_in(store, ADMIN))
    end_away(store, APPROVER, actor=logged_in(store, APPROVER))
    keep_time_of_changes(store)
    assert status == 303
    assert "Frozen nothing of acme goes live until" in page and ": the sale" in page
    assert f"for {APPROVER}, who was away" in page


def test_a_rollout_shows_its_figures_and_is_stopped_on_the_page(
    governed: Governed, one: Somebody
) -> None:
    before = live_version(governed.store)
    done = publish_workflow(
        governed.store,
        lead_workflow(version(61)),
        actor=logged_in(governed.store, AUTHOR),
        rollout=read_rollout(None, "5%,100%", "100ev"),
    )
    token = done.change or ""
    governed.come(one, APPROVER)
    assert "It begins with its rollout: canary of 5%, 100%" in text_of(one.get(path(token)).text)
    decide(governed.store, token)
    give(governed.store, APPROVER, Role.OPERATOR, "acme")

    page = text_of(one.get(path(token)).text)
    assert "How it does on real events" in page and "not enough yet" in page
    assert "canary of 5%" in page
    assert "stop" in offers(one, token)
    status, _ = act(one, token, "stop", why="odd titles")

    assert (status, change(governed.store, token).state) == (303, "rolled_back")
    assert live_version(governed.store) == before
    assert "it went back: odd titles" in text_of(one.get(path(token)).text)


def test_an_author_backtests_it_and_its_page_leads_to_the_events(
    governed: Governed, one: Somebody
) -> None:
    (event,) = accept_leads(governed.store, 1, tier="pro")
    token = proposed(
        governed.store, version(77).replace("tier: tier}, conf", "tier: '\"x\"'}, conf")
    )
    governed.come(one, AUTHOR)

    status, _ = act(one, token, "backtest", weeks="1")
    waits = one.get(path(token)).text
    many, told = act(one, token, "backtest", weeks="521")
    carry_out_next_job(governed.store, keeper="host:1", lease_seconds=60)
    page = one.get(path(token)).text

    assert (status, many) == (303, 400)
    assert "521 weeks are too many" in told
    assert "backtests it, and is queued" in text_of(waits)
    assert f'href="/events/{event}"' in page
    assert "What it would have decided" in text_of(page)
    assert "Pale bands are decided as today" in text_of(page)

"""Dead letters and alerts have pages: whose they are, until when, by which way, and why not."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.dashboard.pages import alerts as alerts_page
from orchestrator.dashboard.pages import dead_letters as letters_page
from orchestrator.dashboard.pages.alerts import AlertFilters, look_for_alerts
from orchestrator.dashboard.pages.dead_letters import LetterFilters, look_for_letters
from orchestrator.store.database.engine import Store
from tests.dashboard.page_text import text_of
from tests.dashboard.peopled import SECRET, STEWARD, Peopled, people
from tests.dashboard.rig import RunningFlower


def letters(store: Store, **asked: str) -> Any:
    with store.read() as tx:
        return look_for_letters(tx, LetterFilters(**asked))


def alerts(store: Store, **asked: str) -> Any:
    with store.read() as tx:
        return look_for_alerts(tx, AlertFilters(**asked))


def test_open_letters_are_listed_first_and_the_others_on_demand(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    peopled = people(store)
    open_, dropped = peopled.open_letter, peopled.dropped_letter

    assert [one.id for one in letters(store)["letters"]] == [open_]
    assert [one.id for one in letters(store, state="dropped")["letters"]] == [dropped]
    assert [one.id for one in letters(store, state="all")["letters"]] == [dropped, open_]
    monkeypatch.setattr(letters_page, "PAGE_SIZE", 1)
    assert letters(store, state="all")["next"] == str(dropped)
    assert letters(store, state="all", before=str(dropped))["next"] is None


def test_alerts_are_listed_page_after_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    people(store)
    every = [one.id for one in alerts(store)["alerts"]]
    monkeypatch.setattr(alerts_page, "PAGE_SIZE", 2)

    found, following = [], None
    while True:
        page = alerts(store, **({"before": following} if following else {}))
        found += [one.id for one in page["alerts"]]
        if (following := page["next"]) is None:
            break

    assert found == every and len(every) > 3
    assert [one.recipient for one in alerts(store, state="failing")["alerts"]] == [
        "dan@acme.example"
    ]


@pytest.mark.processes
def test_a_letter_has_an_owner_a_clock_and_a_reason_and_no_body(
    desk: tuple[RunningFlower, Peopled],
) -> None:
    flower, peopled = desk
    listed = text_of(flower.get("/dead-letters").text)
    whole = flower.get(f"/dead-letters/{peopled.open_letter}").text
    shown = text_of(whole)

    assert STEWARD in listed and "no such task" in listed and "in 71h" in listed
    assert f"Owner {STEWARD}" in shown
    assert f"meshline dead-letters requeue {peopled.open_letter}" in shown
    assert SECRET.decode() not in whole
    assert "workers.chain.route" in shown
    closed = text_of(flower.get(f"/dead-letters/{peopled.dropped_letter}").text)
    assert "cli:ada junk" in closed and "dead-letters requeue" not in closed


@pytest.mark.processes
def test_an_alert_says_to_whom_and_by_which_way_it_went(
    desk: tuple[RunningFlower, Peopled],
) -> None:
    shown = text_of(desk[0].get("/alerts").text)

    assert "eve@acme.example mail env:SLACK_URL: the service did not take it" in shown
    assert "failed Send again… dan@acme.example — mail: the server said 550" in shown
    assert "triage@acme.example as recovery lead" in shown
    assert "meshline alerts retry --failed" in shown


@pytest.mark.processes
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/dead-letters?state=lost", 400),
        ("/dead-letters?before=x", 400),
        ("/dead-letters/999999", 404),
        ("/dead-letters/x", 404),
        ("/alerts?state=lost", 400),
        ("/alerts?incident=one", 400),
        ("/alerts?before=-1", 400),
        ("/alerts?client=acmee", 400),
        ("/alerts?incident=999", 200),
    ],
)
def test_what_cannot_be_listed_is_said(
    desk: tuple[RunningFlower, Peopled], path: str, status: int
) -> None:
    assert desk[0].get(path).status_code == status
    assert desk[0].get(path, login=False).status_code == 401

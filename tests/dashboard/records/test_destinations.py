"""All destinations: what stops them, what waits there, and what failed last."""

from __future__ import annotations

import pytest

from orchestrator.dashboard.pages import destinations as page
from orchestrator.dashboard.pages.destinations import DestinationFilters, look_for_destinations
from orchestrator.store.database.engine import Store
from tests.dashboard.page_text import text_of
from tests.dashboard.peopled import Peopled, people
from tests.dashboard.rig import RunningFlower


def names(store: Store, **asked: str) -> list[str]:
    with store.read() as tx:
        found = look_for_destinations(tx, DestinationFilters(**asked))
    return [one.name for one in found["rows"]]  # type: ignore[attr-defined] # a template reads it


def test_destinations_are_found_by_what_is_wrong_there(store: Store) -> None:
    people(store)

    assert names(store) == [
        *("acme/leads/crm", "acme/leads/desk", "acme/refunds/crm", "acme/refunds/desk"),
        *("bolt/leads/crm", "bolt/leads/desk"),
    ]
    assert names(store, show="stopped") == ["acme/leads/desk"]
    assert names(store, show="waiting") == ["acme/leads/crm", "acme/leads/desk"]
    assert names(store, client="bolt") == ["bolt/leads/crm", "bolt/leads/desk"]


def test_pages_follow_one_another_by_name(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    people(store)
    monkeypatch.setattr(page, "PAGE_SIZE", 3)
    with store.read() as tx:
        first = look_for_destinations(tx, DestinationFilters())

    assert first["next"] == "acme/refunds/crm"
    assert names(store, after="acme/refunds/crm") == [
        *("acme/refunds/desk", "bolt/leads/crm", "bolt/leads/desk")
    ]
    assert names(store, after="bolt/leads/crm") == ["bolt/leads/desk"]
    assert names(store, after="zenith") == []


@pytest.mark.processes
def test_a_row_says_why_by_whom_until_when_and_what_waits(
    desk: tuple[RunningFlower, Peopled],
) -> None:
    flower, peopled = desk
    html = flower.get("/destinations").text
    shown = text_of(html)

    assert "acme/leads/desk fake.record paused somebody resumes it a migration cli:ada" in shown
    assert "1 held" in shown
    assert 'href="/events?held=acme%2Fleads%2Fdesk"' in html
    assert "crm: HTTP 503: try again later" in shown
    assert f'href="/events/{peopled.failing}"' in html
    assert 'href="/destinations/bolt/leads/crm"' in html


@pytest.mark.processes
def test_what_cannot_be_listed_is_said(desk: tuple[RunningFlower, Peopled]) -> None:
    flower, _ = desk

    assert flower.get("/destinations?show=everything").status_code == 400
    wrong = flower.get("/destinations?client=acmee")
    assert (wrong.status_code, "write `acme`" in text_of(wrong.text)) == (400, True)
    assert "No destination matches" in flower.get("/destinations?show=failing&client=bolt").text
    assert flower.get("/destinations", login=False).status_code == 401

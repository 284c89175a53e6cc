"""The audit's page and file: the same rows, found by who, what, whose, which event and when."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from orchestrator.dashboard.pages import audit as page
from orchestrator.dashboard.pages.audit import AuditFilters, file_of_rows, look_for_rows
from orchestrator.presenting.audit_lines import COLUMNS
from orchestrator.store.database.engine import Store
from tests.dashboard.filled import FIXED_EMAIL
from tests.dashboard.page_text import text_of
from tests.dashboard.peopled import Peopled, people
from tests.dashboard.rig import RunningFlower


def looked(store: Store, **asked: str) -> Any:
    with store.read() as tx:
        return look_for_rows(tx, AuditFilters(**asked))


def actions(store: Store, **asked: str) -> list[str]:
    return [one.action for one in looked(store, **asked)["page"].rows]


def as_file(store: Store, form: str, *, most: int = 10_000, **asked: str) -> Any:
    with store.read() as tx:
        return file_of_rows(tx, AuditFilters(**asked), form, most=most)


def test_rows_are_found_by_each_condition_and_by_all_together(store: Store) -> None:
    peopled = people(store)
    discarded = peopled.filled.discarded

    assert actions(store, action="pause") == ["pause"]
    assert actions(store, actor="cli:tester", event=discarded) == ["discard"]
    assert actions(store, event=discarded)[-1] == "accept"
    assert set(actions(store, client="bolt")) == {
        "publish",
        "accept",
        *actions(store, client="bolt"),
    }
    assert actions(store, client="bolt", action="pause") == []
    assert actions(store, incident="1")[-1] == "open_incident"
    assert actions(store, action="pause", since="1h") == ["pause"]
    assert actions(store, action="pause", until="1h") == []


def test_pages_follow_one_another(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    people(store)
    every = [one.id for one in looked(store, client="acme")["page"].rows]
    monkeypatch.setattr(page, "PAGE_SIZE", 7)

    first = looked(store, client="acme")
    second = looked(store, client="acme", before=first["next"])

    found = [one.id for one in (*first["page"].rows, *second["page"].rows)]
    assert found == every[:14]


def test_a_file_holds_the_rows_of_the_page_in_its_words(store: Store) -> None:
    peopled = people(store)
    event = peopled.filled.replayed
    shown = looked(store, event=event)["page"].rows
    text = as_file(store, "csv", event=event)
    document = json.loads(as_file(store, "json", event=event).content)

    rows = list(csv.DictReader(io.StringIO(text.content.decode())))
    assert [int(row["id"]) for row in rows] == [one.id for one in shown]
    assert tuple(rows[0]) == COLUMNS
    assert document["complete"] is True and document["next_before"] is None
    assert [one["id"] for one in document["audit"]] == [one.id for one in shown]
    amended = next(one for one in document["audit"] if one["action"] == "amend")
    assert amended["told"] == "rename customer_tier to tier, set email"
    assert FIXED_EMAIL not in text.content.decode()


def test_a_file_that_does_not_hold_every_row_says_so_and_where_to_go_on(store: Store) -> None:
    people(store)
    every = [one["id"] for one in json.loads(as_file(store, "json").content)["audit"]]

    first = as_file(store, "json", most=5)
    document = json.loads(first.content)
    before = document["next_before"]
    following = json.loads(as_file(store, "json", most=5, before=str(before)).content)

    assert (document["complete"], before) == (False, every[4])
    assert first.name == f"audit-more-before-{before}.json"
    assert first.following == f"before={before}"
    assert [one["id"] for one in (*document["audit"], *following["audit"])] == every[:10]
    assert as_file(store, "csv", most=5).name == f"audit-more-before-{before}.csv"
    assert as_file(store, "csv", actor="nobody").content == (",".join(COLUMNS) + "\r\n").encode()


@pytest.mark.processes
def test_the_page_says_who_did_what_and_leads_to_what_it_is_about(
    desk: tuple[RunningFlower, Peopled],
) -> None:
    flower, peopled = desk
    html = flower.get(f"/audit?event={peopled.filled.replayed}").text
    shown = text_of(html)

    assert "rename customer_tier to tier, set email" in shown
    assert FIXED_EMAIL not in shown
    assert f'href="/events/{peopled.filled.replayed}"' in html
    assert f'href="/audit.csv?event={peopled.filled.replayed}"' in html
    assert "quarantined → accepted" in shown


@pytest.mark.processes
def test_the_file_is_fetched_with_the_same_filters(desk: tuple[RunningFlower, Peopled]) -> None:
    flower, _ = desk
    found = flower.get("/audit.csv?action=pause")

    assert found.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    assert "Link" not in found.headers
    assert found.headers["Cache-Control"] == "no-store"
    assert len(found.text.splitlines()) == 2
    assert flower.get("/audit.json?action=pause").json()["audit"][0]["actor"] == "cli:ada"
    assert flower.get("/audit.json?client=acmee").status_code == 400
    assert flower.get("/audit.xml").status_code == 404


@pytest.mark.processes
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=yesterday", 400),
        ("until=2026-13-01", 400),
        ("before=last", 400),
        ("incident=one", 400),
        ("client=acmee", 400),
        ("event=%00", 200),
        ("actor=%25&action=_", 200),
        ("since=2026-11-23T08:00Z&until=2h", 200),
    ],
)
def test_what_cannot_be_looked_for_is_said(
    desk: tuple[RunningFlower, Peopled], query: str, status: int
) -> None:
    for path in ("/audit", "/audit.csv"):
        assert desk[0].get(f"{path}?{query}").status_code == status
        assert desk[0].get(f"{path}?{query}", login=False).status_code == 401

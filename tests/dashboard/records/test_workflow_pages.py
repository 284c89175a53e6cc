"""Workflows: all of them, one with its map, and the inventory as a page and as a file."""

from __future__ import annotations

import csv
import io
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser

from orchestrator.dashboard.pages.workflows import list as page
from orchestrator.dashboard.pages.workflows.list import (
    COLUMNS,
    WorkflowFilters,
    file_of_inventory,
    look_for_workflows,
)
from orchestrator.store.database.engine import Store
from tests.dashboard.browsing import opened
from tests.dashboard.page_text import elements, text_of
from tests.dashboard.peopled import Peopled, people
from tests.dashboard.rig import RunningFlower


def looked(store: Store, **asked: str) -> Any:
    with store.read() as tx:
        return look_for_workflows(tx, WorkflowFilters(**asked))


def test_pages_follow_one_another_by_client_and_name(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(store)
    monkeypatch.setattr(page, "PAGE_SIZE", 2)

    first = looked(store)
    second = looked(store, after=first["next"])

    rows = (*first["rows"], *second["rows"])
    assert [(one.client, one.workflow) for one in rows] == [
        *(("acme", "leads"), ("acme", "refunds"), ("bolt", "leads"))
    ]
    assert (first["next"], second["next"]) == ("acme/refunds", None)
    assert looked(store, after="no such place")["rows"] == []


def test_the_inventory_is_a_file_with_a_row_per_destination(store: Store) -> None:
    people(store)
    with store.read() as tx:
        whole = file_of_inventory(tx, WorkflowFilters(), "csv")
        part = file_of_inventory(tx, WorkflowFilters(), "csv", most=1)

    rows = list(csv.DictReader(io.StringIO(whole.content.decode())))
    assert [(row["client"], row["destination"], row["calls"]) for row in rows] == [
        *(("acme", "crm", "fake.record"), ("acme", "desk", "fake.record")),
        *(("acme", "crm", "fake.record"), ("acme", "desk", "fake.record")),
        *(("bolt", "crm", "fake.record"), ("bolt", "desk", "fake.record")),
    ]
    assert tuple(rows[0]) == COLUMNS
    assert all(rows[0].values())
    assert (whole.name, whole.following) == ("inventory.csv", None)
    assert (part.name, part.following) == (
        "inventory-more-after-acme-leads.csv",
        "after=acme%2Fleads",
    )
    assert len(part.content.splitlines()) == 3


@pytest.mark.processes
def test_the_list_says_whose_each_is_and_what_is_on_its_way(
    desk: tuple[RunningFlower, Peopled],
) -> None:
    html = desk[0].get("/workflows").text
    shown = text_of(html)

    assert "support-ops@acme.example triage@acme.example" in shown
    assert "The last event came" in shown
    assert 'href="/workflows/acme/leads"' in html
    assert 'href="/events?client=acme&amp;workflow=leads&amp;held=%2A"' in html
    assert "bolt" not in text_of(desk[0].get("/workflows?owner=triage@acme.example").text).split()


@pytest.mark.processes
def test_one_workflow_has_its_people_contract_routes_versions_and_map(
    desk: tuple[RunningFlower, Peopled],
) -> None:
    html = desk[0].get("/workflows/acme/leads").text
    shown = text_of(html)

    for said in (
        "Backstop on-call@agency.example",
        "email string (email) yes",
        'tier one of "enterprise", "pro" yes',
        '1 tier == "enterprise" crm, desk',
        "2, live",
        "Map of leads",
        "paused: desk",
        "1 held",
        "Destination desk: calls fake.record. 1 delivery under way, 1 held: paused",
    ):
        assert said in shown, said
    drawing = next(attributes for tag, attributes in elements(html) if tag == "svg"
                   and attributes.get("role") == "img")  # fmt: skip
    names = str(drawing["aria-labelledby"]).split()
    assert [tag for tag, one in elements(html) if one.get("id") in names] == ["title", "desc"]


@pytest.mark.processes
def test_what_is_not_there_is_said(desk: tuple[RunningFlower, Peopled]) -> None:
    flower, _ = desk

    assert flower.get("/workflows/acme/calls").status_code == 404
    assert flower.get("/workflows/acme/leads?version=7").status_code == 404
    assert flower.get("/workflows/acme/leads?version=one").status_code == 400
    assert "There is no such workflow" in flower.get("/workflows/%3Cb%3E/x").text
    for path in ("/workflows", "/workflows/acme/leads", "/workflows/inventory.csv"):
        assert flower.get(path, login=False).status_code == 401


@pytest.mark.processes
def test_an_older_version_is_shown_as_one_that_is_not_live(
    desk: tuple[RunningFlower, Peopled],
) -> None:
    old = text_of(desk[0].get("/workflows/acme/leads?version=1").text)

    assert "This is version 1, which is not live." in old
    assert "1 published" in old and "2 live" in old


@pytest.mark.processes
def test_the_inventory_is_fetched_as_csv_and_json(desk: tuple[RunningFlower, Peopled]) -> None:
    flower, _ = desk
    text, document = (flower.get(f"/workflows/inventory.{form}") for form in ("csv", "json"))

    assert text.headers["Content-Type"] == "text/csv; charset=UTF-8"
    assert text.headers["Content-Disposition"] == 'attachment; filename="inventory.csv"'
    assert document.json()["complete"] is True
    assert [one["client"] for one in document.json()["destinations"]] == [
        *("acme", "acme", "acme", "acme", "bolt", "bolt")
    ]
    assert "New leads reach the desk" in text_of(flower.get("/workflows/inventory").text)


@pytest.mark.processes
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_drawing_has_the_colours_of_the_theme(
    browser: Browser, desk: tuple[RunningFlower, Peopled], scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, desk[0], color_scheme=scheme) as page:
        page.goto("/workflows/acme/leads")
        fills = {
            name: page.locator(f".desk-map .{name}").first.evaluate(
                "one => getComputedStyle(one).fill"
            )
            for name in ("desk-map-box", "desk-map-title", "desk-map-arrow")
        }

    assert fills["desk-map-arrow"] == "none"
    assert fills["desk-map-box"] != fills["desk-map-title"]

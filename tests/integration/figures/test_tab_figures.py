"""The benchmark of the desk's pages, small: that it asks for every one of them, and no times."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from tornado.routing import URLSpec
from tornado.web import RequestHandler

from benchmarks.tabs.asking import Row, percentile_95
from benchmarks.tabs.pages import NOT_MEASURED, pages
from benchmarks.tabs.tables import LEAST_RATE, over
from benchmarks.tabs.waiting import Things
from orchestrator.dashboard.pages.routes import routes
from orchestrator.dashboard.reader import StoreReader

THINGS = Things(
    incident=1,
    quarantined="q",
    delivered="d",
    key="k",
    plan="p",
    job=1,
    ended_job=2,
    letter=1,
    change="c",
    asked="e",
    session="s",
    session_of_one="t",
)


def test_every_route_that_is_looked_at_is_measured_or_left_out_for_a_reason() -> None:
    with closing(StoreReader("sqlite:///nothing-is-asked.db")) as reader:
        looked_at = {spec.name for spec in routes(reader) if is_looked_at(spec)}

    measured = {page.route for page in pages(THINGS)}
    assert measured.isdisjoint(NOT_MEASURED)
    assert measured | set(NOT_MEASURED) == looked_at


def is_looked_at(spec: URLSpec) -> bool:
    page = spec.handler_class
    return spec.name is not None and page.get is not RequestHandler.get


def row(**figures: float) -> Row:
    whole = {"page_ms": 10.0, "page_p95_ms": 20.0, "queries_ms": 9.0, "ratio": 10.0, **figures}
    return Row(route="r", title="t", statements=1, rounds=1, **whole)  # type: ignore[arg-type]


def test_beside_small_queries_a_page_is_not_judged_by_its_ratio_and_an_export_by_its_rate() -> None:
    assert over(row()) == ()
    assert over(row(queries_ms=10)) == ("ratio",)
    assert over(row(page_ms=160, page_p95_ms=500, ratio=1)) == ("median", "p95")
    assert over(row(page_ms=2_000, page_p95_ms=3_000, rate=LEAST_RATE)) == ()
    assert over(row(page_ms=9_000, rate=LEAST_RATE - 1)) == ("rate",)


def test_the_95th_percentile_of_twenty_is_the_nineteenth() -> None:
    twenty = [float(one) for one in range(20, 0, -1)]

    assert percentile_95(twenty) == 19
    assert percentile_95(twenty[:5]) == 20


@pytest.mark.processes
def test_each_page_is_asked_for_beside_its_statements(tmp_path: Path) -> None:
    figures = tmp_path / "tabs.json"
    size = ("--events", "1000", "--rounds", "1", "--database", "sqlite")
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.tabs", *size, "--json", str(figures)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert figures.exists(), run.stderr
    rows = json.loads(figures.read_text())["sqlite"]
    assert [row["title"] for row in rows] == [page.title for page in pages(THINGS)]
    assert all(row["statements"] for row in rows)
    assert {one["title"] for one in rows if one["rate"]} == {
        page.title for page in pages(THINGS) if page.is_export
    }
    summary = json.loads(run.stdout.splitlines()[-1])
    assert summary["pages"] == len(rows)
    assert run.returncode == bool(summary["over_ratio"])

"""What a run says at its end: how many tests ran where, and what it left out and why.

In CI (where `CI` is set) whatever is left out for a reason that skips.toml does not know fails.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.places import PLACES

ACCEPTED = Path(__file__).with_name("skips.toml")
LEFT_OUT = "left out"
"""The property of a test that ran without a part of itself; its value says which, and why."""

_counts = pytest.StashKey["Counter[str]"]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.stash[_counts] = Counter()


@pytest.hookimpl(tryfirst=True)
def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what this run was not asked for."""
    for item in items:
        item.config.stash[_counts].update(_keys(item, "deselected"))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Count what it was asked for."""
    for item in session.items:
        session.config.stash[_counts].update(_keys(item, "selected"))


def _keys(item: pytest.Item, fate: str) -> Iterator[str]:
    yield f"{fate} all"
    yield from (f"{fate} {place}" for place in PLACES if item.get_closest_marker(place))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what is left out without a known reason fail in CI."""
    report = yield
    whys = [_why(report)] if report.skipped and not hasattr(report, "wasxfail") else []
    if report.when == "teardown":
        whys += [str(value) for name, value in report.user_properties if name == LEFT_OUT]
    for why in whys:
        if _in_ci() and not is_accepted(item.nodeid, why):
            report.outcome = "failed"
            report.longrepr = f"left out, and {ACCEPTED.name} knows no such reason: {why}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that leaves itself out."""
    report = yield
    if _in_ci() and report.skipped and not is_accepted(report.nodeid, why := _why(report)):
        report.outcome = "failed"
        report.longrepr = f"left out, and {ACCEPTED.name} knows no such reason: {why}"
    return report


def is_accepted(test: str, why: str) -> bool:
    """Whether an entry of skips.toml names this test and this reason."""
    entries = tomllib.loads(ACCEPTED.read_text())["skip"]
    return any(
        re.search(entry["tests"], test) and re.search(entry["reason"], why) for entry in entries
    )


def _in_ci() -> bool:
    return os.environ.get("CI", "") not in {"", "0", "false"}


def _why(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of several hands its counts over; all of them have the same."""
    if hasattr(session.config, "workeroutput"):
        counts = session.config.stash[_counts]
        session.config.workeroutput["counts"] = dict(counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take one's counts over."""
    output = getattr(node, "workeroutput", {})
    counts: Counter[str] = Counter(output.get("counts", {}))
    config: pytest.Config = node.config
    config.stash[_counts] = counts


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say it."""
    counts: Counter[str] = config.stash[_counts]
    terminalreporter.section("account")
    for place in ("all", *PLACES) if config.get_verbosity() >= 0 else ():
        selected = counts[f"selected {place}"]
        if there_are := selected + counts[f"deselected {place}"]:
            terminalreporter.line(f"{place:>9}: {selected} of {there_are} tests are in this run")
    left_out = _left_out(terminalreporter.stats)
    for why, tests in sorted(left_out.items()):
        terminalreporter.line(f"not run: {len(tests)}, as {tests[0]}: {why}")
    if not left_out:
        terminalreporter.line("not run: none of these were left out")


def _left_out(stats: dict[str, list[Any]]) -> dict[str, list[str]]:
    """The tests for each reason."""
    found: dict[str, list[str]] = {}
    for report in stats.get("skipped", []):
        found.setdefault(_why(report), []).append(report.nodeid)
    for report in (one for reports in stats.values() for one in reports):
        if getattr(report, "when", None) == "teardown":
            for name, value in report.user_properties:
                if name == LEFT_OUT:
                    found.setdefault(str(value), []).append(f"{report.nodeid} (a part of it)")
    return found

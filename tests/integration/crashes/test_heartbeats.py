"""A heartbeat proves that the work goes on, and not only that a process is there."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from orchestrator.domain.heartbeats import BEAT_SECONDS, Heartbeat, ProcessKind
from orchestrator.embedded.child import Child
from orchestrator.store.desk.heartbeats import list_heartbeats
from tests.integration.pairs import Pair
from tests.integration.system import System, running_system
from tests.waiting import wait_until

pytestmark = pytest.mark.processes


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    with running_system(tmp_path / "home", Pair(store_url=f"sqlite:///{tmp_path}/s.db")) as running:
        yield running


def beats(system: System, kind: ProcessKind) -> list[Heartbeat]:
    with system.store.read() as tx:
        return [one for one in list_heartbeats(tx) if one.kind == kind]


def is_fresh(system: System, kind: ProcessKind) -> bool:
    return any(one.silent_seconds < BEAT_SECONDS + 2 for one in beats(system, kind))


def is_silent(system: System, kind: ProcessKind) -> bool:
    return all(one.silent_seconds > 2 * BEAT_SECONDS for one in beats(system, kind))


def stop(child: Child) -> None:
    child.ask_to_stop(signal.SIGTERM)
    child.wait(60)


@contextmanager
def hanging(processes: list[psutil.Process]) -> Iterator[None]:
    for one in processes:
        one.suspend()
    try:
        yield
    finally:
        for one in processes:
            one.resume()


def test_a_worker_whose_tasks_hang_falls_silent_though_the_worker_itself_runs(
    system: System,
) -> None:
    worker = system.start_worker()
    wait_until(lambda: is_fresh(system, ProcessKind.WORKER))
    (beat,) = beats(system, ProcessKind.WORKER)
    assert beat.instance.startswith("meshline-") or "@" in beat.instance
    doing = psutil.Process(worker.pid).children()
    assert len(doing) >= 2

    with hanging(doing):
        wait_until(lambda: is_silent(system, ProcessKind.WORKER))
        assert worker.running
    wait_until(lambda: is_fresh(system, ProcessKind.WORKER))

    stop(worker)
    assert beats(system, ProcessKind.WORKER) == []


def test_a_relay_beats_with_nothing_due_and_takes_its_row_away_when_it_ends(
    system: System,
) -> None:
    relay = system.start_relay()
    wait_until(lambda: is_fresh(system, ProcessKind.RELAY))
    assert beats(system, ProcessKind.RELAY)[0].did == "nothing was due"

    with hanging([psutil.Process(relay.pid)]):
        wait_until(lambda: is_silent(system, ProcessKind.RELAY))
    wait_until(lambda: is_fresh(system, ProcessKind.RELAY))

    stop(relay)
    assert beats(system, ProcessKind.RELAY) == []


@pytest.mark.parametrize("kind", [ProcessKind.RELAY, ProcessKind.WORKER])
def test_one_that_was_killed_is_not_missed_once_its_successor_beats(
    system: System, kind: ProcessKind
) -> None:
    start = system.start_relay if kind is ProcessKind.RELAY else system.start_worker
    child = start()
    wait_until(lambda: is_fresh(system, kind))
    (before,) = beats(system, kind)

    child.kill()
    child.start()

    wait_until(lambda: any(one.instance != before.instance for one in beats(system, kind)))
    assert len(beats(system, kind)) == 1

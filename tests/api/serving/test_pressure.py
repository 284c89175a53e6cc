"""A store that hangs: refused soon, then at once, and taken again when it is back."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from orchestrator.api.app import ApiLimits
from orchestrator.api.door import DoorLimits
from orchestrator.domain.access.actor import login
from orchestrator.embedded.child import Child
from orchestrator.operations.access.keys import create_key
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.events.counts import count_states
from tests.api.door_process import process_of_a_door
from tests.api.doors import WAITING, RunningDoor, nobody_can_write, open_door, problem
from tests.leads import publish_leads
from tests.servers.postgres import embedded_postgres
from tests.waiting import wait_until

HASTY = ApiLimits(door=DoorLimits(commit_seconds=2), look_seconds=2, key_seconds=60)


@contextmanager
def frozen(server: Child) -> Iterator[None]:
    """A database that takes connections, and never says a word."""
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    for one in family:
        one.suspend()
    try:
        yield
    finally:
        for one in family:
            one.resume()


def unavailable(answer: httpx.Response) -> None:
    problem(answer, 503, "store_unavailable")
    assert int(answer.headers["retry-after"]) > 0


def test_behind_a_commit_that_hangs_nobody_waits(leads: Store) -> None:
    with open_door(leads, limits=HASTY) as door:
        with ThreadPoolExecutor(8) as threads, nobody_can_write(leads):
            for answer in threads.map(lambda _: door.emit(), range(8)):
                unavailable(answer)
            assert door.metric(WAITING) == 0
            unavailable(door.emit(idempotency_key="form-1"))
            answer = door.ask("GET", "/readyz")
            assert (answer.status_code, answer.json()["ready"]) == (503, False)
            assert door.metric("meshline_store_up") == 1  # it still can be read

        wait_until(lambda: door.emit(idempotency_key="form-1").status_code == 202)
        assert door.emit(idempotency_key="form-1").json()["duplicate"] is True
        wait_until(lambda: door.ask("GET", "/readyz").json()["store"] == "ok")


def test_only_what_was_already_on_its_way_is_written_after_all(leads: Store) -> None:
    with open_door(leads, limits=HASTY) as door:
        with ThreadPoolExecutor(8) as threads, nobody_can_write(leads):
            first = threads.submit(door.emit, idempotency_key="form-0")
            wait_until(lambda: door.metric(WAITING) == 1)
            others = [
                threads.submit(door.emit, idempotency_key=f"form-{number}") for number in (1, 2, 3)
            ]
            for sent in (first, *others):
                unavailable(sent.result())

        wait_until(lambda: door.emit(idempotency_key="form-0").status_code == 202)
        assert door.emit(idempotency_key="form-0").json()["duplicate"] is True
        with leads.read() as tx:
            assert sum(count_states(tx).values()) == 1


@pytest.mark.postgres
@pytest.mark.processes
def test_a_database_that_is_frozen_is_refused_and_found_again() -> None:
    with embedded_postgres() as server, closing(open_store(server.url)) as store:
        publish_leads(store)
        stranger = create_key(store, clients=["acme"], label="unseen", actor=login("cli:tester"))
        with open_door(store, limits=HASTY) as door:
            wait_until(lambda: door.emit().status_code == 202)
            with frozen(server.process):
                trigger = {"type": "lead.created", "data": {"email": "ada@example.com"}}
                for _ in range(3):
                    unavailable(door.emit(idempotency_key="form-1"))
                    unavailable(door.post(trigger, key=stranger))  # whose key is looked up
                    unavailable(door.get("/v1/events/x"))
                assert door.ask("GET", "/healthz").status_code == 200
                assert door.ask("GET", "/readyz").status_code == 503

            wait_until(lambda: door.emit(idempotency_key="form-1").status_code == 202)
            wait_until(lambda: door.get("/v1/events/x", key=stranger).status_code == 404)
            wait_until(lambda: door.ask("GET", "/readyz").status_code == 200)


@pytest.mark.postgres
@pytest.mark.processes
def test_a_door_ends_when_it_is_told_to_though_its_database_is_frozen(tmp_path: Path) -> None:
    with embedded_postgres() as server, closing(open_store(server.url)) as store:
        publish_leads(store)
        key = create_key(store, clients=["acme"], label="tests", actor=login("cli:tester"))
        with process_of_a_door(store, tmp_path) as process:
            wait_until((tmp_path / "door.port").exists)
            with (
                closing(RunningDoor(int((tmp_path / "door.port").read_text()), key)) as door,
                ThreadPoolExecutor(1) as threads,
            ):
                wait_until(lambda: door.emit().status_code == 202)
                assert door.metric(WAITING) == 0
                with frozen(server.process):
                    sent = threads.submit(door.emit)
                    wait_until(lambda: door.metric(WAITING) == 1)
                    os.kill(process.pid, signal.SIGTERM)
                    unavailable(sent.result())
                    _, errors = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "Traceback" not in errors

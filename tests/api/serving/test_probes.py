"""Store and broker may be away: the door says so, and accepts what can be accepted."""

from __future__ import annotations

import logging
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select, update

from orchestrator.api.readiness import OLDEST_SECONDS
from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.settings import LOOPBACK, Settings
from orchestrator.store.clocks.alerts import add_test, announce_incidents
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.database.schema import alerts, event_approvals, heartbeats
from orchestrator.store.desk.heartbeats import Pulse, list_heartbeats
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.quarantine.actions import quarantine_events
from tests.api.doors import RunningDoor, open_door, problem
from tests.leads import accept_leads, lead_workflow, publish_leads
from tests.servers.postgres import embedded_postgres
from tests.store.approvals.asked import asked_leads
from tests.waiting import wait_until


@contextmanager
def store_is_away(store: Store) -> Iterator[None]:
    """The folder of the database is not where it was."""
    folder = Path(store.url.database or "").parent
    store.engine.dispose()
    folder.rename(folder.with_name("away"))
    try:
        yield
    finally:
        store.engine.dispose()
        shutil.rmtree(folder, ignore_errors=True)
        folder.with_name("away").rename(folder)


def becomes(door: RunningDoor, name: str, value: object) -> bool:
    return bool(door.get("/readyz").json()[name] == value)


def test_a_door_that_lives_is_healthy(door: RunningDoor) -> None:
    assert door.ask("GET", "/healthz").status_code == 200


def test_a_door_with_store_and_broker_is_ready(leads: Store, valkey: EmbeddedServer) -> None:
    with open_door(leads, Settings(broker_url=valkey.url)) as door:
        answer = door.ask("GET", "/readyz")

    assert answer.status_code == 200
    missing = "degraded: missing; what is accepted waits in the store"
    found = answer.json()
    assert 0 <= found.pop("age_seconds") <= OLDEST_SECONDS
    assert found == {
        "ready": True, "store": "ok", "broker": "ok", "relay": missing, "worker": missing,
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"


def test_a_look_that_is_too_old_is_made_anew_before_it_is_answered(
    leads: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_door(leads) as door:
        assert door.get("/readyz").json()["ready"]
        with store_is_away(leads):
            later = time.monotonic() + OLDEST_SECONDS + 100  # as after a stop of the process
            monkeypatch.setattr("orchestrator.api.aside.monotonic", lambda: later)
            answer = door.get("/readyz")

    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["age_seconds"] == 0


def test_nobody_is_ready_by_a_look_that_took_too_long(
    leads: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(0, OLDEST_SECONDS + 1)  # each question is that much later
    with open_door(leads) as door:
        monkeypatch.setattr("orchestrator.api.aside.monotonic", lambda: next(clock))
        answer = door.get("/readyz")
        monkeypatch.undo()

    assert answer.status_code == 503
    assert answer.json()["store"].startswith("unknown: the oldest look is of ")
    assert answer.json()["age_seconds"] > OLDEST_SECONDS


def test_a_relay_and_a_worker_that_beat_are_seen_and_missed_when_they_fall_silent(
    leads: Store,
) -> None:
    for kind in (ProcessKind.RELAY, ProcessKind.WORKER):
        Pulse(leads, kind, longest_turn_seconds=0).beat("a turn of work")
    with open_door(leads) as door:
        found = door.ask("GET", "/readyz").json()
        assert (found["relay"], found["worker"]) == ("ok", "ok")

        with leads.write() as tx:
            tx.execute(
                update(heartbeats)
                .where(heartbeats.c.kind == "worker")
                .values(beat_at=heartbeats.c.beat_at - 60_000)
            )
        wait_until(lambda: door.get("/readyz").json()["worker"].startswith("degraded: late"))
        found = door.ask("GET", "/readyz")
        assert (found.status_code, found.json()["relay"]) == (200, "ok")


def test_a_door_leaves_heartbeats_and_takes_its_own_away(leads: Store) -> None:
    def doors() -> list[str]:
        with leads.read() as tx:
            return [one.did for one in list_heartbeats(tx) if one.kind == ProcessKind.DOOR]

    with open_door(leads):
        wait_until(lambda: doors() == ["it takes requests"])

    assert doors() == []


def test_without_a_broker_the_door_is_degraded_and_accepts(leads: Store) -> None:
    with socket.create_server((LOOPBACK, 0)) as silent:  # takes connections, says nothing
        port = silent.getsockname()[1]
        for url in (None, f"redis://:s3cret@{LOOPBACK}:{port}/0", f"amqp://{LOOPBACK}:1//"):
            with open_door(leads, Settings(broker_url=url)) as door:
                answer = door.ask("GET", "/readyz")

                assert answer.status_code == 200
                assert answer.json()["ready"] is True
                assert answer.json()["broker"].startswith("degraded: ")
                assert "s3cret" not in answer.text
                assert door.emit().status_code == 202


def test_without_a_store_nothing_is_accepted_and_nothing_is_lost(
    leads: Store, door: RunningDoor
) -> None:
    door.emit()  # the door knows the key now, and gets as far as the commit

    with store_is_away(leads):
        refused = door.emit(idempotency_key="form-1")
        unknown_caller = door.get("/v1/events/x", key="mk_another_key")
        assert door.ask("GET", "/readyz").status_code == 503
        assert door.ask("GET", "/healthz").status_code == 200
        assert door.metric("meshline_store_up") == 0

    problem(refused, 503, "store_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    problem(unknown_caller, 503, "store_unavailable")  # 401 would be a guess
    again = door.emit(idempotency_key="form-1")
    assert (again.status_code, again.json()["duplicate"]) == (202, False)
    wait_until(lambda: becomes(door, "store", "ok"))


@pytest.mark.postgres
@pytest.mark.processes
def test_a_database_server_may_fall_and_rise() -> None:
    with embedded_postgres() as server, closing(open_store(server.url)) as store:
        publish_leads(store)
        with open_door(store) as door:
            assert door.emit(idempotency_key="form-1").status_code == 202

            server.process.stop(signal.SIGQUIT)
            for _ in range(2):  # a connection that was cut, and one that is not to be had
                problem(door.emit(idempotency_key="form-2"), 503, "store_unavailable")

            server.process.start()
            wait_until(lambda: door.emit(idempotency_key="form-2").status_code == 202)
            assert door.emit(idempotency_key="form-2").json()["duplicate"] is True
            assert door.emit(idempotency_key="form-1").json()["duplicate"] is True


def test_a_store_of_another_schema_is_not_ready(leads: Store, door: RunningDoor) -> None:
    with leads.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    answer = door.ask("GET", "/readyz")

    assert answer.status_code == 503
    assert "9999" in answer.json()["store"]


def test_what_the_door_did_is_counted(door: RunningDoor) -> None:
    door.emit(idempotency_key="form-1")
    door.emit(idempotency_key="form-1")
    door.emit(type="lead.gone")
    door.emit_batch([])
    door.ask("GET", "/nowhere")

    assert door.metric("meshline_door_accepted_total") == 1
    assert door.metric("meshline_door_duplicates_total") == 1
    assert door.metric("meshline_door_commits_total") == 2
    assert door.metric("meshline_door_commit_events_count") == 2
    assert door.metric("meshline_door_accept_seconds_count") == 2
    for code in ("unknown_trigger", "invalid_trigger", "not_found"):
        assert door.metric(f'meshline_door_refused_total{{code="{code}"}}') == 1
    assert door.metric('meshline_events{state="accepted"}') == 1
    assert door.metric('meshline_events{state="delivered"}') == 0
    assert door.metric("meshline_store_up") == 1


def test_what_is_in_the_way_is_counted(leads: Store, door: RunningDoor) -> None:
    with leads.write() as tx:
        pause_circuit(tx, "helpdesk", why="a migration", actor="cli:tester")

    assert door.metric('meshline_blocked_circuits{block="pause"}') == 1
    assert door.metric('meshline_blocked_circuits{block="breaker"}') == 0


def test_incidents_and_alerts_are_counted(leads: Store, door: RunningDoor) -> None:
    ids = accept_leads(leads, 2)
    with leads.write() as tx:
        quarantine_events(
            tx,
            ids,
            source=State.ACCEPTED,
            workflow=lead_workflow(),
            reason=Reason.CONTRACT_VIOLATION,
            detail="no",
            actor="worker",
        )
        announce_incidents(tx)
        add_test(tx, "triage@acme.example", actor="cli:tester")
        tx.execute(update(alerts).where(alerts.c.kind == "test").values(state="failed"))

    assert door.metric('meshline_incidents{kind="contract",state="open"}') == 1
    assert door.metric('meshline_alerts{state="waiting"}') == 1
    assert door.metric('meshline_alerts{state="failed"}') == 1
    text = door.ask("GET", "/metrics").text
    assert 'meshline_incidents{kind="platform",state="resolved"} 0.0' in text
    assert 'meshline_alerts{state="sent"} 0.0' in text


def test_events_that_wait_for_a_yes_are_counted(door: RunningDoor, leads: Store) -> None:
    asked_leads(leads, 2)
    with leads.write() as tx:
        first = select(event_approvals.c.id).order_by(event_approvals.c.id).limit(1)
        mine = event_approvals.c.id == first.scalar_subquery()
        tx.execute(update(event_approvals).where(mine).values(remind_at=after(-1)))

    assert door.metric('meshline_events_to_approve{time="first_half"}') == 1
    assert door.metric('meshline_events_to_approve{time="second_half"}') == 1
    assert door.metric('meshline_events_to_approve{time="over"}') == 0
    assert door.metric('meshline_events{state="awaiting_approval"}') == 2


def test_why_the_broker_is_missed_stands_in_the_log(
    leads: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), open_door(leads) as door:
        door.ask("GET", "/readyz")

    assert "MESHLINE_BROKER_URL" in caplog.text

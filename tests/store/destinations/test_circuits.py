"""Circuits: breakers opened by failures, tried by one call, paused and resumed by people."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import update

from orchestrator.domain.delivery.breakers import Block, BreakerState, Circuit, blocking_circuit
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.operations.dispatch.admit_deliveries import Admission
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import circuits
from orchestrator.store.destinations.breakers import note_failures, note_taken, open_now, take_probe
from orchestrator.store.destinations.circuits import (
    pause_circuit,
    resume_circuit,
    troubled_circuits,
)
from orchestrator.store.views.audit import list_audit

POLICY = BreakerPolicy(failures=3, cooldown_seconds=30)
WORKER = "worker:dispatch"


def fail(store: Store, count: int, *, error: str = "503", policy: BreakerPolicy = POLICY) -> bool:
    """So many calls fail, each of another event; whether that opened the breaker."""
    failed = [uuid.uuid4().hex for _ in range(count)]
    return fail_of(store, failed, error=error, policy=policy)


def fail_of(
    store: Store,
    events: Sequence[str],
    *,
    error: str = "503",
    policy: BreakerPolicy = POLICY,
    last_try: bool = False,
) -> bool:
    with store.write() as tx:
        return note_failures(
            tx, "desk", events, error=error, policy=policy, last_try=last_try, actor=WORKER
        )


def circuit_of(store: Store, name: str = "desk") -> Circuit | None:
    with store.read() as tx:
        return troubled_circuits(tx).get(name)


def audited(store: Store) -> list[tuple[str, str | None]]:
    with store.read() as tx:
        return [(row.action, row.reason) for row in list_audit(tx, newest_first=False)]


def cooled_down(store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(circuits).values(probe_at=after(-1)))


def test_where_nothing_happened_there_is_no_circuit(store: Store) -> None:
    with store.read() as tx:
        assert troubled_circuits(tx) == {}
    with store.write() as tx:
        assert not note_taken(tx, "desk", WORKER)
        assert not resume_circuit(tx, "desk", why="in vain", actor="cli:tester")
    assert circuit_of(store) is None


def test_failures_add_up_over_workers_and_open_the_breaker_once(store: Store) -> None:
    assert [fail(store, 1), fail(store, 1), fail(store, 1), fail(store, 1)] == [
        False, False, True, False,
    ]  # fmt: skip

    circuit = circuit_of(store)
    assert circuit and (circuit.block, circuit.reason, circuit.failures) == (
        Block.BREAKER,
        "failing",
        4,
    )
    assert not circuit.probe_due and circuit.actor == WORKER
    assert audited(store) == [("trip", "failing")]


def test_what_opened_a_breaker_is_in_the_audit_by_its_name(store: Store) -> None:
    fail(store, 3, error="no answer\0 within 5 s")

    with store.read() as tx:
        (row,) = list_audit(tx, action="trip")
    assert row.detail == {
        "circuit": "desk", "detail": "no answer\ufffd within 5 s", "failures": 3
    }  # fmt: skip


def test_a_success_between_failures_begins_the_count_anew(store: Store) -> None:
    fail(store, 2)
    with store.write() as tx:
        assert not note_taken(tx, "desk", WORKER)

    assert circuit_of(store) is None
    assert not fail(store, 2)
    assert audited(store) == []


def test_a_success_closes_an_open_breaker(store: Store) -> None:
    fail(store, 3)
    with store.write() as tx:
        assert note_taken(tx, "desk", WORKER)

    assert circuit_of(store) is None
    assert audited(store) == [("trip", "failing"), ("recover", None)]


def test_credentials_that_are_refused_open_the_breaker_at_the_first_call(store: Store) -> None:
    for _ in range(2):
        with store.write() as tx:
            open_now(tx, "desk", error="401", policy=POLICY, actor=WORKER)

    circuit = circuit_of(store)
    assert circuit and (circuit.block, circuit.reason, circuit.error) == (
        Block.BREAKER, "unauthorized", "401"
    )  # fmt: skip
    assert audited(store) == [("trip", "unauthorized")]


def test_nobody_tries_an_open_breaker_before_its_time(store: Store) -> None:
    fail(store, 3)
    with store.write() as tx:
        assert not take_probe(tx, "desk", 30_000)
        assert not take_probe(tx, "another", 30_000)


def test_of_eight_workers_at_once_one_tries_an_open_breaker(store: Store) -> None:
    fail(store, 3)
    cooled_down(store)
    assert (circuit := circuit_of(store)) and circuit.probe_due

    def attempt(_: int) -> bool:
        with store.write() as tx:
            return take_probe(tx, "desk", 30_000)

    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(attempt, range(8))) == 1
    assert (circuit := circuit_of(store)) and not circuit.probe_due


def test_failures_of_eight_workers_at_once_are_all_counted_and_open_it_once(store: Store) -> None:
    together = Barrier(8)

    def work(_: int) -> int:
        together.wait()
        return sum(fail(store, 1) for _ in range(10))

    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(work, range(8))) == 1
    assert (circuit := circuit_of(store)) and circuit.failures == 80


def test_a_failed_try_lets_the_circuit_cool_down_once_more(store: Store) -> None:
    fail(store, 3)
    cooled_down(store)
    fail(store, 1, error="still down")

    circuit = circuit_of(store)
    assert circuit and not circuit.probe_due and circuit.error == "still down"


def breaker_of(store: Store) -> BreakerState | None:
    circuit = circuit_of(store)
    return None if circuit is None else circuit.breaker


def test_a_breaker_is_half_open_while_one_call_tries(store: Store) -> None:
    fail(store, 1)
    assert breaker_of(store) is BreakerState.CLOSED
    fail(store, 2)
    assert breaker_of(store) is BreakerState.OPEN
    cooled_down(store)
    with store.write() as tx:
        assert take_probe(tx, "desk", 30_000)
    assert breaker_of(store) is BreakerState.HALF_OPEN

    fail(store, 1, error="still down")
    assert breaker_of(store) is BreakerState.OPEN


def test_a_worker_that_died_while_it_tried_leaves_an_open_breaker(store: Store) -> None:
    fail(store, 3)
    cooled_down(store)
    with store.write() as tx:
        assert take_probe(tx, "desk", 30_000)
    cooled_down(store)

    assert breaker_of(store) is BreakerState.OPEN


def test_a_pause_is_no_state_of_the_breaker(store: Store) -> None:
    fail(store, 3)
    cooled_down(store)
    with store.write() as tx:
        assert take_probe(tx, "desk", 30_000)
        assert pause_circuit(tx, "desk", why="they move house", actor="cli:tester")

    assert breaker_of(store) is BreakerState.CLOSED


def test_a_paused_circuit_is_neither_opened_nor_closed_by_calls(store: Store) -> None:
    with store.write() as tx:
        assert pause_circuit(tx, "desk", why="they move house", actor="cli:tester")
        assert not pause_circuit(tx, "desk", why="once more", actor="cli:tester")
    fail(store, 5)
    with store.write() as tx:
        assert not open_now(tx, "desk", error="401", policy=POLICY, actor=WORKER)
        assert not take_probe(tx, "desk", 0)
        assert not note_taken(tx, "desk", WORKER)

    circuit = circuit_of(store)
    assert circuit and (circuit.block, circuit.error) == (Block.PAUSE, "they move house")
    assert audited(store) == [("pause", None)]


def test_resuming_closes_an_open_breaker_too(store: Store) -> None:
    fail(store, 3)
    with store.write() as tx:
        assert resume_circuit(tx, "desk", why="they are back", actor="cli:tester")

    assert circuit_of(store) is None
    with store.read() as tx:
        (row,) = list_audit(tx, action="resume")
    assert row.detail == {"circuit": "desk", "from": "breaker", "why": "they are back"}


def test_a_destinations_circuit_is_audited_under_its_workflow(store: Store) -> None:
    with store.write() as tx:
        pause_circuit(tx, "acme/leads/desk", why="a migration", actor="cli:tester")

    with store.read() as tx:
        (row,) = list_audit(tx, client="acme")
    assert (row.workflow, row.destination, row.action) == ("leads", "desk", "pause")


def test_a_destination_waits_for_its_own_circuit_before_its_connectors(store: Store) -> None:
    fail(store, 3)
    with store.write() as tx:
        pause_circuit(tx, "acme/leads/desk", why="a migration", actor="cli:tester")
    with store.read() as tx:
        found = troubled_circuits(tx)

    own = blocking_circuit(found, "acme/leads/desk", "desk", "create")
    other = blocking_circuit(found, "acme/leads/second", "desk", "create")
    assert own and own.name == "acme/leads/desk"
    assert other and other.name == "desk"
    assert blocking_circuit(found, "acme/leads/crm", "crm", "create") is None


def test_a_circuit_that_only_counts_is_in_nobodys_way(store: Store) -> None:
    fail(store, 1)
    with store.read() as tx:
        found = troubled_circuits(tx)

    assert found["desk"].failures == 1
    assert blocking_circuit(found, "acme/leads/desk", "desk", "create") is None


def test_a_process_keeps_what_it_saw_of_circuits_until_it_has_changed_one(store: Store) -> None:
    admission = Admission({}, look_again_seconds=3_600)
    with store.read() as tx:
        assert admission.circuits(tx) == {}
    fail(store, 3)
    with store.read() as tx:
        assert admission.circuits(tx) == {}
        admission.forget_circuits()
        assert "desk" in admission.circuits(tx)


def test_a_process_without_patience_looks_at_circuits_each_time(store: Store) -> None:
    admission = Admission({}, look_again_seconds=0)
    with store.read() as tx:
        assert admission.circuits(tx) == {}
    fail(store, 3)
    with store.read() as tx:
        assert "desk" in admission.circuits(tx)

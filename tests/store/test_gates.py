"""Gates: broken by failures, tried by one call, paused and resumed by people."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import update

from orchestrator.domain.delivery.breakers import Gate, GateState, standing_in_the_way
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import gates
from orchestrator.store.destinations.breakers import note_failures, note_taken, open_now, take_probe
from orchestrator.store.destinations.states import (
    GateShelf,
    pause_gate,
    resume_gate,
    standing_gates,
)
from orchestrator.store.views.events import list_audit

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


def gate_of(store: Store, name: str = "desk") -> Gate | None:
    with store.read() as tx:
        return standing_gates(tx).get(name)


def audited(store: Store) -> list[tuple[str, str | None]]:
    with store.read() as tx:
        return [(row["action"], row["reason"]) for row in list_audit(tx, newest_first=False)]


def cooled_down(store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(gates).values(probe_at=after(-1)))


def test_where_nothing_happened_no_gate_stands(store: Store) -> None:
    with store.read() as tx:
        assert standing_gates(tx) == {}
    with store.write() as tx:
        assert not note_taken(tx, "desk", WORKER)
        assert not resume_gate(tx, "desk", why="in vain", actor="cli:tester")
    assert gate_of(store) is None


def test_failures_add_up_over_workers_and_break_the_gate_once(store: Store) -> None:
    assert [fail(store, 1), fail(store, 1), fail(store, 1), fail(store, 1)] == [
        False, False, True, False,
    ]  # fmt: skip

    gate = gate_of(store)
    assert gate and (gate.state, gate.reason, gate.failures) == (GateState.BROKEN, "failing", 4)
    assert not gate.probe_due and gate.actor == WORKER
    assert audited(store) == [("break", "failing")]


def test_what_broke_a_gate_stands_in_the_audit_by_its_name(store: Store) -> None:
    fail(store, 3, error="no answer\0 within 5 s")

    with store.read() as tx:
        (row,) = list_audit(tx, action="break")
    assert row["detail"] == {
        "gate": "desk", "detail": "no answer\ufffd within 5 s", "failures": 3
    }  # fmt: skip


def test_a_success_between_failures_begins_the_count_anew(store: Store) -> None:
    fail(store, 2)
    with store.write() as tx:
        assert not note_taken(tx, "desk", WORKER)

    assert gate_of(store) is None
    assert not fail(store, 2)
    assert audited(store) == []


def test_a_success_closes_a_broken_gate(store: Store) -> None:
    fail(store, 3)
    with store.write() as tx:
        assert note_taken(tx, "desk", WORKER)

    assert gate_of(store) is None
    assert audited(store) == [("break", "failing"), ("close", None)]


def test_credentials_that_are_refused_break_the_gate_at_the_first_call(store: Store) -> None:
    for _ in range(2):
        with store.write() as tx:
            open_now(tx, "desk", error="401", policy=POLICY, actor=WORKER)

    gate = gate_of(store)
    assert gate and (gate.state, gate.reason, gate.error) == (
        GateState.BROKEN, "unauthorized", "401"
    )  # fmt: skip
    assert audited(store) == [("break", "unauthorized")]


def test_nobody_tries_a_broken_gate_before_its_time(store: Store) -> None:
    fail(store, 3)
    with store.write() as tx:
        assert not take_probe(tx, "desk", 30_000)
        assert not take_probe(tx, "another", 30_000)


def test_of_eight_workers_at_once_one_tries_a_broken_gate(store: Store) -> None:
    fail(store, 3)
    cooled_down(store)
    assert (gate := gate_of(store)) and gate.probe_due

    def attempt(_: int) -> bool:
        with store.write() as tx:
            return take_probe(tx, "desk", 30_000)

    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(attempt, range(8))) == 1
    assert (gate := gate_of(store)) and not gate.probe_due


def test_failures_of_eight_workers_at_once_are_all_counted_and_break_once(store: Store) -> None:
    together = Barrier(8)

    def work(_: int) -> int:
        together.wait()
        return sum(fail(store, 1) for _ in range(10))

    with ThreadPoolExecutor(8) as workers:
        assert sum(workers.map(work, range(8))) == 1
    assert (gate := gate_of(store)) and gate.failures == 80


def test_a_failed_try_lets_the_gate_cool_down_once_more(store: Store) -> None:
    fail(store, 3)
    cooled_down(store)
    fail(store, 1, error="still down")

    gate = gate_of(store)
    assert gate and not gate.probe_due and gate.error == "still down"


def test_a_paused_gate_neither_breaks_nor_closes_by_itself(store: Store) -> None:
    with store.write() as tx:
        assert pause_gate(tx, "desk", why="they move house", actor="cli:tester")
        assert not pause_gate(tx, "desk", why="once more", actor="cli:tester")
    fail(store, 5)
    with store.write() as tx:
        assert not open_now(tx, "desk", error="401", policy=POLICY, actor=WORKER)
        assert not take_probe(tx, "desk", 0)
        assert not note_taken(tx, "desk", WORKER)

    gate = gate_of(store)
    assert gate and (gate.state, gate.error) == (GateState.PAUSED, "they move house")
    assert audited(store) == [("pause", None)]


def test_resuming_closes_a_broken_gate_too(store: Store) -> None:
    fail(store, 3)
    with store.write() as tx:
        assert resume_gate(tx, "desk", why="they are back", actor="cli:tester")

    assert gate_of(store) is None
    with store.read() as tx:
        (row,) = list_audit(tx, action="resume")
    assert row["detail"] == {"gate": "desk", "from": "broken", "why": "they are back"}


def test_a_destinations_gate_is_audited_under_its_workflow(store: Store) -> None:
    with store.write() as tx:
        pause_gate(tx, "acme/leads/desk", why="a migration", actor="cli:tester")

    with store.read() as tx:
        (row,) = list_audit(tx, client="acme")
    assert (row["workflow"], row["destination"], row["action"]) == ("leads", "desk", "pause")


def test_a_destination_waits_for_its_own_gate_before_its_connectors(store: Store) -> None:
    fail(store, 3)
    with store.write() as tx:
        pause_gate(tx, "acme/leads/desk", why="a migration", actor="cli:tester")
    with store.read() as tx:
        found = standing_gates(tx)

    own = standing_in_the_way(found, "acme/leads/desk", "desk", "create")
    other = standing_in_the_way(found, "acme/leads/second", "desk", "create")
    assert own and own.name == "acme/leads/desk"
    assert other and other.name == "desk"
    assert standing_in_the_way(found, "acme/leads/crm", "crm", "create") is None


def test_a_gate_that_only_counts_is_in_nobodys_way(store: Store) -> None:
    fail(store, 1)
    with store.read() as tx:
        found = standing_gates(tx)

    assert found["desk"].failures == 1
    assert standing_in_the_way(found, "acme/leads/desk", "desk", "create") is None


def test_a_shelf_keeps_what_it_saw_until_it_is_told_to_forget(store: Store) -> None:
    shelf = GateShelf(ttl=3_600)
    with store.read() as tx:
        assert shelf.take(tx) == {}
    fail(store, 3)
    with store.read() as tx:
        assert shelf.take(tx) == {}
        shelf.forget()
        assert "desk" in shelf.take(tx)


def test_a_shelf_without_patience_reads_each_time(store: Store) -> None:
    shelf = GateShelf(ttl=0)
    with store.read() as tx:
        assert shelf.take(tx) == {}
    fail(store, 3)
    with store.read() as tx:
        assert "desk" in shelf.take(tx)

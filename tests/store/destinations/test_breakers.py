"""Circuit breakers: what opens them, what closes them, and pauses that grow."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.delivery.breakers import Block, Circuit
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.domain.delivery.retries import PausePolicy
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import circuits, deliveries
from orchestrator.store.destinations.breakers import note_failures, note_taken, take_trickle
from orchestrator.store.destinations.circuits import resume_circuit, troubled_circuits
from orchestrator.store.destinations.held_deliveries import tend_held_deliveries
from orchestrator.store.destinations.pauses import QUIET_SECONDS, note_pause
from tests.store.destinations.holds import cooled_down, opened, pending
from tests.store.stalled import held

POLICY = BreakerPolicy(failures=3, cooldown_seconds=30)
PAUSES = PausePolicy(first=8, factor=2, ceiling=900)
WORKER = "worker:dispatch"


def fail(store: Store, *failed: str, policy: BreakerPolicy = POLICY, last: bool = False) -> bool:
    with store.write() as tx:
        return note_failures(
            tx, "desk.open", failed, error="503", policy=policy, last_try=last, actor=WORKER
        )


def take(store: Store, name: str = "desk.open") -> bool:
    with store.write() as tx:
        return note_taken(tx, name, WORKER)


def circuit_of(store: Store, name: str = "desk.open") -> Circuit:
    with store.read() as tx:
        return troubled_circuits(tx)[name]


def ask(store: Store, seconds: float | None = None) -> tuple[float, bool]:
    with store.write() as tx:
        paused = note_pause(
            tx, "desk", asked=seconds, error="429", policy=PAUSES, jitter=0.99999, actor=WORKER
        )
    return round(paused.seconds), paused.held


def time_passes(store: Store, seconds: float) -> None:
    """What the row says lies so much further back."""
    back = int(seconds * 1000)
    with store.write() as tx:
        tx.execute(
            update(circuits).values(
                postponed_until=circuits.c.postponed_until - back,
                pausing_since=circuits.c.pausing_since - back,
                probe_at=circuits.c.probe_at - back,
            )
        )


def test_one_event_that_fails_again_and_again_does_not_open_a_breaker(store: Store) -> None:
    assert not any(fail(store, "bad") for _ in range(9))
    assert circuit_of(store).only_event == "bad"

    assert fail(store, "another")
    assert circuit_of(store).block is Block.BREAKER


def test_where_the_policy_is_to_wait_for_nothing_the_first_failure_is_enough(
    store: Store,
) -> None:
    assert fail(store, "first", policy=BreakerPolicy(failures=1))


def test_an_event_without_a_try_left_opens_the_breaker_instead_of_being_given_up(
    store: Store,
) -> None:
    assert fail(store, "alone", last=True)


def test_a_call_that_gets_through_is_remembered_with_its_time(store: Store) -> None:
    fail(store, "bad")
    take(store)
    fail(store, "bad")

    circuit = circuit_of(store)
    assert circuit.failures == 1
    assert circuit.taken_at and circuit.taken_at <= circuit.now


def test_pauses_without_a_time_grow_and_a_call_that_gets_through_ends_that(store: Store) -> None:
    assert ask(store) == (8, False)
    time_passes(store, 9)
    assert ask(store) == (16, False)
    time_passes(store, 17)
    take(store, "desk")

    with store.read() as tx:
        assert troubled_circuits(tx) == {}
    assert ask(store) == (8, False)


def test_answers_to_calls_from_before_a_pause_do_not_make_it_longer(store: Store) -> None:
    ask(store)
    assert ask(store)[0] <= 8
    assert circuit_of(store, "desk").pauses == 1

    take(store, "desk")  # as little as a success from before ends it
    assert circuit_of(store, "desk").pauses == 1
    assert ask(store, 40) == (40, False)


@pytest.mark.parametrize("asked", [0, -5, 86_401, 1e9, float("nan"), float("inf")])
def test_a_time_that_cannot_be_meant_is_as_none(store: Store, asked: float) -> None:
    assert ask(store, asked) == (8, False)


def test_pauses_of_more_than_a_minute_open_the_breaker_so_that_they_are_seen(
    store: Store,
) -> None:
    said = []
    for _ in range(5):
        said.append(ask(store))
        time_passes(store, said[-1][0] + 1)

    assert said == [(8, False), (16, False), (32, False), (64, True), (128, True)]
    circuit = circuit_of(store, "desk")
    assert (circuit.block, circuit.reason, circuit.pauses) == (Block.BREAKER, "rate_limited", 5)
    assert ask(store, QUIET_SECONDS * 60)[1]

    with store.write() as tx:
        assert resume_circuit(tx, "desk", why="they raised it", actor="cli:tester")
    with store.read() as tx:
        assert troubled_circuits(tx) == {}


def test_after_a_pause_one_caller_goes_first(store: Store) -> None:
    ask(store)

    def may_go() -> bool:
        with store.write() as tx:
            return take_trickle(tx, "desk", 10_000)

    assert not may_go()
    time_passes(store, 9)
    assert [may_go(), may_go()] == [True, False]
    time_passes(store, 11)
    assert may_go()


def test_the_ones_that_never_failed_try_first_the_oldest_and_the_newest_in_turn(
    store: Store,
) -> None:
    ids = held(store, 6)
    with store.write() as tx:
        failed = deliveries.c.event_id.in_(ids[:2])
        tx.execute(update(deliveries).where(failed).values(failing_since=after(-60)))
        tx.execute(update(deliveries).where(deliveries.c.event_id == ids[0])
                   .values(updated_at=after(60)))  # fmt: skip
    opened(store)
    tried: list[str] = []
    for _ in range(6):
        cooled_down(store)
        with store.write() as tx:
            tx.execute(update(circuits).values(nudged_at=None))
        assert tend_held_deliveries(store) == 1
        tried += [one for one in pending(store) if one not in tried]

    assert tried == [ids[2], ids[5], ids[3], ids[4], ids[1], ids[0]]

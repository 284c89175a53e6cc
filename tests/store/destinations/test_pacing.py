"""A rate is kept for all workers together, and what was not used comes back as a burst."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import update

from orchestrator.domain.delivery.breakers import Reserved
from orchestrator.domain.delivery.handoff import RateBudget
from orchestrator.domain.delivery.retries import PausePolicy
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import circuits
from orchestrator.store.destinations.circuits import troubled_circuits
from orchestrator.store.destinations.pauses import note_pause
from orchestrator.store.destinations.rate_budget import reserve

# One in ten minutes after the burst, so that no hour has more than nine: no test lasts so long.
SLOW = RateBudget(calls=9, per_seconds=3_600, burst=4)
TEN_MINUTES = 600_000


def ask(store: Store, wanted: int, *, rate: RateBudget = SLOW, horizon_ms: int = 0) -> Reserved:
    with store.write() as tx:
        return reserve(tx, "desk", rate, wanted, horizon_ms)


def test_after_a_pause_a_burst_may_go_at_once(store: Store) -> None:
    reserved = ask(store, 3)

    assert (reserved.granted, reserved.first_in_ms) == (3, 0)
    assert [reserved.wait_ms(place) for place in range(3)] == [0, 0, 0]
    assert reserved.next_in_ms == 0  # the fourth of the burst


def test_what_goes_beyond_the_burst_waits_an_interval(store: Store) -> None:
    first = ask(store, 10)
    second = ask(store, 10)

    assert (first.granted, second.granted) == (4, 0)
    assert first.next_in_ms == TEN_MINUTES
    assert TEN_MINUTES - 60_000 < second.next_in_ms <= TEN_MINUTES


def test_a_horizon_lets_calls_be_reserved_that_come_later(store: Store) -> None:
    reserved = ask(store, 10, horizon_ms=2 * TEN_MINUTES)

    assert reserved.granted == 6
    assert reserved.interval_ms == TEN_MINUTES
    assert [reserved.wait_ms(place) for place in range(6)] == [
        0, 0, 0, 0, TEN_MINUTES, 2 * TEN_MINUTES
    ]  # fmt: skip
    assert reserved.next_in_ms == 3 * TEN_MINUTES


def test_a_second_worker_comes_after_the_first(store: Store) -> None:
    ask(store, 4)
    reserved = ask(store, 1, horizon_ms=TEN_MINUTES)

    assert reserved.granted == 1
    assert TEN_MINUTES - 60_000 < reserved.first_in_ms <= TEN_MINUTES
    assert reserved.wait_ms(0) == reserved.first_in_ms


def test_nothing_wanted_uses_nothing_up(store: Store) -> None:
    assert ask(store, 0).granted == 0
    assert ask(store, 4).granted == 4


def test_a_budget_comes_back_with_time_and_never_more_than_the_burst(store: Store) -> None:
    ask(store, 4)
    with store.write() as tx:  # a day later
        tx.execute(update(circuits).values(paid_until_us=(now_ms() - 86_400_000) * 1_000))

    assert ask(store, 100).granted == 4


def test_intervals_of_less_than_a_millisecond_are_kept(store: Store) -> None:
    fast = RateBudget(calls=100_000, per_seconds=10, burst=1)

    reserved = ask(store, 1_000_000, rate=fast, horizon_ms=1_000)

    assert reserved.granted == 10_001
    assert reserved.interval_ms == 0.1


def test_eight_workers_at_once_get_no_more_than_the_budget_together(store: Store) -> None:
    def work(_: int) -> list[Reserved]:
        return [ask(store, 2, horizon_ms=3 * TEN_MINUTES) for _ in range(3)]

    with ThreadPoolExecutor(8) as workers:
        answers = [one for each in workers.map(work, range(8)) for one in each]

    assert sum(one.granted for one in answers) == 4 + 3
    times = sorted(one.wait_ms(place) for one in answers for place in range(one.granted))
    minutes = [round(time / TEN_MINUTES) for time in times]
    assert minutes == [0, 0, 0, 0, 1, 2, 3]


def test_a_destination_that_asks_for_a_pause_gets_one_whatever_the_burst(store: Store) -> None:
    with store.write() as tx:
        note_pause(
            tx, "desk", asked=TEN_MINUTES / 1000, error="429", policy=PausePolicy(),
            jitter=0, actor="worker:dispatch",
        )  # fmt: skip

    assert ask(store, 1).granted == 0
    later = ask(store, 3, horizon_ms=TEN_MINUTES)
    assert later.granted == 1
    assert TEN_MINUTES - 60_000 < later.wait_ms(0) <= TEN_MINUTES


def test_a_rate_alone_is_no_trouble(store: Store) -> None:
    ask(store, 4)

    with store.read() as tx:
        assert troubled_circuits(tx) == {}

"""What a change would have decided about past events, beside a naive count of the test's own."""

from __future__ import annotations

from collections import Counter

import pytest

from orchestrator.domain.changes.backtest_result import BacktestResult
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.changes.backtest import Asked, Backtested, backtest_change
from orchestrator.store.changes.backtests import find_backtest
from orchestrator.store.database.engine import Store
from tests.leads import TEXT, lead, publish_leads
from tests.store.changes.backtesting.past_leads import IS, NEW_TEXT, WAS, accepted
from tests.store.changes.governed import author, govern, proposed


def backtested(store: Store, token: str, **asked: int) -> Backtested:
    return backtest_change(store, token, actor=author(store), asked=Asked(**asked))


def matrix(result: BacktestResult) -> Counter[tuple[str, str]]:
    return Counter({(one.before, one.after): one.events for one in result.matrix})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_counts_what_a_naive_count_does(store: Store, seed: int) -> None:
    govern(store)
    tiers = accepted(store, seed)
    token = proposed(store, NEW_TEXT)

    result = backtested(store, token).result

    was, new = WAS | {"gold": "contract_violation"}, IS | {"gold": "contract_violation"}
    assert matrix(result) == Counter((was[one], new[one]) for one in tiers.values())
    (passing,) = result.newly_passing
    assert (passing.reason, passing.place) == ("contract_violation", "/tier")
    assert passing.events == sum(tier == "free" for tier in tiers.values())
    assert set(passing.examples) <= {one for one, tier in tiers.items() if tier == "free"}
    (field,) = result.fields_changed
    assert (field.destination, field.field, field.change) == ("crm", "tier", "changed")
    assert field.events == sum(tier in ("pro", "enterprise") for tier in tiers.values())
    assert result.unchanged == sum(tier == "gold" for tier in tiers.values())
    assert (result.events, result.with_payload, result.looked_at) == (90, 90, 90)
    assert result.newly_refused == ()
    peaks = {one.destination: (one.before, one.after) for one in result.peak_per_minute}
    assert peaks["desk"][0] < peaks["desk"][1]


def test_events_of_others_that_came_between_are_not_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_leads(store, TEXT.replace("client: acme", "client: bolt"))
    govern(store)
    both = [lead(n, client=client) for n in range(6) for client in ("acme", "bolt")]
    for one in both:
        accept_batch(store, [one], actor="key:test")
    monkeypatch.setattr("orchestrator.operations.changes.backtesting.decide_past._CHUNK", 4)
    monkeypatch.setattr("orchestrator.operations.changes.backtesting.decide_past._LOOKED_UP", 1)

    result = backtested(store, proposed(store, NEW_TEXT)).result

    assert (result.events, result.looked_at) == (6, 6)
    assert sum(matrix(result).values()) == 6


def test_several_processes_count_the_same(store: Store) -> None:
    govern(store)
    accepted(store, 4)
    token = proposed(store, NEW_TEXT)

    alone, together = (backtested(store, token, processes=number) for number in (1, 2))

    assert alone.result.matrix == together.result.matrix
    assert alone.result.fields_changed == together.result.fields_changed


def test_a_sample_is_chosen_by_its_seed_and_stands_for_all(store: Store) -> None:
    govern(store)
    accepted(store, 5, count=600)
    token = proposed(store, NEW_TEXT)

    first, again, other = (backtested(store, token, most=200, seed=seed) for seed in (7, 7, 8))

    assert first.result.matrix == again.result.matrix
    assert first.result.matrix != other.result.matrix
    assert 100 < first.result.looked_at < 300
    assert first.result.seed == 7
    assert sum(matrix(first.result).values()) == pytest.approx(600, rel=0.35)


def test_one_that_was_stopped_goes_on_where_it_was(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    govern(store)
    monkeypatch.setattr("orchestrator.operations.changes.backtesting.decide_past._CHUNK", 10)
    tiers = accepted(store, 6)
    token = proposed(store, NEW_TEXT)

    class Stopped(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done >= 40:
            raise Stopped

    with pytest.raises(Stopped):
        backtest_change(store, token, actor=author(store), progress=stop)
    seen: list[int] = []
    done = backtest_change(
        store, token, actor=author(store), progress=lambda one, _total: seen.append(one)
    )

    assert seen[:2] == [40, 50]
    assert done.result.looked_at == len(tiers)
    assert sum(matrix(done.result).values()) == len(tiers)


def test_only_what_may_still_go_live_and_changes_something_is_backtested(store: Store) -> None:
    govern(store)
    with pytest.raises(NotFound):
        backtested(store, "nothing")
    token = proposed(store, NEW_TEXT)
    backtested(store, token)
    from orchestrator.operations.changes.withdraw import withdraw_change

    withdraw_change(store, token, actor=author(store))
    with pytest.raises(Refused, match="withdrawn already"):
        backtested(store, token)


def test_an_edit_has_no_backtest_of_the_round_before(store: Store) -> None:
    govern(store)
    accepted(store, 8, count=5)
    token = proposed(store, NEW_TEXT)
    done = backtested(store, token)
    with store.read() as tx:
        kept = find_backtest(tx, token, 1, 1)
        assert kept is not None
        assert (kept.digest, kept.result) == (done.digest, done.result)
        assert find_backtest(tx, token, 2, 1) is None

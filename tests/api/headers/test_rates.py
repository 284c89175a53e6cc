"""A key sends as much as its rate and its quota allow; no other key pays for it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from orchestrator.api.headers.rates import Rates
from orchestrator.api.problems import Limited
from orchestrator.domain.access.actor import login
from orchestrator.domain.access.key_limits import KeyLimits
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.sources.source import SourceLimits
from orchestrator.operations.access.keys import check_key, create_key, id_of_key, rotate_key
from orchestrator.operations.access.limit_key import count_sent, limit_key
from orchestrator.store.database.engine import Store
from tests.api.doors import LEAD, RunningDoor, open_door, problem
from tests.leads import publish_leads

ADMIN = login("cli:tester")
RATE = KeyLimits(rate_per_second=2)
QUOTA = KeyLimits(quota_per_day=3)
NOON = 12 * 3600.0


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rates(clock: Clock) -> Rates:
    return Rates(clock=clock, today=clock)


def refusal(rates: Rates, limits: KeyLimits, key: str = "a", count: int = 1) -> Limited:
    with pytest.raises(Limited) as caught:
        rates.take(key, limits, count)
    return caught.value


def test_a_rate_grows_again_with_time_up_to_one_second_of_it(rates: Rates, clock: Clock) -> None:
    for left in (1, 0):
        assert rates.take("a", RATE, 1)["ratelimit"].startswith(f'"rate";r={left};')
    assert refusal(rates, RATE).headers["retry-after"] == "1"

    clock.now += 0.5
    rates.take("a", RATE, 1)
    refusal(rates, RATE)

    clock.now += 100
    assert rates.take("a", RATE, 1)["ratelimit"] == '"rate";r=1;t=1'


def test_a_batch_is_taken_and_paid_for_afterwards(rates: Rates, clock: Clock) -> None:
    rates.take("a", RATE, 7)

    assert refusal(rates, RATE).headers["retry-after"] == "3"
    clock.now += 3
    rates.take("a", RATE, 1)


def test_a_quota_is_of_a_day(rates: Rates, clock: Clock) -> None:
    assert rates.take("a", QUOTA, 2) == {
        "ratelimit-policy": '"quota";q=3;w=86400',
        "ratelimit": f'"quota";r=1;t={12 * 3600}',
    }
    assert refusal(rates, QUOTA, count=2).headers["retry-after"] == str(12 * 3600)
    rates.take("a", QUOTA, 1)
    with pytest.raises(Limited):
        rates.check("a", QUOTA)

    clock.now += 12 * 3600
    rates.take("a", QUOTA, 3)


def test_what_was_refused_is_not_of_the_quota(rates: Rates) -> None:
    rates.take("a", QUOTA, 3)
    rates.give_back("a", 1)

    rates.take("a", QUOTA, 1)


def test_of_whoever_proved_nothing_the_store_has_to_learn_nothing(rates: Rates) -> None:
    rates.check("a", QUOTA)  # before anything is proven
    rates.spend("a", QUOTA)
    assert rates.take_new() == {}

    rates.take("a", QUOTA, 1)
    assert rates.take_new() == {"a": 1}


def test_what_other_doors_took_counts(rates: Rates) -> None:
    rates.take("a", QUOTA, 1)
    assert rates.take_new() == {"a": 1}
    rates.learn({"a": 3})

    refusal(rates, QUOTA)
    assert rates.take_new() == {"a": 0}
    assert rates.take_new() == {}


def test_what_the_store_did_not_take_is_told_again(rates: Rates) -> None:
    rates.take("a", QUOTA, 2)
    rates.put_back(rates.take_new())

    assert rates.take_new() == {"a": 2}
    refusal(rates, QUOTA, count=2)


def test_one_key_at_its_limit_is_no_other_keys_problem(rates: Rates) -> None:
    rates.take("a", RATE, 1_000)
    refusal(rates, RATE)

    for key in ("b", "c"):
        rates.take(key, RATE, 1)


def test_doors_add_up_what_a_key_sent(store: Store) -> None:
    keys = [
        id_of_key(create_key(store, clients=["acme"], label="t", actor=ADMIN)) for _ in range(2)
    ]

    assert count_sent(store, {keys[0]: 2, keys[1]: 5}) == {keys[0]: 2, keys[1]: 5}
    assert count_sent(store, {keys[0]: 3, keys[1]: 0}) == {keys[0]: 5, keys[1]: 5}


def test_limits_are_set_taken_away_and_go_on_to_the_next_key(store: Store) -> None:
    key = create_key(store, clients=["acme"], label="t", actor=ADMIN)
    limits = KeyLimits(rate_per_second=50, quota_per_day=100_000)

    limit_key(store, id_of_key(key), limits=limits, actor=ADMIN)
    assert check_key(store, key).limits == limits
    assert check_key(store, rotate_key(store, id_of_key(key), actor=ADMIN)).limits == limits

    limit_key(store, id_of_key(key), limits=KeyLimits(), actor=ADMIN)
    assert check_key(store, key).limits is None
    with pytest.raises(Refused):
        limit_key(store, id_of_key(key), limits=KeyLimits(rate_per_second=0), actor=ADMIN)
    with pytest.raises(NotFound):
        limit_key(store, "absent", limits=KeyLimits(), actor=ADMIN)


def test_doors_add_up_what_a_source_sent_beside_a_key_of_the_same_name(store: Store) -> None:
    key = id_of_key(create_key(store, clients=["acme"], label="t", actor=ADMIN))
    name = f"source:{key}"

    assert count_sent(store, {key: 2, name: 5}) == {key: 2, name: 5}
    assert count_sent(store, {name: 1}) == {name: 6}


def test_the_rate_of_a_source_is_of_its_own_time(rates: Rates, clock: Clock) -> None:
    limits = SourceLimits(rate=2, per_seconds=60.0, quota_per_day=3)

    told = [rates.take("source:a", limits, 1) for _ in range(2)][-1]
    assert told["ratelimit-policy"] == '"rate";q=2;w=60, "quota";q=3;w=86400'
    assert told["ratelimit"].startswith('"rate";r=0;t=60, ')
    with pytest.raises(Limited) as refused:
        rates.check("source:a", limits)
    assert refused.value.headers["retry-after"] == "30"

    clock.now += 30
    rates.spend("source:a", limits)
    with pytest.raises(Limited, match="2 events in 60 s"):
        rates.check("source:a", limits)
    clock.now += 60
    rates.take("source:a", limits, 1)
    with pytest.raises(Limited, match="3 events a day"):
        rates.check("source:a", limits)


@pytest.fixture
def limited(store: Store) -> Iterator[RunningDoor]:
    """A door whose key may send three triggers today, and 1,000 a second."""
    publish_leads(store)
    with open_door(store) as door:
        limits = KeyLimits(rate_per_second=1_000, quota_per_day=3)
        limit_key(store, id_of_key(door.key), limits=limits, actor=ADMIN)
        yield door


def test_the_door_tells_what_is_left_and_refuses_more(limited: RunningDoor, store: Store) -> None:
    first = limited.emit()
    assert first.headers["ratelimit-policy"] == '"rate";q=1000;w=1, "quota";q=3;w=86400'
    assert '"quota";r=2;t=' in first.headers["ratelimit"]
    assert limited.emit(type="lead.gone").status_code == 422  # not of the quota
    lead = {"type": "lead.created", "data": LEAD}
    assert problem(limited.emit_batch([lead] * 3), 429, "rate_limited")
    assert limited.emit_batch([lead] * 2).status_code == 202

    refused = limited.emit()

    assert "3 events a day" in problem(refused, 429, "rate_limited")["detail"]
    assert int(refused.headers["retry-after"]) > 0
    assert '"quota";r=0;t=' in refused.headers["ratelimit"]
    other = create_key(store, clients=["acme"], label="t", actor=ADMIN)
    unlimited = limited.post(lead, key=other)
    assert unlimited.status_code == 202
    assert "ratelimit" not in unlimited.headers


def test_each_trigger_of_a_batch_counts(limited: RunningDoor) -> None:
    lead = {"type": "lead.created", "data": LEAD}

    answer = limited.post_raw(
        json.dumps([lead, lead]).encode(),
        content_type="application/vnd.meshline.batch+json",
        prefer="outcome=each",
    )

    assert answer.status_code == 207
    assert '"quota";r=1;t=' in answer.headers["ratelimit"]

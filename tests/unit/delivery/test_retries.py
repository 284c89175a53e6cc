from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.delivery.retries import RetryPolicy, backoff

POLICY = RetryPolicy(limit=4, first=5, factor=3, ceiling=60)


def test_waits_grow_by_the_factor_up_to_the_ceiling_and_end_at_the_limit() -> None:
    waits = [backoff(POLICY, attempt, jitter=1.0) for attempt in range(1, 7)]

    assert waits == [5, 15, 45, 60, None, None]


def test_jitter_spreads_a_wait_over_its_upper_half() -> None:
    assert backoff(POLICY, 1, jitter=0.0) == 2.5
    assert backoff(POLICY, 1, jitter=0.5) == 3.75


def test_a_limit_of_zero_means_no_retry() -> None:
    assert backoff(RetryPolicy(limit=0), 1, jitter=0.5) is None


@pytest.mark.parametrize("attempt", [700, 10**6])
def test_a_wait_too_large_to_compute_is_the_ceiling(attempt: int) -> None:
    policy = RetryPolicy(limit=10**6, factor=100.0, ceiling=3600)

    assert backoff(policy, attempt, jitter=1.0) == 3600


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_no_wait_is_ever_nothing_or_past_the_ceiling(attempt: int, jitter: float) -> None:
    wait = backoff(RetryPolicy(limit=100), attempt, jitter)

    assert wait is not None
    assert 0 < wait <= 3600

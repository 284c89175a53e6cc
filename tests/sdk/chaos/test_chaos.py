"""A small run of `make chaos-producers`, and its count of what was planted."""

from __future__ import annotations

import pytest

from tests.sdk.chaos.counting import count
from tests.sdk.chaos.emitter import LINES
from tests.sdk.chaos.plants import PLANTS
from tests.sdk.chaos.run import Asked, run

pytestmark = pytest.mark.processes


def test_nothing_is_lost_doubled_or_disordered() -> None:
    said: list[str] = []

    found = run(Asked(events=1_500, kills=8, seed=3), said.append)

    assert str(found) == "producers: emitted 1500 lost 0 doubled 0 disordered 0", said
    assert said[0] == "8 processes were killed; the disk was full: True"


@pytest.mark.slow
@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_a_planted_fault_is_found(plant: str) -> None:
    """Some faults take chance to show, such as a lost answer: then another seed follows."""
    runs = (Asked(events=3_000, kills=6, seed=seed, plant=plant) for seed in range(3, 9))

    assert any(getattr(run(asked, lambda _: None), plant) > 0 for asked in runs)


def test_the_count_knows_each_fault() -> None:
    assert str(count({0: 3}, [(0, 0), (0, 1), (0, 2)])).endswith("lost 0 doubled 0 disordered 0")
    assert count({0: 3}, [(0, 0), (0, 2)]).lost == 1
    assert count({0: 2}, [(0, 0), (0, 1), (0, 0)]).doubled == 1
    assert count({0: 2 * LINES}, [(0, LINES), (0, 0)]).disordered == 1
    assert count({0: 1}, [(0, 0), (0, 1)]).is_good  # killed before it could be promised

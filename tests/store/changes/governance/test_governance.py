"""No interleaving of people, crashes and time lets a version live that nobody else approved.

These are the same interleavings each time. For new ones: `make governance N=100000 SEED=7`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded.child import EmbeddedServer
from tests.store.changes.governance.ground import Databases, Files
from tests.store.changes.governance.plants import ALL_PLANTS
from tests.store.changes.governance.play import play
from tests.store.changes.governance.stories import STORIES, tell

INTERLEAVINGS = 200


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    ground = Files(tmp_path_factory.mktemp("governance"))
    yield ground
    ground.close()


@pytest.mark.slow
def test_nothing_goes_live_that_nobody_else_approved(files: Files) -> None:
    outcome = play(files, INTERLEAVINGS)

    assert outcome.story is None
    assert outcome.played >= INTERLEAVINGS
    assert outcome.live > INTERLEAVINGS / 5, "where all is refused, nothing is proven"


def test_nor_does_it_beside_a_server(postgres: EmbeddedServer) -> None:
    outcome = play(Databases(postgres.url), 20)

    assert (outcome.story, outcome.played >= 20) == (None, True)


@pytest.mark.parametrize("plant", ALL_PLANTS)
def test_each_check_that_is_taken_away_is_missed(files: Files, plant: str) -> None:
    missed = tell(files, STORIES[plant], plant=plant)

    assert "nobody else approved it" in (missed or "")
    assert tell(files, STORIES[plant], plant=None) is None


def governance(*arguments: str, plant: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.store.changes.governance", *arguments],
        env={**os.environ, "PLANT": plant},
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.processes
def test_the_long_run_says_how_many_and_ends_with_0() -> None:
    run = governance("--interleavings", "20", "--seed", "5")

    last, counts = run.stdout.splitlines()[-1].split(" unapproved ")
    assert (last.split()[:2], counts, run.returncode) == (["governance:", "interleavings"], "0", 0)


@pytest.mark.processes
def test_the_long_run_ends_with_1_where_something_is_live_unapproved() -> None:
    run = governance("--interleavings", "100", plant="self-approval")

    assert (run.stdout.splitlines()[-1].endswith(" unapproved 1"), run.returncode) == (True, 1)
    assert "nobody else approved it" in run.stdout


@pytest.mark.processes
def test_a_plant_that_is_not_known_is_refused() -> None:
    run = governance(plant="self-aproval")

    assert run.returncode == 2
    assert "self-approval" in run.stdout

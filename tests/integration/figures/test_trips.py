"""One event passes few files, and a reader who follows it turns seldom: `make trace`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from benchmarks.trips.limits import LIMITS, excesses
from benchmarks.trips.playing import PARTS
from benchmarks.trips.recording import Recorder, Trip
from orchestrator.domain.text import durations, words

pytestmark = pytest.mark.processes


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    yield Recorder()
    threading.setprofile(None)


def test_no_trip_of_a_real_event_is_longer_than_its_limit() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "benchmarks.trips", "--json"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    trips = json.loads(ran.stdout)
    assert list(trips) == list(PARTS) == list(LIMITS)
    assert "workers/dispatch.py" in trips["dispatch"]["files"]
    assert "orchestrator/store/drive/accept.py" in trips["door"]["files"]  # in the writer's thread


def test_a_trip_that_became_longer_is_named_with_its_figures() -> None:
    limit = LIMITS["door"]
    within = Trip(entered=Counter({f"{n}.py": 1 for n in range(limit.files)}), moves=limit.moves)
    more_files = Trip(entered=within.entered + Counter(["one_more.py"]), moves=0)
    more_moves = Trip(moves=limit.moves + 1)

    assert excesses({"door": within}) == []
    for longer in (more_files, more_moves):
        (found,) = excesses({"door": longer})
        assert found.startswith(f"door: {len(longer.files)} files and {longer.moves} moves")


def test_a_move_is_a_call_in_another_file_than_the_last(recorder: Recorder) -> None:
    with recorder.trip() as trip:
        durations.seconds("2h")
        durations.seconds("3h")
        words.sought_words("ada")
        durations.seconds("4h")

    assert trip.files == [
        "orchestrator/domain/text/durations.py",
        "orchestrator/domain/text/words.py",
    ]
    assert trip.moves == 2
    assert trip.calls >= 4


def test_another_thread_is_followed_by_itself_and_costs_one_move(recorder: Recorder) -> None:
    thread = threading.Thread(target=durations.seconds, args=("2h",))
    with recorder.trip() as trip:
        durations.seconds("2h")
        thread.start()
        thread.join()
        durations.seconds("2h")

    assert (len(trip.files), trip.moves) == (1, 1)

"""The benchmark of the quarantine desk, small: what it counts, and no times."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.processes

EVENTS, RENAMED = 600, 564


def test_a_plan_that_is_killed_twice_replays_each_event_once(tmp_path: Path) -> None:
    figures = tmp_path / "desk.json"
    size = ("--events", str(EVENTS), "--repeats", "1")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.desk", *size),
            *("--database", "sqlite", "--json", str(figures)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    found = json.loads(figures.read_text())
    counts = {one["title"]: one["found"] for one in found["counts"]}
    assert counts == {
        "incidents": 4,
        "delivered before": 200,
        "came to quarantine": EVENTS,
        "amended": RENAMED,
        "planned": RENAMED,
        "marked in the plan": RENAMED,
        "replays = 1": RENAMED,
        "replays > 1": 0,
        "with one replay in the audit": RENAMED,
        "replays in the audit": RENAMED,
        "still in quarantine": EVENTS - RENAMED,
    }
    assert all(0 < done < RENAMED for done in replayed(found))
    assert sum(replayed(found)) == RENAMED


def replayed(found: dict[str, Any]) -> list[int]:
    """How many events each of the three runs of the plan replayed; two of them were killed."""
    return [one["events"] for one in found["steps"] if one["title"].startswith("run")]

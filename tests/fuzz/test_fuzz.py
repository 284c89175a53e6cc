"""A short run of the fuzzer finds nothing; with a fault planted, it finds that fault."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

SECONDS = 300  # for a run; a run that hangs is a fault of its own


def fuzz(folder: Path, *arguments: str, plant: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--failures", str(folder / "found"), *arguments],
        env={**os.environ, "PLANT": plant},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def counts(run: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """The last line: `fuzz: inputs N crashed N slow N leaked N`."""
    words = run.stdout.splitlines()[-1].removeprefix("fuzz: ").split()
    return {name: int(count) for name, count in zip(words[::2], words[1::2], strict=True)}


def test_a_short_run_finds_nothing(tmp_path: Path) -> None:
    run = fuzz(tmp_path, "--inputs", "4000", "--seed", "11")

    assert counts(run) == {"inputs": 4_000, "crashed": 0, "slow": 0, "leaked": 0}, run.stdout
    assert run.returncode == 0


@pytest.mark.parametrize(
    ("plant", "surface", "kind"),
    [
        ("slow-validation", "payload", "slow"),
        ("traceback", "body", "crashed"),
        ("traceback", "door", "crashed"),
        ("leaked-secret", "recipe", "leaked"),
        ("leaked-secret", "door", "leaked"),
    ],
)
def test_a_planted_fault_is_counted_and_ends_with_1(
    tmp_path: Path, plant: str, surface: str, kind: str
) -> None:
    inputs = "8" if plant == "slow-validation" else "250"

    run = fuzz(tmp_path, "--inputs", inputs, "--only", surface, plant=plant)

    assert counts(run)[kind] > 0, run.stdout
    assert run.returncode == 1


def test_the_same_seed_makes_the_same_inputs(tmp_path: Path) -> None:
    found = []
    for name in ("once", "again"):
        fuzz(tmp_path / name, "--inputs", "150", "--only", "body", plant="traceback")
        found.append(sorted(one.name for one in (tmp_path / name / "found").iterdir()))

    assert found[0] and found[0] == found[1]


def test_a_plant_that_is_not_known_is_refused(tmp_path: Path) -> None:
    run = fuzz(tmp_path, "--inputs", "1", plant="leeked-secret")

    assert run.returncode == 2
    assert "leaked-secret" in run.stdout

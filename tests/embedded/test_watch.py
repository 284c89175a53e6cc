"""What ends while everything runs is started again, and said in words that do not flood."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.embedded import log_file
from orchestrator.embedded.child import Child, Program
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.watch import LONG_LIFE, Watch, pause_after
from tests.embedded.full_disk import no_room

pytestmark = pytest.mark.processes

SLEEPER = ("sleep", "600")
FAILING = (sys.executable, "-c", "print('no such table', flush=True); raise SystemExit(3)")


class Watched:
    """One child under watch, with a clock that only the test moves, and what was said."""

    def __init__(self, supervisor: Supervisor, command: tuple[str, ...]) -> None:
        self.child: Child = supervisor.start(Program(name="relay", command=command))
        self.now = 1_000.0
        self.said: list[str] = []
        self.watch = Watch(self.child, self.said.append, clock=lambda: self.now)

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.watch.turn()

    def end(self) -> None:
        """It ends, and its end is seen."""
        if self.child.program.command == SLEEPER:
            self.child.signal(9)
        until = time.monotonic() + 20
        while self.child.running and time.monotonic() < until:
            time.sleep(0.01)
        self.watch.turn()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path) as supervisor:
        yield supervisor


def test_an_end_is_said_once_and_so_is_that_it_has_kept_running(supervisor: Supervisor) -> None:
    watched = Watched(supervisor, SLEEPER)
    watched.end()
    watched.pass_by(pause_after(1))
    (line,) = watched.said
    assert line.startswith("trouble: relay ended (signal 9); started again")

    watched.pass_by(LONG_LIFE - 1)
    assert len(watched.said) == 1
    watched.pass_by(1)
    watched.pass_by(LONG_LIFE)
    assert watched.said[1:] == ["over: relay has kept running for 60 s"]

    watched.end()
    watched.pass_by(pause_after(1))
    assert watched.said[2].startswith("trouble: relay ended (signal 9); started again")


def test_who_ends_again_and_again_is_counted_and_told_of_ever_more_rarely(
    supervisor: Supervisor,
) -> None:
    watched = Watched(supervisor, FAILING)
    for times in range(1, 17):
        watched.end()
        watched.pass_by(pause_after(times))

    heads = [line.splitlines()[0] for line in watched.said]
    assert "relay ended (exit code 3); started again" in heads[0]
    counted = [head.split(", ")[1].split(" ")[0] for head in heads[1:]]
    assert counted == ["2", "3", "4", "5", "8", "16"]
    assert "no such table" in watched.said[0]
    assert watched.said[-1].endswith(f"as every 30 s; see {watched.child.log}")


def test_a_start_that_fails_is_a_trouble_and_is_tried_again_after_a_longer_pause(
    supervisor: Supervisor,
) -> None:
    watched = Watched(supervisor, SLEEPER)
    watched.child.log.unlink()
    watched.child.log.mkdir()  # as a folder nobody can append to it
    watched.end()

    watched.pass_by(pause_after(1))
    watched.pass_by(pause_after(2))
    assert [line.split("; ")[-1] for line in watched.said] == [
        "it is tried again in 2 s",
        "it is tried again in 4 s",
    ]
    assert watched.said[0].startswith("trouble: relay cannot be started: ")
    assert str(watched.child.log) in watched.said[0]

    watched.child.log.rmdir()
    watched.pass_by(pause_after(3))
    assert watched.child.running
    assert watched.said[2].startswith("trouble: relay ended (signal 9); started again")


def test_a_log_that_cannot_be_put_aside_is_a_trouble_until_it_can(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST_LOG", 100)
    watched = Watched(supervisor, SLEEPER)
    watched.child.log.write_text("x" * 200)

    with no_room():
        watched.pass_by(0)
        watched.pass_by(pause_after(1))
    assert watched.child.running
    assert watched.said == [f"trouble: {watched.child.log} cannot be put aside: File too large"]

    watched.pass_by(pause_after(2))
    assert watched.said[1:] == [f"over: {watched.child.log} can be put aside"]
    assert watched.child.log.stat().st_size == 0


def test_a_year_of_attempts_is_survived() -> None:
    assert pause_after(1_000_000) == pause_after(6) == 30

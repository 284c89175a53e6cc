"""`make bench-rollout`: what a shadow costs, side by side; see benchmarks/README.md.

In each round the same processes drain the same number of events three times: without a rollout,
beside a shadow, and without a rollout again. The two without are compared with each other too: what
they differ by is the noise, and a difference below it says nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import this_run
from benchmarks.measuring import cpu_of
from benchmarks.rollout.tables import lines_of
from benchmarks.stand import POSTGRES, SQLITE, Stand, forget_environment, python, standing
from benchmarks.systems.meshline import Meshline, Opened, opened
from benchmarks.workload import FAKE, workflow
from benchmarks.works import Figures, Numbers, accept_and_drain, warm_up
from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.changes.rollout import read_rollout
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.changes.rollout.figures import show_rollout
from orchestrator.operations.changes.rollout.go_back import stop_rollout
from orchestrator.operations.publish_workflow import publish_workflow

ME = login("bench")
QUIET_SECONDS = 6.0  # after a drain, to see what the keeper takes with nothing to deliver


@dataclass(frozen=True, kw_only=True)
class Round:
    """Three drains, one after the other."""

    before: Figures  # without a rollout
    shadow: Figures
    after: Figures  # without a rollout again


def main() -> None:
    """Measure in turn, print what was found and how wide the noise is."""
    parser = argparse.ArgumentParser(prog="make bench-rollout")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of three drains each")
    parser.add_argument("--events", type=int, default=6_000, metavar="N", help="in one drain")
    parser.add_argument("--store", choices=["sqlite", "postgresql"], help="only this one")
    asked = parser.parse_args()
    stores = {"sqlite": [SQLITE], "postgresql": [POSTGRES]}.get(asked.store, [SQLITE, POSTGRES])
    forget_environment()
    found: dict[str, list[Round]] = {}
    with (
        TemporaryDirectory(prefix="meshline-bench-") as folder,
        standing(Path(folder), with_postgres=POSTGRES in stores) as stand,
    ):
        for store in stores:
            with _running(stand, store) as (system, ours):
                numbers = Numbers()
                warm_up(system, numbers)
                found[store] = [
                    _round(system, ours, numbers, asked.events, turn)
                    for turn in range(asked.rounds)
                ]
                system.check(numbers.given)
    about = this_run(sys.argv[1:], target="bench-rollout")
    head = [f"`{about['command']}`, {about['date']}, {about['machine']}", ""]
    sys.stdout.write("\n".join([*head, *lines_of(found, asked.events)]) + "\n")


def _round(system: Meshline, ours: Opened, numbers: Numbers, events: int, turn: int) -> Round:
    before = _drained(system, numbers, events)
    before |= {"quiet_cpu_s": _quiet(system)}
    token = _roll_out(ours, system.session.folder, turn)
    shadow = _drained(system, numbers, events)
    seen = _looked_at(ours, token)
    shadow |= {"looked_at": seen / events, "quiet_cpu_s": _quiet(system)}
    shadow["quiet_looked_at"] = float(_looked_at(ours, token) - seen)
    stop_rollout(ours.store, token, why="it was measured", actor=ME)
    return Round(before=before, shadow=shadow, after=_drained(system, numbers, events))


def _drained(system: Meshline, numbers: Numbers, events: int) -> Figures:
    """What a drain took, and how much of its processor time the keeper did."""
    before = cpu_of(system, "keeper")
    found = accept_and_drain(system, numbers, events)
    return found | {"keeper_s_per_1000": (cpu_of(system, "keeper") - before) / events * 1000}


def _quiet(system: Meshline) -> float:
    """Processor seconds that the keeper takes in some seconds without an event to deliver."""
    before = cpu_of(system, "keeper")
    time.sleep(QUIET_SECONDS)
    return cpu_of(system, "keeper") - before


@contextmanager
def _running(stand: Stand, store: str) -> Iterator[tuple[Meshline, Opened]]:
    with (
        stand.database(store) as url,
        stand.session(store) as session,
        opened(session, url) as ours,
    ):
        given = ours.environment
        system = Meshline(session, ours)
        session.start(
            python("keeper", "orchestrator.keeper.loop", ready="keeping", environment=given)
        )
        yield system, ours


def _roll_out(ours: Opened, folder: Path, turn: int) -> str:
    """The token of a change whose version differs in what it promises."""
    text = f"{workflow(FAKE)}runbook: https://runbooks.example/orders/{turn}\n"
    parsed = parse_workflow(
        text, name="bench.yaml", folder=folder, catalog=catalog(load_connectors(None))
    )
    shadow = read_rollout("1h", None, None)
    done = publish_workflow(ours.store, parsed, actor=ME, rollout=shadow)
    assert done.change is not None
    assert done.state == "shadow"
    return done.change


def _looked_at(ours: Opened, token: str) -> int:
    """Events that the shadow has looked at."""
    with ours.store.read() as tx:
        return show_rollout(tx, token, None).steps[0].events


if __name__ == "__main__":
    main()

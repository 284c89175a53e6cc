"""`make bench-rollout`: what a shadow costs, side by side; see benchmarks/README.md.

The same events are drained beside a keeper that has nothing to roll out, and beside one that lets a
candidate decide about each of them too, in turn.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import this_run
from benchmarks.stand import POSTGRES, SQLITE, Stand, forget_environment, python, standing
from benchmarks.systems.meshline import Meshline, Opened, opened
from benchmarks.workload import FAKE, workflow
from benchmarks.works import Numbers, accept_and_drain, warm_up
from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.changes.rollout import read_rollout
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.changes.rollout.figures import show_rollout
from orchestrator.operations.publish_workflow import publish_workflow

_PLAIN, _SHADOW = "no rollout", "shadow"


def main() -> None:
    """Measure in turn, print the medians and the ratios."""
    parser = argparse.ArgumentParser(prog="make bench-rollout")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each")
    parser.add_argument("--events", type=int, default=12_000, metavar="N", help="in one drain")
    asked = parser.parse_args()
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    forget_environment()
    with (
        TemporaryDirectory(prefix="meshline-bench-") as folder,
        standing(Path(folder), with_postgres=True) as stand,
    ):
        for turn in range(asked.rounds):
            for store in (SQLITE, POSTGRES):
                ways = (_PLAIN, _SHADOW) if turn % 2 == 0 else (_SHADOW, _PLAIN)
                for way in ways:
                    figures = _measured(stand, store, way, asked.events)
                    found.setdefault((store, way), []).append(figures)
    _report(found, asked.rounds)


def _measured(stand: Stand, store: str, way: str, events: int) -> dict[str, float]:
    numbers = Numbers()
    with _running(stand, store) as (system, ours):
        token = _roll_out(ours, system.session.folder) if way == _SHADOW else None
        warm_up(system, numbers)
        figures = accept_and_drain(system, numbers, events)
        figures["looked_at"] = 0.0 if token is None else _looked_at(ours, token) / events
        system.check(numbers.given)
    return figures


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


def _roll_out(ours: Opened, folder: Path) -> str:
    """The token of a change whose version differs in what it promises."""
    text = f"{workflow(FAKE)}runbook: https://runbooks.example/orders\n"
    parsed = parse_workflow(
        text, name="bench.yaml", folder=folder, catalog=catalog(load_connectors(None))
    )
    shadow = read_rollout("1h", None, None)
    done = publish_workflow(ours.store, parsed, actor=login("bench"), rollout=shadow)
    assert done.change is not None
    assert done.state == "shadow"
    return done.change


def _looked_at(ours: Opened, token: str) -> int:
    """Events that the shadow had looked at when the last one was delivered."""
    with ours.store.read() as tx:
        return show_rollout(tx, token, None).steps[0].events


def _report(found: dict[tuple[str, str], list[dict[str, float]]], rounds: int) -> None:
    about = this_run(sys.argv[1:], target="bench-rollout")
    lines = [f"`{about['command']}`, {about['date']}, {about['machine']}", ""]
    lines.append("| store | beside | events/s | to no rollout | looked at meanwhile |")
    lines.append("|---|---|--:|--:|--:|")
    for store in (SQLITE, POSTGRES):
        for way in (_PLAIN, _SHADOW):
            runs, plain = found[store, way], found[store, _PLAIN]
            ratio = statistics.median(
                one["events_per_s"] / other["events_per_s"]
                for one, other in zip(runs, plain, strict=True)
            )
            rate, seen = (
                statistics.median(one[figure] for one in runs)
                for figure in ("events_per_s", "looked_at")
            )
            lines.append(f"| {store} | {way} | {rate:,.0f} | {ratio:.2f} | {seen:.0%} |")
    lines += ["", f"Medians of {rounds}."]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

"""`make bench-order`: what an ordering key costs, side by side; see benchmarks/README.md.

The same events are drained by a workflow without the key, with a key of their own each, and with a
few keys among them, in turn.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import this_run
from benchmarks.stand import POSTGRES, SQLITE, Stand, forget_environment, standing
from benchmarks.systems.meshline import Meshline, opened, trigger_with
from benchmarks.workload import order
from benchmarks.works import Numbers, accept_and_drain, warm_up
from orchestrator.domain.event import Trigger

_KEY = "ordering_key: data.customer.id\n"


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A workflow, and how its events share their keys."""

    name: str
    more: str  # lines of its file
    keys: int  # different ones; 0: each event has its own
    share: int  # of the events of a round that are driven: an order of few keys takes long


SHAPES = (
    Shape(name="no key", more="", keys=0, share=1),
    Shape(name="a key each", more=_KEY, keys=0, share=1),
    Shape(name="10 keys", more=_KEY, keys=10, share=4),
)


def main() -> None:
    """Measure in turn, print the medians and the ratios to a workflow without the key."""
    parser = argparse.ArgumentParser(prog="make bench-order")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each")
    parser.add_argument("--events", type=int, default=4_000, metavar="N", help="in one drain")
    asked = parser.parse_args()
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    forget_environment()
    with (
        TemporaryDirectory(prefix="meshline-bench-") as folder,
        standing(Path(folder), with_postgres=True) as stand,
    ):
        for _ in range(asked.rounds):
            for store in (SQLITE, POSTGRES):
                for shape in SHAPES:
                    figures = _measured(stand, store, shape, asked.events // shape.share)
                    found.setdefault((store, shape.name), []).append(figures)
    _report(found, asked.rounds)


def _measured(stand: Stand, store: str, shape: Shape, events: int) -> dict[str, float]:
    numbers = Numbers()
    with _running(stand, store, shape) as system:
        warm_up(system, numbers)
        figures = accept_and_drain(system, numbers, events)
        system.check(numbers.given)
    return figures


@contextmanager
def _running(stand: Stand, store: str, shape: Shape) -> Iterator[Meshline]:
    with (
        stand.database(store) as url,
        stand.session(store) as session,
        opened(session, url, more=shape.more) as ours,
    ):
        yield Meshline(session, ours, trigger=partial(_trigger, shape.keys))


def _trigger(keys: int, number: int) -> Trigger:
    payload = order(number)
    customer = payload["customer"]
    assert isinstance(customer, dict)
    customer["id"] = f"c-{number % keys if keys else number}"
    return trigger_with(payload)


def _report(found: dict[tuple[str, str], list[dict[str, float]]], rounds: int) -> None:
    about = this_run(sys.argv[1:], target="bench-order")
    lines = [f"`{about['command']}`, {about['date']}, {about['machine']}", ""]
    lines.append("| store | keys | events/s | to no key | CPU s/1,000 | commits/1,000 |")
    lines.append("|---|---|--:|--:|--:|--:|")
    for (store, name), runs in found.items():
        plain = found[store, SHAPES[0].name]
        ratio = statistics.median(
            one["events_per_s"] / other["events_per_s"]
            for one, other in zip(runs, plain, strict=True)
        )
        rate, cpu, commits = (
            statistics.median(one[figure] for one in runs)
            for figure in ("events_per_s", "cpu_s_per_1000", "commits_per_1000")
        )
        lines.append(
            f"| {store} | {name} | {rate:,.0f} | {ratio:.2f} | {cpu:.2f} | {commits:,.0f} |"
        )
    lines += ["", f"Medians of {rounds}."]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

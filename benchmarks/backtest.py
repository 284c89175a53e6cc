"""`make bench-backtest`: how fast past events are decided about again; see benchmarks/README.md.

The same past of the example's workflow, side by side in each round: one process that reads and
decides event by event, a backtest in one process, and one on all cores.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import orjson
from sqlalchemy import select

from benchmarks.desk.filling import (
    POSTGRES,
    SQLITE,
    database,
    environment,
    opened_process,
    publish_example,
    take_in,
)
from benchmarks.desk.leads import CLIENT, WORKFLOW, broken_leads, good_leads
from benchmarks.machine import this_run
from benchmarks.stand import forget_environment
from orchestrator.cli.terminal.progress import bar
from orchestrator.domain.changes.backtest import Tally
from orchestrator.operations.changes.backtesting.decide_past import Question, Standing, run_backtest
from orchestrator.pipeline.redecide import Bench
from orchestrator.settings import settings
from orchestrator.store.changes.past_events import Span
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, payloads
from orchestrator.store.quarantine.workflows import definition_of, require_live

_BROKEN = 5  # one of so many events
_ONE_BY_ONE = 10  # one of so many is decided by itself: its rate is the same
_FOREVER = 2**42  # milliseconds since 1970


def main() -> None:
    """Fill a store of each kind, measure in turn, print the medians and the ratios."""
    parser = argparse.ArgumentParser(prog="make bench-backtest")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each")
    parser.add_argument("--events", type=int, default=100_000, metavar="N", help="past ones")
    asked = parser.parse_args()
    forget_environment()
    about = this_run(sys.argv[1:], target="bench-backtest")
    lines = [f"`{about['command']}`, {about['date']}, {about['machine']}", ""]
    lines.append("| store | how | events/s | to one by one | CPU µs an event |")
    lines.append("|---|---|--:|--:|--:|")
    for kind in (SQLITE, POSTGRES):
        settings.cache_clear()
        with TemporaryDirectory(prefix="meshline-bench-") as folder:
            lines += _measured(kind, Path(folder), asked.events, asked.rounds)
    lines += ["", f"Medians of {asked.rounds}."]
    sys.stdout.write("\n".join(lines) + "\n")


def _measured(kind: str, folder: Path, count: int, rounds: int) -> list[str]:
    with (
        database(kind, folder) as url,
        patch.dict(os.environ, environment(url, folder)),
        opened_process() as ours,
        bar(f"filling {kind}", count) as show,
    ):
        publish_example(ours)
        rng = random.Random(1)
        take_in(ours, good_leads(count - count // _BROKEN, rng), show)
        take_in(ours, broken_leads(count // _BROKEN, rng))
        with closing(Store(url)) as store:
            return _compared(kind, store, rounds)


def _compared(kind: str, store: Store, rounds: int) -> list[str]:
    question = _question(store)
    cores = os.cpu_count() or 1
    ways: dict[str, Callable[[], int]] = {
        "one by one": lambda: _one_by_one(store, question),
        "1 process": lambda: _backtest(store, question, 1),
        f"{cores} processes": lambda: _backtest(store, question, cores),
    }
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            began, spent = time.monotonic(), sum(os.times()[:4])
            done = way()
            rates[name].append(
                (done / (time.monotonic() - began), (sum(os.times()[:4]) - spent) / done * 1e6)
            )
    alone = rates["one by one"]
    return [
        f"| {kind} | {name} | {statistics.median(rate for rate, _ in found):,.0f} |"
        f" {_ratio(found, alone):.2f} | {statistics.median(cpu for _, cpu in found):,.0f} |"
        for name, found in rates.items()
    ]


def _ratio(found: list[tuple[float, float]], alone: list[tuple[float, float]]) -> float:
    return statistics.median(
        rate / other for (rate, _), (other, _) in zip(found, alone, strict=True)
    )


def _question(store: Store) -> Question:
    """The live version, and one that routes starters elsewhere and takes another tier."""
    with store.read() as tx:
        live = definition_of(tx, require_live(tx, CLIENT, WORKFLOW).id)
    after = orjson.loads(live)
    after["contract"]["properties"]["tier"]["enum"].append("free")
    after["routes"][1]["when"] = 'tier == "pro"'
    after["routes"].append({**after["routes"][0], "when": 'tier in ["starter", "free"]'})
    return Question(
        before=live,
        after=orjson.dumps(after).decode(),
        span=Span(client=CLIENT, workflow=WORKFLOW, since=0, until=_FOREVER),
        seed=1,
    )


def _backtest(store: Store, question: Question, processes: int) -> int:
    standing = Standing(tally=Tally())
    run_backtest(store, question, standing, processes=processes)
    return standing.tally.looked_at


def _one_by_one(store: Store, question: Question) -> int:
    """What somebody would write: each event is read and decided about by both versions."""
    bench = Bench(orjson.loads(question.before), orjson.loads(question.after))
    with store.read() as tx:
        ids = tx.execute(select(events.c.id).order_by(events.c.id)).scalars().all()[::_ONE_BY_ONE]
    same = 0
    for one in ids:
        with store.read() as tx:
            found = select(payloads.c.body).where(payloads.c.event_id == one)
            body = tx.execute(found).scalar_one()
        before, after = bench.decide(body)
        same += before.outcome == after.outcome
    assert 0 < same < len(ids)
    return len(ids)


if __name__ == "__main__":
    main()

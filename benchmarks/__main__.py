"""`make bench`: ours and a raw Celery chain in turn, in one run, on one machine.

Each rate is the median of several rounds that alternate between the systems; a ratio is to the raw
chain of the same run. benchmarks/README.md says how to read the table.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.meshline import Meshline
from benchmarks.raw_chain import RawChain
from orchestrator.embedded.child import Child, EmbeddedServer, Program
from orchestrator.embedded.postgres import embedded_postgres
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.ready import says
from orchestrator.embedded.valkey import start_valkey

PROCESSES = 2
RATE = 20  # events per second of the latency rows
WARM = 40  # events before the clock runs

RAW, OURS = "raw chain", "meshline"
DRAIN, ACCEPT_AND_DRAIN, SINGLE = "drain", "accept and drain", "one by one"

Kind = tuple[str, str, int, str]  # system, store, group, work
Stores = dict[str, Callable[[], str]]
Row = dict[str, Any]
console = Console(width=None if sys.stdout.isatty() else 110)


def main() -> int:
    """Measure and print; the rows go to bench.json."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="meshline-bench-") as folder:
        home = Path(folder)
        with Supervisor(home) as supervisor:
            broker = start_valkey(home / "valkey", supervisor)
            rows = Bench(supervisor, broker, home, options).run()
    console.print(_table(rows))
    Path("bench.json").write_text(json.dumps(rows, indent=2) + "\n")
    console.print("the same rows are in bench.json")
    return 0


class Bench:
    """All measurements of one run."""

    def __init__(
        self,
        supervisor: Supervisor,
        broker: EmbeddedServer,
        home: Path,
        options: argparse.Namespace,
    ) -> None:
        self._supervisor = supervisor
        self._broker = broker
        self._home = home
        self._options = options
        self._made = 0

    def run(self) -> list[Row]:
        """Every row, the raw chain's first."""
        rates: dict[Kind, list[float]] = {}
        with contextlib.ExitStack() as held:
            stores = {"SQLite": self._new_sqlite}
            if not self._options.sqlite_only:
                server = held.enter_context(embedded_postgres())
                stores["PostgreSQL"] = lambda: self._new_postgres(server)
            for number in range(self._options.rounds):
                console.print(f"round {number + 1} of {self._options.rounds}")
                for kind, rate in self._round(stores):
                    console.print(f"  {' '.join(map(str, kind)):44} {rate:10,.0f} events/s")
                    rates.setdefault(kind, []).append(rate)
            latencies = dict(self._latencies(stores))
        return _rows({kind: statistics.median(each) for kind, each in rates.items()}, latencies)

    def _round(self, stores: Stores) -> Iterator[tuple[Kind, float]]:
        biggest = max(self._options.groups)
        for work in (DRAIN, ACCEPT_AND_DRAIN):
            yield (RAW, "none", 1, work), self._raw_rate(work)
            for name, new_store in stores.items():
                groups = self._options.groups if work == DRAIN else [biggest]
                for group in groups:
                    yield (OURS, name, group, work), self._our_rate(new_store(), group, work)

    def _latencies(self, stores: Stores) -> Iterator[tuple[Kind, list[float]]]:
        console.print(f"latency of single events at {RATE} events/s")
        with self._raw(self._options.singles + WARM) as (raw, _):
            yield (RAW, "none", 1, SINGLE), self._time_singles(raw.time_one)
        for name, new_store in stores.items():
            with self._ours(new_store(), 200) as (ours, _):
                yield (OURS, name, 1, SINGLE), self._time_singles(ours.time_one)

    def _time_singles(self, time_one: Callable[[int], float]) -> list[float]:
        """Milliseconds of each event, sent one after the other at the rate."""
        taken = []
        for number in range(WARM + self._options.singles):
            seconds = time_one(number)
            time.sleep(max(0.0, 1 / RATE - seconds))
            if number >= WARM:
                taken.append(seconds * 1000)
        return sorted(taken)

    def _raw_rate(self, work: str) -> float:
        count: int = self._options.events // 10
        with self._raw(count + WARM) as (raw, worker):
            raw.accept(count, WARM)
            raw.wait_until_drained(count, WARM)
            begin = _held(worker) if work == DRAIN else contextlib.nullcontext()
            start = time.perf_counter()
            with begin:
                raw.accept(0, count)
                if work == DRAIN:
                    start = time.perf_counter()
            raw.wait_until_drained(0, count)
            seconds: float = time.perf_counter() - start
        return count / seconds

    def _our_rate(self, url: str, group: int, work: str) -> float:
        count: int = self._options.events if group > 1 else self._options.events // 20
        with self._ours(url, group) as (ours, worker):
            ours.accept(count, WARM)
            ours.wait_until_drained()
            begin = _held(worker) if work == DRAIN else contextlib.nullcontext()
            start = time.perf_counter()
            with begin:
                ours.accept(0, count)
                if work == DRAIN:
                    start = time.perf_counter()
            ours.wait_until_drained()
            seconds: float = time.perf_counter() - start
            ours.check(count + WARM)
        return count / seconds

    @contextlib.contextmanager
    def _raw(self, most: int) -> Iterator[tuple[RawChain, Child]]:
        raw = RawChain(self._broker.url, self._home, most)
        command = ("celery", "-A", "benchmarks.raw_chain", "worker", "-E", "-l", "warning")
        lean = ("--without-gossip", "--without-mingle", "-c", str(PROCESSES))
        with self._running("raw-worker", (*command, *lean), raw.environment) as worker:
            yield raw, worker

    @contextlib.contextmanager
    def _ours(self, url: str, group: int) -> Iterator[tuple[Meshline, Child]]:
        environment = {
            "MESHLINE_DATABASE_URL": url,
            "MESHLINE_BROKER_URL": self._broker.url,
            "MESHLINE_HOME": str(self._home),
            "MESHLINE_GROUP_SIZE": str(group),
            "MESHLINE_WORKER_PROCESSES": str(PROCESSES),
        }
        ours = Meshline(url, self._home)
        relay = self._running("relay", ("workers.relay",), environment)
        our_worker = ("orchestrator.cli.main", "worker")
        with relay, self._running("worker", our_worker, environment) as worker:
            yield ours, worker
        ours.store.close()

    @contextlib.contextmanager
    def _running(
        self, name: str, module: tuple[str, ...], environment: dict[str, str]
    ) -> Iterator[Child]:
        word = "relaying" if name == "relay" else " ready."
        program = Program(
            name=name,
            command=(sys.executable, "-m", *module),
            environment=environment,
            ready=says(word),
            ready_within=60,
        )
        child = self._supervisor.start(program)
        try:
            yield child
        finally:
            child.stop()

    def _new_sqlite(self) -> str:
        self._made += 1
        return f"sqlite:///{self._home / f'bench-{self._made}.db'}"

    def _new_postgres(self, server: EmbeddedServer) -> str:
        import psycopg

        self._made += 1
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE bench_{self._made}".encode())
        return server.url.rpartition("/")[0] + f"/bench_{self._made}"


@contextlib.contextmanager
def _held(child: Child) -> Iterator[None]:
    """Let the process stand still meanwhile, so that work piles up before it."""
    child.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        child.signal(signal.SIGCONT)


def _rows(rates: dict[Kind, float], latencies: dict[Kind, list[float]]) -> list[Row]:
    rows = []
    for kind in [*rates, *latencies]:
        system, store, group, work = kind
        rate, times = rates.get(kind), latencies.get(kind)
        yardstick = rates.get((RAW, "none", 1, work))
        rows.append(
            {
                "system": system,
                "store": store,
                "group": group,
                "work": work,
                "events_per_s": round(rate, 1) if rate else None,
                "ratio": round(rate / yardstick, 2) if rate and yardstick else None,
                "p50_ms": round(times[len(times) // 2], 2) if times else None,
                "p99_ms": round(times[len(times) * 99 // 100], 2) if times else None,
            }
        )
    return rows


def _table(rows: list[Row]) -> Table:
    table = Table(title="1 kB events through validate, route and dispatch", title_justify="left")
    for name in ("system", "store", "group", "work", "events/s", "ratio", "p50 ms", "p99 ms"):
        table.add_column(name, justify="left" if name in ("system", "store", "work") else "right")
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000, help="events of one drain in groups")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--groups", type=int, nargs="+", default=[1, 50, 200])
    parser.add_argument("--singles", type=int, default=200, help="events of a latency row")
    parser.add_argument("--sqlite-only", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

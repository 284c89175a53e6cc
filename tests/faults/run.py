"""One run from its start to its verdict."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.access.actor import login
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.processes import Supervisor
from orchestrator.operations.access.keys import create_key
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from tests.faults.clocks import SteppedClock, find_library
from tests.faults.conductor import Conductor
from tests.faults.leads import publish, write_connectors
from tests.faults.machines import Machines
from tests.faults.oracle import judge, tell_stories
from tests.faults.parts import Sort
from tests.faults.plan import Kind, Pair, kinds_of, plan_faults
from tests.faults.producers import Producers, Quota
from tests.faults.report import Report
from tests.faults.strikes import Attack
from tests.faults.watch import Watch
from tests.servers.postgres import embedded_postgres

_PATIENCE = 90.0  # seconds in which nothing settles before the rest counts as lost
_AFTERMATH = 4.0  # seconds in which what comes too late may still double something

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a run is told."""

    pair: Pair
    events: int
    faults: int
    seed: int
    pace: float = 1.0  # of the pauses around a fault
    only: tuple[Kind, ...] = ()  # kinds; none: all that the pair can have


class BrokeOff(Exception):
    """Raised when the run itself failed: it says nothing about what it was to prove."""


def run_chaos(options: Options, home: Path, say: Say) -> Report:
    """Start everything, strike, wait, and judge. Raises StartupFailed, BrokeOff."""
    left_out = _left_out(options.pair)
    kinds = [kind for kind in options.only or kinds_of(options.pair) if kind not in left_out]
    plan = plan_faults(options.seed, options.faults, kinds, pace=options.pace)
    with _running(options.pair, home, clock=Kind.CLOCK_STEPPED in kinds) as (machines, store):
        key = create_key(store, clients=["acme"], label="chaos", actor=login("cli:chaos"))
        quota = Quota(options.events)
        doors = [part.address for part in machines.of(Sort.DOOR)]
        producers = Producers(doors, key, quota, options.seed)
        watch = Watch(machines, store, producers.ledger, say)
        attack = Attack(machines=machines, producers=producers, store=store)
        conductor = Conductor(attack, plan, quota, watch, options.events)
        began = time.monotonic()
        try:
            producers.start()
            watch.start(conductor.progress)
            whole = _carry_through(conductor, producers, watch, options.events)
            seconds = time.monotonic() - began
            time.sleep(_AFTERMATH)
        finally:
            machines.stopping.set()
            conductor.join()
            producers.stop()
            watch.stop()
        if errors := [*conductor.errors, *producers.errors, *watch.errors]:
            told = [f"{type(error).__name__}: {error}" for error in errors]
            raise BrokeOff("; ".join(dict.fromkeys(told)))
        verdict = judge(machines.sandbox, store, producers.ledger.ids)
        verdict.findings += producers.ledger.contradictions
        verdict.findings += [f"{one} was unfinished and not due" for one in watch.homeless]
        return Report(
            pair=options.pair,
            seed=options.seed,
            events=options.events,
            planned=options.faults,
            struck=sorted(conductor.struck, key=lambda one: one.at),
            left_out=left_out,
            verdict=verdict,
            deaths=machines.deaths,
            whole=whole,
            recovered=producers.ledger.recovered,
            unanswered=producers.failures().total(),
            longest_stall=watch.longest_stall,
            stalled=watch.stalled,
            longest_pause=watch.longest_pause,
            seconds=seconds,
            stories=list(tell_stories(machines.sandbox, store, verdict)),
        )


def _left_out(pair: Pair) -> dict[Kind, str]:
    if pair is Pair.SQLITE:
        return {
            Kind.STORE_CRASHED: "SQLite has no server",
            Kind.CLOCK_STEPPED: "SQLite's clock is the machine's own, there is no other to trust",
        }
    if find_library() is None:
        return {Kind.CLOCK_STEPPED: "libfaketime is not installed"}
    return {}


@contextmanager
def _running(pair: Pair, home: Path, *, clock: bool) -> Iterator[tuple[Machines, Store]]:
    with ExitStack() as held:
        server: EmbeddedServer | None = None
        if pair is not Pair.SQLITE:
            server = held.enter_context(embedded_postgres())
        url = server.url if server else f"sqlite:///{home / 'store.db'}"
        write_connectors(home / "connectors")
        store = open_store(url)
        held.callback(store.close)
        publish(store)
        library = find_library() if clock else None
        machines = Machines(
            pair=pair,
            home=home,
            store_url=url,
            supervisor=held.enter_context(Supervisor(home)),
            clock=SteppedClock(library, home) if library else None,
            store=server.process if server else None,
        )
        held.callback(machines.kill_all)
        machines.start_all()
        yield machines, store


def _carry_through(conductor: Conductor, producers: Producers, watch: Watch, events: int) -> bool:
    """Until all is settled, or nothing moves any more; whether all faults could be done."""
    whole = conductor.run()
    while not (conductor.errors or producers.errors or watch.errors):
        if producers.finished and watch.settled >= events and not watch.unfinished:
            break
        if watch.seconds_without_progress() > _PATIENCE:
            break
        time.sleep(0.1)
    return whole


@contextmanager
def a_home(kept: Path | None) -> Iterator[Path]:
    """The folder of a run: `kept`, which stays, or one that goes with it."""
    if kept is not None:
        kept.mkdir(parents=True)
        yield kept.absolute()
    else:
        with tempfile.TemporaryDirectory(prefix="meshline-chaos-") as folder:
            yield Path(folder)

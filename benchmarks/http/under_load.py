"""Servers alone under the load generator: what the door accepts, what the destination takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.http.destination import Destination
from benchmarks.http.door import Door
from benchmarks.http.load import DESTINATION, Load, run_load
from benchmarks.measuring import per_thousand, read_counters
from benchmarks.stand import Session, Stand
from benchmarks.systems.meshline import opened
from benchmarks.systems.port import System
from benchmarks.works import Figures, Numbers, latencies
from orchestrator.embedded.child import Child


class UnderLoad:
    """A server that answers, with nobody behind it: what is answered is done."""

    workers: tuple[Child, ...] = ()

    def __init__(
        self,
        session: Session,
        load: Load,
        *,
        check: Callable[[int], None],
        commits: Callable[[], int] = lambda: 0,
    ) -> None:
        self.session = session
        self.load = load
        self.check = check
        self.commits = commits

    def accept(self, first: int, count: int) -> None:
        """Send events, one after the other."""
        run_load(replace(self.load, first=first, count=count))

    def wait_until_done(self, first: int, count: int) -> None:
        """Nothing: what was answered is done."""

    def time_one(self, number: int) -> float:
        """Seconds until one event is answered."""
        return run_load(replace(self.load, first=number))[0]


def answer_rate(
    system: System, numbers: Numbers, *, count: int, together: int = 1, connections: int = 1
) -> Figures:
    """Events answered in a second, and the latency of a request."""
    assert isinstance(system, UnderLoad)
    first = numbers.take(count)
    seconds, each = run_load(
        replace(system.load, first=first, count=count, together=together, connections=connections)
    )
    return {"events_per_s": count / seconds, **latencies(each)}


def accept_rate(
    system: System, numbers: Numbers, *, count: int, together: int = 1, connections: int = 1
) -> Figures:
    """The same of a door, whose every answer says that events are committed; and what it took."""
    before = read_counters(system)
    rate = answer_rate(system, numbers, count=count, together=together, connections=connections)
    return rate | per_thousand(before, read_counters(system), count, own_cpu=0.0)


@contextmanager
def running_door(stand: Stand, store: str) -> Iterator[UnderLoad]:
    """A door on a new database, with neither relay nor worker."""
    with (
        stand.database(store) as url,
        stand.session(store) as session,
        opened(session, url) as ours,
    ):

        def check(count: int) -> None:
            found = "SELECT count(*) FROM events JOIN payloads ON event_id = id"
            stored = ours.watch.ask(found)
            if stored != count:
                raise RuntimeError(f"{count} events were answered and {stored} are stored")

        load = Door(session, ours).load
        yield UnderLoad(session, load, check=check, commits=ours.watch.commits)


@contextmanager
def running_destination_alone(stand: Stand, destination: Destination) -> Iterator[UnderLoad]:
    """The destination, to know that it holds nobody up."""
    with stand.session() as session:
        load = Load(kind=DESTINATION, address=destination.address)
        yield UnderLoad(session, load, check=destination.check)

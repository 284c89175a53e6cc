"""The processes of a run while they run: what is down, and how it comes up again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.embedded.child import Child
from orchestrator.embedded.processes import Supervisor
from tests.faults.brokers import Broker, start_broker
from tests.faults.clocks import SteppedClock
from tests.faults.parts import (
    Part,
    Sort,
    environment_of,
    new_destination,
    sandbox_program,
    startables,
)
from tests.faults.plan import Pair

_COMES_UP_WITHIN = 120.0  # seconds; a supervisor would try again and again, and so do we


class CameNotUp(AssertionError):
    """Raised when a part could not be started again."""


@dataclass(kw_only=True)
class Machines:
    """Everything that runs, and what of it is down."""

    pair: Pair
    home: Path
    store_url: str
    supervisor: Supervisor
    clock: SteppedClock | None
    store: Child | None  # PostgreSQL's
    parts: list[Part] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)  # of parts that ended by themselves
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._down: set[Part] = set()
        self._lock = threading.Lock()
        self.sandbox = new_destination()
        self.broker: Broker = start_broker(self.pair, self.home, self.supervisor)

    def start_all(self) -> None:
        """The destination, then doors, relays and workers at once. Raises StartupFailed."""
        url = self.broker.server.url
        environment = environment_of(self.home, self.store_url, url, self.sandbox)
        servers = {Sort.BROKER: self.broker.server.process}
        if self.store is not None:
            servers[Sort.STORE] = self.store
        destination = self.supervisor.start(sandbox_program(self.sandbox, environment))
        servers[Sort.DESTINATION] = destination
        self.parts += [Part(name=sort, sort=sort, child=child) for sort, child in servers.items()]
        doors = 1 if self.pair is Pair.SQLITE else 2
        wanted = startables(environment, doors=doors, clock=self.clock)
        with ThreadPoolExecutor(len(wanted)) as pool:
            children = list(pool.map(self.supervisor.start, [one.program for one in wanted]))
        for one, child in zip(wanted, children, strict=True):
            name = one.program.name
            self.parts.append(Part(name=name, sort=one.sort, child=child, address=one.address))

    def kill_all(self) -> None:
        """End everything at once: it has no more to say."""
        for part in reversed(self.parts):
            part.child.kill()

    def of(self, sort: Sort) -> list[Part]:
        """The parts of a sort."""
        return [part for part in self.parts if part.sort is sort]

    def down(self) -> list[Part]:
        """What is down, misbehaves, or is just being struck."""
        with self._lock:
            return list(self._down)

    @contextmanager
    def struck(self, sort: Sort, chance: random.Random) -> Iterator[Part | None]:
        """One part of a sort that is up, for something to be done to it; None where none is up.

        It counts as down for the length of the block, and nothing else is done to it meanwhile.
        """
        with self._lock:
            up = [part for part in self.of(sort) if part not in self._down]
            part = chance.choice(up) if up else None
            if part is not None:
                self._down.add(part)
        try:
            yield part
        finally:
            with self._lock:
                if part is not None:
                    self._down.remove(part)

    def revive(self, part: Part) -> None:
        """Start a part again until it is ready, as a supervisor would. Raises CameNotUp."""
        end = time.monotonic() + _COMES_UP_WITHIN
        while not self.stopping.is_set():
            part.child.spawn()
            if self._comes_up(part.child):
                return
            part.child.kill()
            if time.monotonic() > end:
                raise CameNotUp(f"{part.name} did not come up: {part.child.obituary()}")
            self.stopping.wait(0.3)

    def look_after(self) -> None:
        """Start again what ended by itself, and write it down: nobody had done anything to it."""
        with self._lock:
            dead = [one for one in self.parts if one not in self._down and not one.child.running]
            for part in dead:
                self._down.add(part)
                self.deaths.append(part.child.obituary())
        for part in dead:
            threading.Thread(target=self._nurse, args=(part,), name="nurse").start()

    def _nurse(self, part: Part) -> None:
        try:
            self.revive(part)
        except CameNotUp as error:
            self.deaths.append(str(error))
        with self._lock:
            self._down.remove(part)

    def _comes_up(self, child: Child) -> bool:
        end = time.monotonic() + child.program.ready_within
        while child.running and time.monotonic() < end and not self.stopping.is_set():
            if child.program.ready is None or child.program.ready(child):
                return True
            time.sleep(0.05)
        return False

"""Strikes one fault after the other while the work goes on, spread over all of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from tests.faults.machines import Machines
from tests.faults.parts import Sort
from tests.faults.plan import Fault, Kind
from tests.faults.producers import Quota
from tests.faults.strikes import SORT_OF, Attack
from tests.faults.watch import Watch

_MOST_DOWN = 2  # parts at once, the destination not counted
_PATIENCE = 120.0  # seconds without progress, and with nothing down


@dataclass(frozen=True, kw_only=True)
class Struck:
    """One fault that was done."""

    kind: Kind
    at: float  # seconds since the run began
    what: str


class Conductor:
    """Opens the quota bit by bit, and strikes as what was let in is settled."""

    def __init__(
        self, attack: Attack, plan: Sequence[Fault], quota: Quota, watch: Watch, events: int
    ) -> None:
        self.struck: list[Struck] = []
        self.errors: list[BaseException] = []
        self._attack, self._plan, self._quota, self._watch = attack, plan, quota, watch
        self._events = events
        self._threads: list[threading.Thread] = []
        self._began = time.monotonic()

    @property
    def machines(self) -> Machines:
        """What is struck."""
        return self._attack.machines

    def run(self) -> bool:
        """Do all of the plan; whether it came to its end."""
        # So much is always under way that a fault has something to hit, the last one too.
        ahead = max(3 * self._events / (len(self._plan) + 3), min(1500.0, self._events / 10))
        share = (self._events - ahead) / (len(self._plan) + 1)
        self._quota.raise_to(int(ahead))
        for number, fault in enumerate(self._plan):
            if not self._wait(partial(self._has_settled, share * number)):
                return False
            self.machines.stopping.wait(fault.quiet)
            if not self._wait(partial(self._has_room, SORT_OF[fault.kind])):
                return False
            # The strike falls on what is let in now: at the door, in a stage, or in mid-call.
            if fault.kind is Kind.DOOR_KILLED:
                self._begin(fault)
            self._quota.raise_to(int(share * (number + 1) + ahead))
            if fault.kind is not Kind.DOOR_KILLED:
                self.machines.stopping.wait(fault.delay)
                self._begin(fault)
        self._quota.raise_to(self._events)
        self.join()
        return not self.errors

    def join(self) -> None:
        """Until every fault that was begun is mended."""
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def progress(self) -> str:
        """So far, in words."""
        return f"faults {len(self.struck)}/{len(self._plan)}"

    def _begin(self, fault: Fault) -> None:
        begun = threading.Event()
        thread = threading.Thread(target=self._strike, args=(fault, begun), name=fault.kind)
        self._threads.append(thread)
        thread.start()
        begun.wait()

    def _strike(self, fault: Fault, begun: threading.Event) -> None:
        at = time.monotonic() - self._began
        try:
            what = self._attack.strike(fault, begun)
            if what is not None:
                self.struck.append(Struck(kind=fault.kind, at=at, what=what))
        except BaseException as error:  # noqa: BLE001 - the run ends with it
            self.errors.append(error)
        finally:
            begun.set()

    def _has_settled(self, count: float) -> bool:
        return self._watch.settled >= count

    def _has_room(self, sort: Sort) -> bool:
        down = self.machines.down()
        others = [one for one in down if one.sort is not Sort.DESTINATION]
        if sort is not Sort.DESTINATION and len(others) >= _MOST_DOWN:
            return False
        return any(part not in down for part in self.machines.of(sort))

    def _wait(self, until: Callable[[], bool]) -> bool:
        """Whether it came to that; it does not where nothing moves, or the run itself failed."""
        while not until():
            failed = self.errors or self._attack.producers.errors or self._watch.errors
            if failed or self._watch.seconds_without_progress() > _PATIENCE:
                return False
            self.machines.stopping.wait(0.02)
        return True

"""Watching a run: how far it is, how long nothing happened, and what must hold at every moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.lifecycle import STAGE_OF
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries, events
from tests.faults.machines import Machines
from tests.faults.producers import Ledger

_STEP = 0.2  # seconds between two looks
_SPEAKS_EVERY = 5.0
_CHECKS_EVERY = 10.0  # the invariant; it reads all events


class Watch:
    """One thread that looks at the store, and starts again what ends by itself."""

    def __init__(
        self, machines: Machines, store: Store, ledger: Ledger, say: Callable[[str], None]
    ) -> None:
        self.settled = self.unfinished = 0  # as of the last look
        self.longest_stall = 0.0  # seconds in which an event got no further with nothing down
        self.stalled = ""  # that event
        self.longest_pause = 0.0  # the same, whatever was down
        self.homeless: set[str] = set()  # events that nobody would ever drive on
        self.errors: list[BaseException] = []
        self._machines, self._store, self._ledger, self._say = machines, store, ledger, say
        self._progressed = self._quiet_since = self._nothing_down_since = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._faults: Callable[[], str] = lambda: ""

    def start(self, faults: Callable[[], str]) -> None:
        """Begin; `faults` says how many there were so far."""
        self._faults = faults
        self._thread.start()

    def stop(self) -> None:
        """End, once the look that is under way is over."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def seconds_without_progress(self) -> float:
        """How long nothing has settled while nothing was down."""
        return time.monotonic() - self._quiet_since

    def _run(self) -> None:
        spoke = checked = began = time.monotonic()
        try:
            while not self._ended.wait(_STEP):
                self._machines.look_after()
                now = time.monotonic()
                self._look(now, check=now - checked > _CHECKS_EVERY)
                checked = now if now - checked > _CHECKS_EVERY else checked
                if now - spoke > _SPEAKS_EVERY:
                    spoke = now
                    self._speak(now - began)
        except BaseException as error:  # noqa: BLE001 - the run ends with it
            self.errors.append(error)

    def _look(self, now: float, *, check: bool) -> None:
        answered = len(self._ledger.ids)
        try:
            with self._store.read() as tx:
                self.unfinished = _count_unfinished(tx)
                still = _longest_still(tx)
                if check:
                    self.homeless |= _homeless(tx)
        except StoreUnavailable:
            return
        # What was committed and not yet answered makes this less than is true, and never more.
        settled = answered - self.unfinished
        if settled > self.settled or not self.unfinished:
            self.settled = max(settled, self.settled)
            self._progressed = self._quiet_since = now
        if self._machines.down():
            self._quiet_since = self._nothing_down_since = now
        self.longest_pause = max(self.longest_pause, now - self._progressed)
        quiet = now - self._nothing_down_since
        if still is not None and min(quiet, still.seconds) > self.longest_stall:
            self.longest_stall, self.stalled = min(quiet, still.seconds), still.event_id

    def _speak(self, seconds: float) -> None:
        down = ", ".join(part.name for part in self._machines.down()) or "nothing"
        answered = len(self._ledger.ids)
        self._say(
            f"{seconds:5.0f} s  accepted {answered}  settled {self.settled}"
            f"  {self._faults()}  down: {down}"
        )


@dataclass(frozen=True, kw_only=True)
class Still:
    """The unfinished event that got no further for longest."""

    event_id: str
    seconds: float  # since it, or one of its deliveries, last changed its state or was tried


def _longest_still(tx: Connection) -> Still | None:
    moved = select(func.max(deliveries.c.updated_at)).where(deliveries.c.event_id == events.c.id)
    at = func.coalesce(moved.scalar_subquery(), 0)
    last = case((at > events.c.updated_at, at), else_=events.c.updated_at).label("last")
    row = tx.execute(
        select(events.c.id, now_ms() - last)
        .where(events.c.due_at.is_not(None))
        .order_by(last)
        .limit(1)
    ).one_or_none()
    return None if row is None else Still(event_id=row[0], seconds=row[1] / 1000)


def _count_unfinished(tx: Connection) -> int:
    statement = select(func.count()).select_from(events).where(events.c.due_at.is_not(None))
    return int(tx.execute(statement).scalar_one())


def _homeless(tx: Connection) -> set[str]:
    """Unfinished events without a due time."""
    driven = events.c.state.in_([state.value for state in STAGE_OF])
    found = tx.execute(select(events.c.id).where(driven, events.c.due_at.is_(None)).limit(10))
    return set(found.scalars())

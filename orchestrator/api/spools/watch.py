"""Which spools a door writes down, because events wait in them for too long or no longer do."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

from orchestrator.api.aside import Aside
from orchestrator.api.spools.known import FORGOTTEN_SECONDS, BySpool
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.incidents.incident import OLD_SPOOL_SECONDS
from orchestrator.operations.note_old_spools import HeardSpool, note_old_spools
from orchestrator.store.database.engine import Store
from orchestrator.telemetry import SpoolReported, TelemetryEvent, reading

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class _Watched:
    """What a door knows of one spool; times are seconds of its clock."""

    report: SpoolReported
    heard_at: float
    old_since: float | None = None  # the first of the reports that all said so; None: it is young
    next_at: float = field(default=0.0)  # before that the store is not asked about it again
    is_due: bool = False  # the newest report is to be written down


class SpoolWatch:
    """Which spools are to be written down, at most once in `seconds` each. Safe in every thread.

    A spool counts as old when two reports say so that are `seconds` apart, and none in between says
    otherwise: when a door comes back, its producers report old spools, and empty them at once.
    """

    def __init__(self, *, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._watched: BySpool[_Watched] = BySpool()
        self._lock = threading.Lock()

    @property
    def reads(self) -> Collection[type[TelemetryEvent]]:
        """What requests say of spools."""
        return (SpoolReported,)

    def read(self, event: TelemetryEvent) -> None:
        """Take a report in."""
        if not isinstance(event, SpoolReported):
            return
        now = self._now()
        with self._lock:
            known = self._watched.get(event.key, event.spool)
            if known is None or now - known.heard_at >= FORGOTTEN_SECONDS:
                known = _Watched(report=event, heard_at=now)
            known.report, known.heard_at = event, now
            if _is_old(event):
                known.old_since = now if known.old_since is None else known.old_since
                known.is_due = now - known.old_since >= self._seconds
            else:
                known.old_since, known.is_due = None, True
            self._watched.put(event.key, event.spool, known)

    def take_due(self) -> list[HeardSpool]:
        """The spools that the store is asked about now; each is due again with its next report."""
        now, found = self._now(), []
        with self._lock:
            for one in self._watched.every():
                if one.is_due and now >= one.next_at:
                    one.is_due, one.next_at = False, now + self._seconds
                    found.append(_heard(one.report))
        return found

    def put_back(self, spools: Collection[HeardSpool]) -> None:
        """Let them be due again: the store did not take them."""
        with self._lock:
            for spool in spools:
                known = self._watched.get(spool.key, spool.spool)
                if known is not None and _is_old(known.report) == spool.is_old:
                    known.is_due = True


def _is_old(report: SpoolReported) -> bool:
    return report.waiting > 0 and report.oldest_seconds >= OLD_SPOOL_SECONDS


def _heard(report: SpoolReported) -> HeardSpool:
    return HeardSpool(
        key=report.key,
        spool=report.spool,
        waiting=report.waiting,
        is_old=_is_old(report),
        kind=report.kind,
    )


_TURN_SECONDS = 5.0
_STORE_SECONDS = 10.0


@asynccontextmanager
async def watching_spools(
    store: Store, steward: str | None, *, seconds: float
) -> AsyncIterator[None]:
    """Write down what producers say of their spools for as long as the block runs.

    No request waits for that: they leave what they say, and a task of the door's takes it.
    """
    watch = SpoolWatch(seconds=seconds)
    aside = Aside("door-spools", StoreUnavailable, seconds=_STORE_SECONDS)
    with reading(watch):
        task = asyncio.create_task(_tend(watch, aside, store, steward, seconds), name="door-spools")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            aside.close()


async def _tend(
    watch: SpoolWatch, aside: Aside, store: Store, steward: str | None, seconds: float
) -> None:
    while True:
        await asyncio.sleep(min(_TURN_SECONDS, seconds))
        if due := watch.take_due():
            try:
                await aside.run(note_old_spools, store, due, steward)
            except StoreUnavailable:  # `aside` logs it
                watch.put_back(due)
            except Exception:  # the door goes on, and so does this
                log.exception("the incidents of producers' spools could not be written")

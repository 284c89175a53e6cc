"""What waits in producers' spools and outboxes, as they say: a door cannot see it."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Gauge
from starlette.datastructures import Headers

from orchestrator.api.aside import Aside
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.incidents.incident import OLD_SPOOL_SECONDS
from orchestrator.operations.note_old_spools import HeardSpool, note_old_spools
from orchestrator.store.database.engine import Store
from orchestrator.telemetry import SpoolReported, TelemetryEvent, emit, read_kinds, reading

log = logging.getLogger(__name__)

T = TypeVar("T")

HEADER = "meshline-spool"

_FORGOTTEN_SECONDS = 3600.0  # a producer that is silent for so long says nothing of now
_MOST_SPOOLS = 1_000  # of all keys; beyond that the key with the most of them loses its oldest
_MOST_DIGITS = 12
_NUMBER = rf"(waiting|oldest|refused)=([0-9]{{1,{_MOST_DIGITS}}})"
_FIELD = re.compile(_NUMBER + r"|(id)=([0-9a-f]{1,32})|(kind)=(spool|outbox)")


def hear_of_spool(headers: Headers, key: str) -> None:
    """Emit what a request says of its producer's spool; `key` is the id of the producer's key.

    A header that cannot be read is passed over: it must not cost an event.
    """
    said = headers.get(HEADER)
    if said is None or SpoolReported not in read_kinds:
        return
    numbers: dict[str, int] = {}
    spool, kind = "", "spool"
    for part in said[:200].split(","):
        if found := _FIELD.fullmatch(part.strip()):
            if found[1]:
                numbers[found[1]] = int(found[2])
            elif found[3]:
                spool = found[4]
            else:
                kind = found[6]
    if "waiting" in numbers:
        emit(
            SpoolReported(
                key=key,
                spool=spool,
                kind=kind,
                waiting=numbers["waiting"],
                refused=numbers.get("refused", 0),
                oldest_seconds=numbers.get("oldest", 0),
            )
        )


class _BySpool(Generic[T]):
    """What is known of spools, the longest silent first; one key's flood drives out no other's."""

    def __init__(self) -> None:
        self._by_key: dict[str, OrderedDict[str, T]] = {}
        self._size = 0

    def get(self, key: str, spool: str) -> T | None:
        spools = self._by_key.get(key)
        return None if spools is None else spools.get(spool)

    def put(self, key: str, spool: str, known: T) -> None:
        """Keep it as the newest of its key."""
        spools = self._by_key.setdefault(key, OrderedDict())
        self._size += spool not in spools
        spools[spool] = known
        spools.move_to_end(spool)
        while self._size > _MOST_SPOOLS:
            max(self._by_key.values(), key=len).popitem(last=False)
            self._size -= 1

    def every(self) -> list[T]:
        return [one for spools in self._by_key.values() for one in spools.values()]


class SpoolGauges:
    """The newest report of each spool, summed up by key. Safe to use from every thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting, self._refused, self._oldest = (
            Gauge(f"meshline_spool_{name}", what, ["key"], registry=registry)
            for name, what in (
                (
                    "waiting_events",
                    "Events that wait in producers' spools and outboxes, as this door heard",
                ),
                ("refused_events", "Events that were refused, and are kept in producers' spools"),
                ("oldest_seconds", "For how long the oldest event has waited in a spool"),
            )
        )
        self._heard: _BySpool[tuple[float, SpoolReported]] = _BySpool()
        self._lock = threading.Lock()

    def read(self, report: SpoolReported) -> None:
        """Take it in, in place of what that spool said before."""
        with self._lock:
            self._heard.put(report.key, report.spool, (monotonic(), report))

    def fill(self) -> None:
        """Set the gauges to what is known now: what waits grows older while nobody says so."""
        now = monotonic()
        with self._lock:
            heard = [one for one in self._heard.every() if now - one[0] < _FORGOTTEN_SECONDS]
        for gauge in (self._waiting, self._refused, self._oldest):
            gauge.clear()
        oldest: dict[str, float] = {}
        for at, report in heard:
            self._waiting.labels(report.key).inc(report.waiting)
            self._refused.labels(report.key).inc(report.refused)
            age = report.oldest_seconds + (now - at) if report.waiting else 0.0
            oldest[report.key] = max(oldest.get(report.key, 0.0), age)
        for key, age in oldest.items():
            self._oldest.labels(key).set(age)


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
        self._watched: _BySpool[_Watched] = _BySpool()
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
            if known is None or now - known.heard_at >= _FORGOTTEN_SECONDS:
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

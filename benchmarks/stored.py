"""Drains beside much that is stored: databases filled with copies of events that were driven."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from benchmarks.copying import copying, filling, take_sample
from benchmarks.rows import EMPTY, OURS, STORED, Entry
from benchmarks.stand import POSTGRES, SQLITE, Stand
from benchmarks.systems.meshline import Meshline, opened
from benchmarks.works import drain

_GROUP = 200
_SAMPLE = 1_000  # events that are really driven, and then copied
_TOLD = 500_000  # events between two lines of progress
_PAST_MS = 30 * 24 * 3600 * 1000  # the copies came in over the last 30 days

_TABLES = ("events", "payloads", "deliveries", "audit")  # what a finished event leaves behind

Say = Callable[[str], None]


@contextmanager
def stored_plan(stand: Stand, stored: int, events: int, say: Say) -> Iterator[list[Entry]]:
    """Drains on an empty and on a filled database of each kind; they stay for all rounds."""
    with ExitStack() as held:
        plan = []
        for store in (SQLITE, POSTGRES):
            for work, name in ((EMPTY, "empty"), (STORED, "filled")):
                url = held.enter_context(stand.database(store, name))
                start = partial(_running, store=store, url=url)
                _drive_sample(start, stand)
                if work == STORED:
                    say(f"filling {store} with {stored:,} finished events")
                    _fill(url, stored // _SAMPLE, say)
                works = {work: partial(drain, count=events)}
                plan.append(Entry(system=OURS, store=store, group=_GROUP, start=start, works=works))
        yield plan


@contextmanager
def _running(stand: Stand, *, store: str, url: str) -> Iterator[Meshline]:
    with stand.session(store) as session, opened(session, url, group=_GROUP) as ours:
        yield Meshline(session, ours)


def _drive_sample(start: Callable[[Stand], Any], stand: Stand) -> None:
    with start(stand) as ours:
        ours.accept(0, _SAMPLE)
        ours.wait_until_done(0, _SAMPLE)
        ours.check(_SAMPLE)


def _fill(url: str, copies: int, say: Say) -> None:
    with filling(url) as run:
        columns = {table: take_sample(run, table) for table in _TABLES}
        step = _PAST_MS // copies
        start = time.time_ns() // 1_000_000 - _PAST_MS
        for number in range(copies):
            for table in _TABLES:
                at_ms, age_ms = start + number * step, _PAST_MS - number * step
                run(copying(table, columns[table], at_ms=at_ms, age_ms=age_ms))
            if (number + 1) * _SAMPLE % _TOLD == 0:
                say(f"  {(number + 1) * _SAMPLE:,}")

"""Decide about past events again, by two versions, on all cores."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from orchestrator.domain.changes.backtest import Tally
from orchestrator.pipeline.redecide import Bench, bench_of
from orchestrator.store.changes.past_events import (
    Past,
    Sample,
    Span,
    count_past,
    ends_of_chunks,
    past_events,
)
from orchestrator.store.database.engine import Store

MOST_EVENTS = 1_000_000
"""So many events are looked at; of more, a sample by strata."""

_CHUNK = 1_000
_LEAST_OF_A_STRATUM = 1_000
_MOST_AHEAD = 64  # chunks that are counted while an earlier one is not
_LOOKED_UP = 200  # chunks whose ends are looked up at once: a lease may have to be kept meanwhile
_ALONE = 20_000  # events below which further processes would take longer to start


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which versions are compared, over which events."""

    before: str  # definitions, as JSON
    after: str
    span: Span
    seed: int
    most: int = MOST_EVENTS


@dataclass(kw_only=True)
class Standing:
    """How far a backtest is."""

    tally: Tally
    cursor: str = ""  # the last event that is counted, or was left out


def run_backtest(
    store: Store,
    question: Question,
    standing: Standing,
    *,
    processes: int | None = None,
    step: Callable[[Standing, Past], None] = lambda _standing, _past: None,
) -> Past:
    """Look at every event behind the cursor; `step` is called where it may be stopped.

    Without `processes` there is one for each core, and none for few events. Raises InvalidFile and
    ValueError where a version is not right by today's rules.
    """
    with store.read() as tx:
        past = count_past(tx, question.span)
    step(standing, past)
    total = sum(past.with_payload.values())
    sample = sample_of(past, seed=question.seed, most=question.most)
    wanted = processes or (1 if total < _ALONE else os.cpu_count() or 1)
    with _looking(store, question, sample, helpers=wanted - 1) as hands:
        ahead: deque[tuple[str, Future[Tally] | Tally]] = deque()
        for after, last in _chunks(store, question.span, standing.cursor):
            ahead.append((last, hands.look_at(after, last)))
            while ahead and (_is_done(ahead[0][1]) or len(ahead) > _MOST_AHEAD):
                _take(standing, ahead.popleft())
                step(standing, past)
        while ahead:
            _take(standing, ahead.popleft())
            step(standing, past)
    return past


def _is_done(found: Future[Tally] | Tally) -> bool:
    return isinstance(found, Tally) or found.done()


def _take(standing: Standing, one: tuple[str, Future[Tally] | Tally]) -> None:
    last, found = one
    standing.tally.merge(found if isinstance(found, Tally) else found.result())
    standing.cursor = last


def sample_of(past: Past, *, seed: int, most: int) -> Sample:
    """All events where they are few enough; else of each stratum its share, and of small ones all.

    The same seed chooses the same events.
    """
    total = sum(past.with_payload.values())
    if total <= most:
        return Sample(seed=seed, shares={})
    least = min(_LEAST_OF_A_STRATUM, max(most // max(len(past.with_payload), 1), 1))
    shares = {
        stratum: min(1.0, max(least, most * count / total) / count)
        for stratum, count in past.with_payload.items()
        if count
    }
    return Sample(seed=seed, shares=shares)


def new_seed() -> int:
    """A seed that is kept with what it chose."""
    return secrets.randbelow(2**31)


def _chunks(store: Store, span: Span, cursor: str) -> Iterator[tuple[str, str]]:
    """Ids between which a chunk is: above the first, and up to the second."""
    last, is_over = cursor, False
    while not is_over:
        with store.read() as tx:
            ends, is_over = ends_of_chunks(tx, span, after=last, size=_CHUNK, most=_LOOKED_UP)
        yield from pairwise((last, *ends))
        last = ends[-1]


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """All that one process needs to look at chunks: it reads them itself, for they are large."""

    store: Store
    bench: Bench
    span: Span
    sample: Sample

    def look_at(self, after: str, last: str) -> Tally:
        with self.store.read() as tx:
            events = past_events(tx, self.span, self.sample, after=after, last=last)
        return self.bench.look_at(events)


@dataclass(frozen=True, kw_only=True)
class _Hands:
    """This process and its helpers: it looks at a chunk itself where they have enough to do.

    So it loses no time while they start.
    """

    desk: _Desk
    pool: ProcessPoolExecutor | None
    most_given: int
    _given: list[Future[Tally]] = field(default_factory=list)  # those that are not done

    def look_at(self, after: str, last: str) -> Future[Tally] | Tally:
        self._given[:] = [one for one in self._given if not one.done()]
        if self.pool is None or len(self._given) >= self.most_given:
            return self.desk.look_at(after, last)
        self._given.append(self.pool.submit(_look_at, after, last))
        return self._given[-1]


@contextmanager
def _looking(store: Store, question: Question, sample: Sample, *, helpers: int) -> Iterator[_Hands]:
    bench = bench_of(question.before, question.after)
    desk = _Desk(store=store, bench=bench, span=question.span, sample=sample)
    if not helpers:
        yield _Hands(desk=desk, pool=None, most_given=0)
        return
    pool = ProcessPoolExecutor(
        helpers,
        mp_context=multiprocessing.get_context("spawn"),  # the store's connections are not forked
        initializer=_prepare,
        initargs=(store.url.render_as_string(hide_password=False), question, sample),
    )
    try:
        yield _Hands(desk=desk, pool=pool, most_given=2 * helpers)
    finally:
        pool.shutdown(cancel_futures=True)


_DESK: list[_Desk] = []


def _prepare(url: str, question: Question, sample: Sample) -> None:
    """In a process of the pool; Ctrl-C is for the one that counts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    bench = bench_of(question.before, question.after)
    _DESK.append(_Desk(store=Store(url), bench=bench, span=question.span, sample=sample))


def _end_with_parent() -> None:
    """Else it waits for work for ever where the one that counts was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


def _look_at(after: str, last: str) -> Tally:
    return _DESK[0].look_at(after, last)

"""Decide about past events again, by two versions, on all cores."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from orchestrator.domain.changes.backtest import Tally
from orchestrator.domain.changes.past import PastEvent
from orchestrator.pipeline.redecide import Bench
from orchestrator.store.changes.past_events import Past, Sample, Span, count_past, past_events
from orchestrator.store.database.engine import Store

MOST_EVENTS = 1_000_000
"""So many events are looked at; of more, a sample by strata."""

_CHUNK = 1_000
_LEAST_OF_A_STRATUM = 1_000
_ALONE = 4_000  # events below which further processes would take longer to start


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
    total = sum(past.with_payload.values())
    sample = sample_of(past, seed=question.seed, most=question.most)
    wanted = processes or (os.cpu_count() or 1)
    with _deciding(question, 1 if total < _ALONE and processes is None else wanted) as decide:
        ahead: deque[tuple[str, Future[Tally] | Tally]] = deque()
        for chunk, last in _chunks(store, question.span, sample, standing.cursor):
            ahead.append((last, decide(chunk)))
            if len(ahead) > 2 * wanted:
                _take(standing, ahead.popleft())
                step(standing, past)
        while ahead:
            _take(standing, ahead.popleft())
            step(standing, past)
    return past


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


def _chunks(
    store: Store, span: Span, sample: Sample, cursor: str
) -> Iterator[tuple[list[PastEvent], str]]:
    after: str | None = cursor
    while after is not None:
        with store.read() as tx:
            chunk, last = past_events(tx, span, sample, after=after, limit=_CHUNK)
        if chunk or last:
            yield chunk, last or chunk[-1].id
        after = last


@contextmanager
def _deciding(
    question: Question, processes: int
) -> Iterator[Callable[[list[PastEvent]], Future[Tally] | Tally]]:
    if processes == 1:
        yield _bench(question.before, question.after).look_at
        return
    _bench(question.before, question.after)  # what is not right is said here, and not by a pool
    pool = ProcessPoolExecutor(
        processes,
        mp_context=multiprocessing.get_context("spawn"),  # the store's connections are not forked
        initializer=_prepare,
        initargs=(question.before, question.after),
    )
    try:
        yield lambda chunk: pool.submit(_look_at, chunk)
    finally:
        pool.shutdown(cancel_futures=True)


_BENCH: list[Bench] = []


def _bench(before: str, after: str) -> Bench:
    return Bench(orjson.loads(before), orjson.loads(after))


def _prepare(before: str, after: str) -> None:
    """In a process of the pool; Ctrl-C is for the one that counts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _BENCH.append(_bench(before, after))


def _look_at(chunk: list[PastEvent]) -> Tally:
    return _BENCH[0].look_at(chunk)

"""Which systems do which works: every row of the table, in the order in which a round goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from benchmarks import rows
from benchmarks.http.destination import Destination, running_destination
from benchmarks.http.door import running_meshline_with_door
from benchmarks.http.under_load import (
    accept_rate,
    answer_rate,
    running_destination_alone,
    running_door,
)
from benchmarks.rows import Entry, Work
from benchmarks.stand import POSTGRES, SQLITE, Stand
from benchmarks.systems.dbos_workflow import running_dbos
from benchmarks.systems.meshline import running_meshline, running_meshline_that_calls
from benchmarks.systems.port import System
from benchmarks.systems.raw_chain import running_raw_chain, running_raw_chain_that_calls
from benchmarks.systems.raw_commit import running_raw_commit
from benchmarks.workload import CREATE, CREATE_AND_CONFIRM
from benchmarks.works import accept_and_drain, drain, memory_after, one_by_one, publish_rate


def whole_plan(events: int, singles: int, groups: Sequence[int]) -> list[Entry]:
    """Every row; `events` is the size of a drain in groups of 50 and more."""
    return [
        *_others(events // 20, singles),
        *_ours(events, singles, groups),
        *_with_calls(events // 2),
        *_door(events, singles),
    ]


def _others(count: int, singles: int) -> Iterator[Entry]:
    plain, memory = _works(count, singles), {rows.MEMORY: partial(memory_after, count=count)}
    yield Entry(
        system=rows.RAW,
        store=rows.NO_STORE,
        group=1,
        start=running_raw_chain,
        works={**plain, **memory, rows.DOOR_ONE: partial(publish_rate, count=count // 2)},
    )
    for name, start in ((rows.COMMIT, running_raw_commit), (rows.DBOS, running_dbos)):
        yield Entry(
            system=name,
            store=POSTGRES,
            group=1,
            start=start,
            works={**_works(count // 2, singles), **memory},
        )


def _ours(events: int, singles: int, groups: Sequence[int]) -> Iterator[Entry]:
    for group in groups:
        count = max(events // 40, events * min(group, 50) // 50)
        works = _works(count, singles)
        for store in (SQLITE, POSTGRES):
            yield Entry(
                system=rows.OURS,
                store=store,
                group=group,
                start=partial(running_meshline, store=store, group=group),
                works=works if group == max(groups) else {rows.DRAIN: works[rows.DRAIN]},
            )


def _with_calls(events: int) -> Iterator[Entry]:
    yield Entry(
        system=rows.RAW,
        store=rows.NO_STORE,
        group=1,
        start=_called(running_raw_chain_that_calls),
        works={rows.HTTP: partial(drain, count=events // 10)},
    )
    yield Entry(
        system=rows.ALONE,
        store=rows.NO_STORE,
        group=0,
        start=_called(running_destination_alone),
        works={rows.HTTP: partial(answer_rate, count=events, connections=20)},
    )
    for name, target in ((rows.HTTP, CREATE), (rows.CONFIRMED, CREATE_AND_CONFIRM)):
        for store in (SQLITE, POSTGRES):
            yield Entry(
                system=rows.OURS,
                store=store,
                group=200,
                start=_called(partial(running_meshline_that_calls, store=store, target=target)),
                works={name: partial(drain, count=events)},
            )


def _door(events: int, singles: int) -> Iterator[Entry]:
    works: dict[str, Work] = {
        rows.DOOR_ONE: partial(accept_rate, count=events // 20),
        rows.DOOR_MANY: partial(accept_rate, count=events // 5, connections=20),
        rows.DOOR_BATCH: partial(accept_rate, count=events, together=500),
    }
    for store in (SQLITE, POSTGRES):
        yield Entry(
            system=rows.OURS,
            store=store,
            group=0,
            start=partial(running_door, store=store),
            works=works,
        )
        yield Entry(
            system=rows.OURS,
            store=store,
            group=200,
            start=partial(running_meshline_with_door, store=store),
            works={
                rows.DOOR_SINGLES: partial(one_by_one, count=singles),
                rows.MEMORY: partial(memory_after, count=events),
            },
        )


def _works(count: int, singles: int) -> dict[str, Work]:
    return {
        rows.DRAIN: partial(drain, count=count),
        rows.FLOW: partial(accept_and_drain, count=count),
        rows.SINGLES: partial(one_by_one, count=singles),
    }


def _called(
    start: Callable[[Stand, Destination], AbstractContextManager[System]],
) -> Callable[[Stand], AbstractContextManager[System]]:
    """A system with a destination of its own."""

    @contextmanager
    def running(stand: Stand) -> Iterator[System]:
        with running_destination(stand) as destination, start(stand, destination) as system:
            yield system

    return running

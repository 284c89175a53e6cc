"""Drains beside much that is stored: databases filled with copies of events that were driven."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any

import psycopg

from benchmarks.meshline import Meshline, opened
from benchmarks.rows import EMPTY, OURS, STORED, Entry
from benchmarks.stand import POSTGRES, SQLITE, Stand
from benchmarks.works import drain

_GROUP = 200
_SAMPLE = 1_000  # events that are really driven, and then copied
_TOLD = 500_000  # events between two lines of progress
_PAST_MS = 30 * 24 * 3600 * 1000  # the copies came in over the last 30 days

_TABLES = ("events", "payloads", "deliveries", "audit")  # what a finished event leaves behind
_IDS = ("id", "event_id", "idempotency_key")  # of a sampled event all three are its id

Say = Callable[[str], None]
Run = Callable[[str], Any]


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
                    _fill(store, url, stored // _SAMPLE, say)
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


def _fill(store: str, url: str, copies: int, say: Say) -> None:
    filling = _filling_sqlite(url) if store == SQLITE else _filling_postgres(url)
    with filling as run:
        columns = {table: _take_sample(run, table) for table in _TABLES}
        step = _PAST_MS // copies
        start = time.time_ns() // 1_000_000 - _PAST_MS
        for number in range(copies):
            for table in _TABLES:
                run(
                    _copying(table, columns[table], start + number * step, _PAST_MS - number * step)
                )
            if (number + 1) * _SAMPLE % _TOLD == 0:
                say(f"  {(number + 1) * _SAMPLE:,}")


def _take_sample(run: Run, table: str) -> list[str]:
    """Set the driven rows of a table apart; the columns that a copy has."""
    key = "id" if table == "events" else "event_id"
    run(f"CREATE TEMPORARY TABLE sample_{table} AS SELECT * FROM {table} WHERE {key} IS NOT NULL")
    names = [column[0] for column in run(f"SELECT * FROM sample_{table} LIMIT 0").description]
    return [name for name in names if (table, name) != ("audit", "id")]  # that counts by itself


def _copying(table: str, columns: list[str], at_ms: int, age_ms: int) -> str:
    """The statement that copies the whole sample, as if it had come at `at_ms`."""

    def value(name: str) -> str:
        if name in _IDS:
            return f"'{at_ms:012x}' || substr({name}, 13)"  # an id begins with its time
        return f"{name} - {age_ms}" if name == "at" or name.endswith("_at") else name

    values = ", ".join(value(name) for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM sample_{table}"


@contextmanager
def _filling_sqlite(url: str) -> Iterator[Run]:
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # As quick as can be: where this dies, the file is thrown away.
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
            database.execute(f"PRAGMA {pragma}")
        database.execute("BEGIN")
        yield database.execute
        database.execute("COMMIT")


@contextmanager
def _filling_postgres(url: str) -> Iterator[Run]:
    with psycopg.connect(url, autocommit=True) as database:

        def run(statement: str) -> Any:
            return database.execute(statement.encode())

        run("SET session_replication_role = replica")  # no triggers, so no foreign keys to check
        run("SET synchronous_commit = off")
        yield run
        run("VACUUM ANALYZE")  # as autovacuum would have done by now
        run("CHECKPOINT")

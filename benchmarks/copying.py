"""Databases filled fast: with copies of rows that the real code wrote for a sample of events."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

import psycopg

Run = Callable[[str], Any]
"""Runs a statement; the driver's cursor."""

_IDS = ("id", "event_id", "idempotency_key")  # of a sampled event all three are its id
_WORDS = "quarantine_words"


def filling(url: str) -> AbstractContextManager[Run]:
    """A connection that writes as quick as can be; at its end the database is as if long in use."""
    return _filling_sqlite(url) if url.startswith("sqlite") else _filling_postgres(url)


def take_sample(run: Run, table: str) -> list[str]:
    """Set the driven rows of a table apart; the columns that a copy has."""
    key = {"events": "id", _WORDS: "rowid"}.get(table, "event_id")
    columns = "rowid, words" if table == _WORDS else "*"  # SQLite's `*` leaves the rowid out
    run(
        f"CREATE TEMPORARY TABLE sample_{table} AS"
        f" SELECT {columns} FROM {table} WHERE {key} IS NOT NULL"
    )
    names = [column[0] for column in run(f"SELECT * FROM sample_{table} LIMIT 0").description]
    return [name for name in names if (table, name) != ("audit", "id")]  # that counts by itself


def copying(
    table: str,
    columns: Sequence[str],
    *,
    at_ms: int,
    age_ms: int,
    instead: Mapping[str, str] | None = None,
) -> str:
    """The statement that copies the whole sample, as if it had come at `at_ms`, `age_ms` ago.

    `instead` has SQL for the columns whose copies are something else.
    """

    def value(name: str) -> str:
        if instead and name in instead:
            return instead[name]
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
        # Copies of stays brought their ids with them.
        run("SELECT setval(pg_get_serial_sequence('quarantine', 'id'), max(id)) FROM quarantine")
        run("VACUUM ANALYZE")  # as autovacuum would have done by now
        run("CHECKPOINT")

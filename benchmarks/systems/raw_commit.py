"""The same chain with a store: each task writes the event's state down, in a commit of its own.

It is what many would write next: a row for each event, and its state. PostgreSQL, one connection
for each process, one statement and one round trip for each task.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from celery import Celery

from benchmarks.marks import mark_done
from benchmarks.stand import POSTGRES, Session, Stand
from benchmarks.systems import raw_chain
from benchmarks.systems.raw_chain import RawChain, hold_to_contract
from benchmarks.watching import watch
from benchmarks.workload import route

app = Celery("raw_commit")
app.conf.update(raw_chain.app.conf.changes, task_default_queue="raw_commit")

_TABLE = "CREATE TABLE states (number integer PRIMARY KEY, state text NOT NULL, route text)"


@app.task(name="raw_commit.validate")
def validate(event: dict[str, Any]) -> dict[str, Any]:
    """First step."""
    hold_to_contract(event)
    _commit("INSERT INTO states VALUES (%s, 'validated')", event["number"])
    return event


@app.task(name="raw_commit.route")
def route_event(event: dict[str, Any]) -> list[Any]:
    """Second step."""
    found = route(event)
    _commit(
        "UPDATE states SET state = 'routed', route = %s WHERE number = %s", found, event["number"]
    )
    return [event, found]


@app.task(name="raw_commit.dispatch")
def dispatch(routed: list[Any]) -> None:
    """Third step: nothing to call, so only the state, and the mark that it was done."""
    number = routed[0]["number"]
    _commit("UPDATE states SET state = 'done' WHERE number = %s", number)
    mark_done(number)


def _commit(statement: str, *values: object) -> None:
    _connection().execute(statement.encode(), values)


@functools.cache
def _connection() -> psycopg.Connection[Any]:
    return psycopg.connect(os.environ["RAW_DATABASE_URL"], autocommit=True)


class RawCommit(RawChain):
    """The chain with a commit for each task."""

    tasks = (validate, route_event, dispatch)

    def __init__(self, session: Session, url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(_TABLE)
        self.watch = watch(url)
        super().__init__(session, {"RAW_DATABASE_URL": url})

    def check(self, count: int) -> None:
        """See System; by what the store says."""
        super().check(count)
        done = self.watch.ask("SELECT count(*) FROM states WHERE state = 'done'")
        if done != count:
            raise RuntimeError(f"{count} events were sent and {done} are done in the store")

    def commits(self) -> int:
        """See System."""
        return self.watch.commits()


@contextmanager
def running_raw_commit(stand: Stand) -> Iterator[RawCommit]:
    """The chain on a new database."""
    with stand.database(POSTGRES) as url, stand.session(POSTGRES) as session:
        chain = RawCommit(session, url)
        try:
            yield chain
        finally:
            chain.watch.close()

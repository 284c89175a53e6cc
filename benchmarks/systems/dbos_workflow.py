"""DBOS under measure: a durable workflow of three steps on a queue, in PostgreSQL.

The module is both what each worker process runs and what the benchmark drives it with.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions

from benchmarks.stand import POSTGRES, PROCESSES, Session, Stand, python
from benchmarks.systems.raw_chain import hold_to_contract
from benchmarks.waiting import wait_until
from benchmarks.watching import watch
from benchmarks.workload import TOGETHER, order, route

QUEUE, VERSION = "bench", "bench"

# Of what was tried (2 to 60 at once, 5 to 50 ms), what drains nearly most and answers soonest.
WORKFLOWS_AT_ONCE = 20  # in each process
POLL_SECONDS = 0.01  # the default of 1 s would only cost it latency


@DBOS.step()
def validate(event: dict[str, Any]) -> None:
    """First step."""
    hold_to_contract(event)


@DBOS.step()
def route_event(event: dict[str, Any]) -> str:
    """Second step."""
    return route(event)


@DBOS.step()
def dispatch(_event: dict[str, Any], _route: str) -> None:
    """Third step: nothing to call."""


@DBOS.workflow(name="handle")
def handle(event: dict[str, Any]) -> None:
    """The whole of it; DBOS keeps what each step answered."""
    validate(event)
    dispatch(event, route_event(event))


def work() -> None:
    """Be one worker process until a signal ends it."""
    config = DBOSConfig(
        name="bench",
        system_database_url=os.environ["DBOS_DATABASE_URL"],
        executor_id=str(os.getpid()),
        application_version=VERSION,
        log_level="WARNING",
    )
    DBOS(config=config)
    DBOS.launch()
    DBOS.register_queue(
        QUEUE, worker_concurrency=WORKFLOWS_AT_ONCE, polling_interval_sec=POLL_SECONDS
    )
    print("worker: ready.", flush=True)
    signal.pause()


class DbosWorkflow:
    """Puts workflows on the queue and sees when they are done."""

    def __init__(self, session: Session, url: str) -> None:
        self.session = session
        given = {"DBOS_DATABASE_URL": url}
        first, *others = (
            python(f"worker-{number}", __name__, ready=" ready.", environment=given)
            for number in range(PROCESSES)
        )
        self.workers = session.start(first) + session.start(*others)  # the first makes the tables
        self.engine = sqlalchemy.create_engine(url.replace("://", "+psycopg://"))
        self.client = DBOSClient(system_database_engine=self.engine)
        self.watch = watch(url)

    def accept(self, first: int, count: int) -> None:
        """Enqueue workflows, many in one commit."""
        for at in range(first, first + count, TOGETHER):
            with self.engine.begin() as tx:
                for number in range(at, min(at + TOGETHER, first + count)):
                    self.client.enqueue_in_transaction(tx, _options(number), order(number))

    def wait_until_done(self, first: int, count: int) -> None:  # noqa: ARG002 - see System
        """See System."""
        unfinished = (
            "SELECT 1 FROM dbos.workflow_status WHERE status IN ('ENQUEUED', 'PENDING') LIMIT 1"
        )
        wait_until(lambda: self.watch.ask(unfinished) is None, look_every=0.01)

    def time_one(self, number: int) -> float:
        """See System."""
        state = "SELECT status FROM dbos.workflow_status WHERE workflow_uuid = ?"
        start = time.perf_counter()
        self.client.enqueue(_options(number), order(number))
        wait_until(lambda: self.watch.ask(state, str(number)) == "SUCCESS", look_every=0.0005)
        return time.perf_counter() - start

    def check(self, count: int) -> None:
        """See System."""
        steps = "SELECT count(*) FROM dbos.operation_outputs"
        done = self.watch.ask("SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'")
        if done != count or self.watch.ask(steps) != 3 * count:
            raise RuntimeError(f"{count} workflows were enqueued and {done} succeeded")

    def commits(self) -> int:
        """See System."""
        return self.watch.commits()

    def close(self) -> None:
        """Let go of the database."""
        self.watch.close()
        self.client.destroy()
        self.engine.dispose()


@contextmanager
def running_dbos(stand: Stand) -> Iterator[DbosWorkflow]:
    """DBOS on a new database."""
    with stand.database(POSTGRES) as url, stand.session(POSTGRES) as session:
        dbos = DbosWorkflow(session, url)
        try:
            yield dbos
        finally:
            dbos.close()


def _options(number: int) -> EnqueueOptions:
    return EnqueueOptions(
        workflow_name="handle", queue_name=QUEUE, workflow_id=str(number), app_version=VERSION
    )


if __name__ == "__main__":
    work()

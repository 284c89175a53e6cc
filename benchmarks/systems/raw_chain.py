"""The yardstick: a plain Celery chain of three tasks, a message for each event and step, no store.

The module is both the Celery app that the worker runs and what the benchmark drives it with.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

import jsonschema_rs
import orjson
from celery import Celery, Task, chain
from celery.signals import worker_ready

from benchmarks.http.destination import Destination
from benchmarks.marks import Marks, mark_done
from benchmarks.stand import Session, Stand, celery_worker
from benchmarks.workload import CONTRACT, order, route, sent

app = Celery("raw")
app.conf.update(
    broker_url=os.environ.get("RAW_BROKER_URL"),
    task_ignore_result=True,
    task_default_queue="raw",
    worker_send_task_events=True,  # Flower watches ours too
    broker_connection_retry_on_startup=True,
)

hold_to_contract = jsonschema_rs.validator_for(CONTRACT, validate_formats=True).validate


@worker_ready.connect
def _tell_ready(**_: Any) -> None:
    print("worker: ready.", flush=True)  # ours logs no tasks either


@app.task(name="raw.validate")
def validate(event: dict[str, Any]) -> dict[str, Any]:
    """First step."""
    hold_to_contract(event)
    return event


@app.task(name="raw.route")
def route_event(event: dict[str, Any]) -> list[Any]:
    """Second step."""
    return [event, route(event)]


@app.task(name="raw.dispatch")
def dispatch(routed: list[Any]) -> None:
    """Third step: the call where the row has one, and the mark that it was done."""
    event = routed[0]
    if "RAW_DESTINATION" in os.environ:
        _post(sent(event))
    mark_done(event["number"])


def _post(fields: dict[str, Any]) -> None:
    """Make the record, over this process's one kept connection: the quickest client there is."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": fields["reference"]}
    connection = _connection()
    connection.request("POST", "/records", orjson.dumps(fields), headers)
    with connection.getresponse() as answer:
        body = answer.read()
        if answer.status != 201 or not orjson.loads(body)["id"]:
            raise RuntimeError(f"answered with {answer.status}")


@functools.cache
def _connection() -> HTTPConnection:
    return HTTPConnection(os.environ["RAW_DESTINATION"])


class RawChain:
    """Sends events through the chain and sees when they are done."""

    tasks: Sequence[Task[Any, Any]] = (validate, route_event, dispatch)

    def __init__(self, session: Session, environment: dict[str, str]) -> None:
        self.session = session
        self.marks = Marks(session.folder)
        module = type(self).__module__
        given = {"RAW_BROKER_URL": session.broker_url, **self.marks.environment, **environment}
        self.workers = session.start(celery_worker(module, given))
        self.tasks[0].app.conf.broker_url = session.broker_url

    def accept(self, first: int, count: int) -> None:
        """Put events on the broker."""
        begin, *rest = self.tasks
        for number in range(first, first + count):
            chain(begin.s(order(number)), *(task.s() for task in rest)).apply_async()

    def wait_until_done(self, first: int, count: int) -> None:
        """See System."""
        self.marks.wait_for(first, count)

    def time_one(self, number: int) -> float:
        """See System."""
        start = time.perf_counter()
        self.accept(number, 1)
        return self.marks.wait_for_one(number) - start

    def check(self, count: int) -> None:
        """See System."""
        done = self.marks.count()
        if done != count:
            raise RuntimeError(f"{count} events were sent and {done} done")

    def commits(self) -> int:
        """See System: it has no store."""
        return 0


class RawChainThatCalls(RawChain):
    """The chain whose last task makes a record at the destination."""

    def __init__(self, session: Session, destination: Destination) -> None:
        super().__init__(session, {"RAW_DESTINATION": destination.address})
        self.destination = destination

    def check(self, count: int) -> None:
        """See System; and each event made one record."""
        super().check(count)
        self.destination.check(count)


@contextmanager
def running_raw_chain(stand: Stand) -> Iterator[RawChain]:
    """The chain with nothing to call."""
    with stand.session() as session:
        yield RawChain(session, {})


@contextmanager
def running_raw_chain_that_calls(stand: Stand, destination: Destination) -> Iterator[RawChain]:
    """The chain with the destination to call."""
    with stand.session() as session:
        yield RawChainThatCalls(session, destination)

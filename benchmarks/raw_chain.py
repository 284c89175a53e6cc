"""The yardstick: a plain Celery chain of three tasks, a message for each event and step, no store.

The module is both the Celery app that the worker runs and what the benchmark drives it with.
"""

from __future__ import annotations

import functools
import mmap
import os
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
from celery import Celery, chain
from celery.signals import worker_ready

from benchmarks.waiting import wait_until
from benchmarks.workload import CONTRACT, order, route

app = Celery("raw")
app.conf.update(
    broker_url=os.environ.get("RAW_BROKER_URL"),
    task_ignore_result=True,
    task_default_queue="raw",
    worker_send_task_events=True,  # Flower watches ours too
    broker_connection_retry_on_startup=True,
)

_CONTRACT = jsonschema_rs.validator_for(CONTRACT, validate_formats=True)


@worker_ready.connect
def _tell_ready(**_: Any) -> None:
    print("worker: ready.", flush=True)  # ours logs no tasks either


@app.task(name="raw.validate")
def validate(event: dict[str, Any]) -> dict[str, Any]:
    """First step."""
    _CONTRACT.validate(event)
    return event


@app.task(name="raw.route")
def route_event(event: dict[str, Any]) -> list[Any]:
    """Second step."""
    return [event, route(event)]


@app.task(name="raw.dispatch")
def dispatch(routed: list[Any]) -> None:
    """Third step: nothing to call, so only the mark that it was done."""
    _marks()[routed[0]["number"]] = time.perf_counter()  # one clock for all processes


@functools.cache
def _marks() -> Any:
    """Shared memory: when each event was done, 0.0 before."""
    with Path(os.environ["RAW_MARKS"]).open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 0)).cast("d")


class RawChain:
    """Sends events through the chain and sees when they are done."""

    def __init__(self, broker_url: str, home: Path, most: int) -> None:
        self.environment = {"RAW_BROKER_URL": broker_url, "RAW_MARKS": str(home / "marks")}
        (home / "marks").write_bytes(bytes(8 * most))
        os.environ.update(self.environment)
        app.conf.broker_url = broker_url

    def accept(self, first: int, count: int) -> None:
        """Put events on the broker."""
        for number in range(first, first + count):
            chain(validate.s(order(number)), route_event.s(), dispatch.s()).apply_async()

    def wait_until_drained(self, first: int, count: int) -> None:
        """Wait until all of them are done."""
        wait_until(lambda: all(_marks()[first : first + count]), look_every=0.01)

    def time_one(self, number: int) -> float:
        """Seconds from before the send until the event is seen done."""
        start = time.perf_counter()
        self.accept(number, 1)
        wait_until(lambda: _marks()[number] > 0, look_every=0.0005)
        return time.perf_counter() - start

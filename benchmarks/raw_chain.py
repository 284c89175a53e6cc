"""The yardstick: a plain Celery chain of three tasks, one message an event and step, no store."""

from __future__ import annotations

import mmap
import os
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
from celery import Celery, chain

from benchmarks.workload import CONTRACT, order, route

app = Celery("raw", broker=os.environ.get("RAW_BROKER_URL"))
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    task_default_queue="raw",
    worker_send_task_events=True,  # Flower watches ours too
    broker_connection_retry_on_startup=True,
)

_CONTRACT = jsonschema_rs.validator_for(CONTRACT, validate_formats=True)
_MARKS: list[memoryview] = []


def marks(path: Path | None = None, size: int = 0) -> memoryview:
    """Shared memory that holds, for each event, the time at which it was done; 0.0 before."""
    where = path or Path(os.environ["RAW_MARKS"])
    if path:
        where.write_bytes(bytes(8 * size))
    with where.open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 0)).cast("d")


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
    """Third step: nothing to call, so only the mark."""
    if not _MARKS:
        _MARKS.append(marks())
    _MARKS[0][routed[0]["number"]] = time.time()


def send(number: int) -> None:
    """Start the chain for one event."""
    chain(validate.s(order(number)), route_event.s(), dispatch.s()).apply_async()

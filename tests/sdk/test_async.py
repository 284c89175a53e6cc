"""The producer on asyncio: as the other one, and the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

import meshline
from meshline import AsyncProducer, Event, Producer, Refused, Unreachable
from meshline.testing import RecordingTransport
from tests.sdk.conftest import WireDoor


def _producer(door: RecordingTransport, **options: Any) -> AsyncProducer:
    return AsyncProducer("http://door.example", key="k", transport=door, **options)


def _run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_events_are_handed_over(door: RecordingTransport) -> None:
    async def story() -> None:
        async with _producer(door) as producer:
            first = await producer.emit("lead", 1, client="acme", idempotency_key="form-1")
            many = await producer.emit_many(Event("lead", number) for number in (2, 3))
            assert (first.id, [one.id for one in many]) == ("event-1", ["event-2", "event-3"])
            assert await producer.flush() == 0

    _run(story())

    assert [one.data for one in door.events] == [1, 2, 3]


def test_a_failure_is_tried_again_and_the_pause_is_the_loops(
    door: RecordingTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    door.answer_next(503, times=2)

    async def story() -> None:
        async with _producer(door) as producer:
            assert (await producer.emit("lead", 1)).id == "event-1"

    _run(story())

    assert len(slept) == 2 and door.pauses == []


def test_errors_are_the_same(door: RecordingTransport) -> None:
    door.cut_next()
    door.answer_next(422, problem={"code": "unknown_trigger", "detail": "no", "field": "type"})

    async def story() -> None:
        async with _producer(door, attempts=1) as producer:
            with pytest.raises(Unreachable) as unreachable:
                await producer.emit("lead", 1, idempotency_key="form-1")
            assert unreachable.value.idempotency_key == "form-1"
            with pytest.raises(Refused, match="type: no"):
                await producer.emit("lead", 1)

    _run(story())


def test_the_loop_goes_on_while_a_door_is_slow(wire: WireDoor) -> None:
    released = threading.Event()
    wire.misdeeds += [lambda _: released.wait(30)] * 5

    async def story() -> None:
        async with AsyncProducer(wire.url, key="k", attempts=1) as producer:
            calls = [asyncio.create_task(producer.emit("lead", number)) for number in range(5)]
            while wire.misdeeds:  # noqa: ASYNC110 - all five are under way at once
                await asyncio.sleep(0.01)
            released.set()
            for call in calls:
                with pytest.raises(Unreachable):
                    await call

    _run(story())


def test_a_spool_keeps_what_the_door_does_not_take(
    door: RecordingTransport, tmp_path: Path
) -> None:
    door.cut_next()

    async def story() -> None:
        path = tmp_path / "events.spool"
        async with _producer(door, spool=path, attempts=1, forward=False) as producer:
            assert (await producer.emit("lead", 1)).spooled
            assert (await producer.emit("lead", 2)).spooled
            assert await producer.flush() == 0

    _run(story())

    assert [one.data for one in door.events] == [1, 2]


def test_a_cancelled_call_leaves_a_producer_that_works(wire: WireDoor) -> None:
    released = threading.Event()
    wire.misdeeds.append(lambda _: released.wait(30))

    async def story() -> None:
        async with AsyncProducer(wire.url, key="k", attempts=1) as producer:
            call = asyncio.create_task(producer.emit("lead", 1))
            while wire.misdeeds:  # noqa: ASYNC110 - the door has no event to wait for
                await asyncio.sleep(0.01)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            released.set()
            assert (await producer.emit("lead", 2)).id == "event-1"

    _run(story())

    assert json.loads(wire.door.requests[0].body)["data"] == 2


@pytest.mark.parametrize("name", ["emit", "emit_many", "flush", "from_env"])
def test_both_producers_take_the_same(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(one, name)) for one in (AsyncProducer, Producer))

    assert list(ours.parameters) == list(theirs.parameters)
    assert "AsyncProducer" in dir(meshline)

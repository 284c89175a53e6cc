"""The producer for programs on asyncio: the same steps, and no event loop waits for them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from meshline.core import Pause, Steps, Work
from meshline.errors import MeshlineError
from meshline.event import Emitted, Event
from meshline.producer import Producer, url_of_environment

T = TypeVar("T")
Made = TypeVar("Made", bound="AsyncProducer")

_MOST_THREADS = 16
"""So many requests and commits of one producer are under way at once; the others wait."""


class AsyncProducer:
    """A Producer whose calls are awaited. It takes the same arguments, and makes the same promises.

    What blocks, a request or a commit of the spool, is done by a few threads of its own; pauses
    are the event loop's. A call that is cancelled may have handed its event over all the same.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self._producer = Producer(url, **options)
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="meshline")

    @classmethod
    def from_env(cls: type[Made], **options: Any) -> Made:
        """As Producer.from_env."""
        options.setdefault("spool", os.environ.get("MESHLINE_SPOOL") or None)
        return cls(url_of_environment(), **options)

    def __repr__(self) -> str:
        return f"Async{self._producer!r}"

    async def __aenter__(self: Made) -> Made:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give connections back, when what is under way has ended."""
        await self._in_thread(self._producer.close)
        self._threads.shutdown(wait=False)

    async def emit(
        self,
        type: str,  # noqa: A002 - the door's own word for it
        data: object,
        *,
        client: str | None = None,
        idempotency_key: str | None = None,
        ordering_key: str | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Emitted:
        """As Producer.emit. Two calls that run at once have no order."""
        event = Event.made(
            type, data, client, idempotency_key, ordering_key, traceparent, tracestate
        )
        return await self._drive(self._producer.steps.emit(event))

    async def emit_many(self, events: Iterable[Event]) -> list[Emitted]:
        """As Producer.emit_many."""
        return await self._drive(self._producer.steps.emit_many(events))

    async def flush(self, seconds: float = 5.0) -> int:
        """As Producer.flush."""
        return await self._drive(self._producer.steps.flush(seconds))

    async def _drive(self, steps: Steps[T]) -> T:
        """Carry steps out: what blocks in a thread, pauses on the loop."""
        try:
            step = next(steps)
            while True:
                try:
                    answer: object = None
                    if isinstance(step, Pause):
                        await asyncio.sleep(step.seconds)
                    elif isinstance(step, Work):
                        answer = await self._in_thread(step.call)
                    else:
                        answer = await self._in_thread(partial(self._producer.transport.send, step))
                except MeshlineError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            done: T = end.value
            return done

    async def _in_thread(self, call: Any) -> Any:
        if self._process != os.getpid():  # after a fork the threads are the parent's
            self._begin()
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

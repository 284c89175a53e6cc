"""Asking the store from a web page: off the event loop, and never longer than a person waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from enum import Enum
from typing import NamedTuple, TypeVar

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.migrate import open_store

Found = TypeVar("Found")

_PATIENCE = 10.0  # seconds
_NOTE_PATIENCE = 2.0  # seconds; what is not written by then is written a little later


class _Lane(NamedTuple):
    threads: int
    patience: float  # times that of a page which only reads
    most: int  # that run or wait; who comes then is sent away at once


class Lane(Enum):
    """What is asked of the store in threads of its own, so that none waits behind the others."""

    READ = _Lane(threads=4, patience=1, most=1_000)
    GATE = _Lane(threads=2, patience=1, most=1_000)  # who sends a request
    LOGIN = _Lane(threads=2, patience=3, most=40)  # a digest of a password takes long
    ACT = _Lane(threads=4, patience=6, most=100)


class StoreReader:
    """Asks the store in threads of its own.

    Flower's executor has few, and calls to a broker that is gone hold each for seconds: just when
    people want to know the state of events, the store would seem gone too.
    """

    def __init__(self, url: str, *, patience: float = _PATIENCE) -> None:
        self._url = url
        self._patience = patience
        self._store: Store | None = None
        self._opening = threading.Lock()
        self._heart = ThreadPoolExecutor(1, thread_name_prefix="store-heart")
        self._beat: Future[None] | None = None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")
        self._threads = {
            lane: ThreadPoolExecutor(lane.value.threads, thread_name_prefix=f"store-{lane.name}")
            for lane in Lane
        }
        self._asked = dict.fromkeys(Lane, 0)

    def open(self) -> Store:
        """The store, opened at the first need. Raises StoreUnavailable, SchemaMismatch."""
        with self._opening:
            if self._store is None:
                self._store = open_store(self._url)
            return self._store

    async def read(self, look: Callable[[Tx], Found]) -> Found:
        """What `look` finds. Raises StoreUnavailable, SchemaMismatch."""

        def found(store: Store) -> Found:
            with store.read() as tx:
                return look(tx)

        return await self.run(found, lane=Lane.READ)

    async def run(self, work: Callable[[Store], Found], *, lane: Lane) -> Found:
        """What `work` answers. Work that has begun goes on, also where nobody waits for it.

        Raises StoreUnavailable, SchemaMismatch, and what `work` raises.
        """
        if self._asked[lane] >= lane.value.most:
            raise StoreUnavailable("too many ask at once")
        self._asked[lane] += 1
        try:
            return await self._run(work, lane)
        finally:
            self._asked[lane] -= 1

    async def _run(self, work: Callable[[Store], Found], lane: Lane) -> Found:
        loop = asyncio.get_running_loop()
        doing = loop.run_in_executor(self._threads[lane], lambda: work(self.open()))
        patience = self._patience * lane.value.patience
        try:
            return await asyncio.wait_for(doing, patience)
        except TimeoutError:
            raise StoreUnavailable(f"the store did not answer within {patience:g} s") from None

    def beat(self, pulse: Callable[[Store], None]) -> None:
        """Let a thread of its own write a heartbeat, unless the last one still hangs."""
        if self._beat is None or self._beat.done():
            self._beat = self._heart.submit(lambda: pulse(self.open()))

    def note(self, write: Callable[[Store], object]) -> None:
        """Write something down beside a look, which waits for it a moment and not longer."""
        with suppress(FutureTimeout):
            self._writer.submit(lambda: write(self.open())).result(timeout=_NOTE_PATIENCE)

    def close(self) -> None:
        """Give the store back."""
        self._writer.shutdown(wait=False, cancel_futures=True)
        self._heart.shutdown(wait=False, cancel_futures=True)
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)
        if self._store is not None:
            self._store.close()

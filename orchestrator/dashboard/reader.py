"""Reading the store from a web page: off the event loop, and never longer than a person waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from orchestrator.domain.errors import StoreUnavailable
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.migrate import open_store

Found = TypeVar("Found")

_THREADS = 4
_PATIENCE = 10.0  # seconds


class StoreReader:
    """Reads of the store in threads of its own.

    Flower's executor has few, and calls to a broker that is gone hold each for seconds: just when
    people want to know where events stand, the store would seem gone too.
    """

    def __init__(self, url: str, *, patience: float = _PATIENCE) -> None:
        self._url = url
        self._patience = patience
        self._store: Store | None = None
        self._opening = threading.Lock()
        self._heart = ThreadPoolExecutor(1, thread_name_prefix="store-heart")
        self._beat: Future[None] | None = None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store-reader")

    def open(self) -> Store:
        """The store, opened at the first need. Raises StoreUnavailable, SchemaMismatch."""
        with self._opening:
            if self._store is None:
                self._store = open_store(self._url)
            return self._store

    async def read(self, look: Callable[[Tx], Found]) -> Found:
        """What `look` finds. Raises StoreUnavailable, SchemaMismatch."""
        finding = asyncio.get_running_loop().run_in_executor(self._threads, self._look, look)
        try:
            return await asyncio.wait_for(finding, self._patience)
        except TimeoutError:
            raise StoreUnavailable(
                f"the store did not answer within {self._patience:g} s"
            ) from None

    def beat(self, pulse: Callable[[Store], None]) -> None:
        """Let a thread of its own write a heartbeat, unless the last one still hangs."""
        if self._beat is None or self._beat.done():
            self._beat = self._heart.submit(lambda: pulse(self.open()))

    def close(self) -> None:
        """Give the store back."""
        self._heart.shutdown(wait=False, cancel_futures=True)
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._store is not None:
            self._store.close()

    def _look(self, look: Callable[[Tx], Found]) -> Found:
        with self.open().read() as tx:
            return look(tx)

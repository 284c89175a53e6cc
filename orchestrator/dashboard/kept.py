"""An answer that costs much, kept for a while: a page shows the last one, and as of when it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from orchestrator.dashboard.reader import StoreReader
from orchestrator.domain.errors import MeshlineError
from orchestrator.store.database.engine import Tx

Found = TypeVar("Found")

_KEPT_SECONDS = 60.0
_PATIENCE = 1.0  # seconds that a page waits for the first answer
_MOST_GROUPS = 100  # of clients, whose answers are kept


class Kept(Generic[Found]):
    """The last answer to one question; it is asked again when that is old and somebody looks."""

    def __init__(self, reader: StoreReader, look: Callable[[Tx], Found]) -> None:
        self._reader = reader
        self._look = look
        self._found: Found | None = None
        self._asked_at = float("-inf")  # by the loop's clock
        self._asking: asyncio.Task[None] | None = None

    async def newest(self) -> Found | None:
        """What was found last; None while the first answer takes long, or the store is away."""
        now = asyncio.get_running_loop().time()
        if self._asking is None and now - self._asked_at > _KEPT_SECONDS:
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask())
        if self._found is None and self._asking is not None:
            await asyncio.wait({self._asking}, timeout=_PATIENCE)
        return self._found

    async def _ask(self) -> None:
        try:
            self._found = await self._reader.read(self._look)
        except MeshlineError:
            self._asked_at = float("-inf")  # the page itself says what is wrong
        finally:
            self._asking = None


class KeptByClients(Generic[Found]):
    """The last answers to one question about several groups of clients."""

    def __init__(
        self, reader: StoreReader, look: Callable[[Tx, frozenset[str] | None], Found]
    ) -> None:
        self._reader = reader
        self._look = look
        self._kept: dict[frozenset[str] | None, Kept[Found]] = {}  # who asked last is the last

    async def newest(self, clients: frozenset[str] | None) -> Found | None:
        """What was found last about these clients, or about all; None as in `Kept`."""
        kept = self._kept.pop(clients, None)
        if kept is None:
            kept = Kept(self._reader, lambda tx: self._look(tx, clients))
        self._kept[clients] = kept
        if len(self._kept) > _MOST_GROUPS:
            del self._kept[next(iter(self._kept))]
        return await kept.newest()

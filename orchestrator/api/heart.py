"""The door's heartbeat: its loop asks, and a commit answers, unless the door's own commits hang."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from orchestrator.api.aside import Aside
from orchestrator.api.door import Door
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.domain.heartbeats import BEAT_SECONDS, ProcessKind
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.heartbeats import Pulse

_PATIENCE_SECONDS = 10.0


@asynccontextmanager
async def beating(store: Store, door: Door) -> AsyncIterator[None]:
    """Leave heartbeats in the store for as long as the block runs."""
    pulse = Pulse(store, ProcessKind.DOOR, longest_turn_seconds=_PATIENCE_SECONDS)
    aside = Aside("heartbeat", StoreUnavailable, seconds=_PATIENCE_SECONDS)
    heart = asyncio.create_task(_beat(pulse, aside, door), name="door-heart")
    try:
        yield
    finally:
        heart.cancel()
        with suppress(asyncio.CancelledError):
            await heart
        with suppress(StoreUnavailable):
            await aside.run(pulse.end)
        aside.close()


async def _beat(pulse: Pulse, aside: Aside, door: Door) -> None:
    while True:
        if not door.hangs:
            with suppress(StoreUnavailable):
                await aside.run(pulse.beat, "it takes requests")
        await asyncio.sleep(BEAT_SECONDS)

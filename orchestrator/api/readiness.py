"""Whether the door can do its work: the store has to answer, the broker may be away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from orchestrator.api.aside import Aside
from orchestrator.api.door import Door
from orchestrator.api.remembered import Remembered
from orchestrator.broker import call_broker
from orchestrator.domain.errors import BrokerUnavailable, MeshlineError, StoreUnavailable
from orchestrator.domain.heartbeats import Heartbeat, ProcessKind, Vital, presence_of
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import schema_version
from orchestrator.store.database.schema import HEAD
from orchestrator.store.desk.heartbeats import list_heartbeats

OK = "ok"
_REMEMBERED_SECONDS = 2.0
_PATIENCE_SECONDS = 3.0
_DRIVING = (ProcessKind.RELAY, ProcessKind.WORKER)


class Readiness:
    """What the store and the broker said a moment ago; whoever asks may not slow the door down.

    The words are for everybody: no address, no vendor's message. Those go to the log.
    """

    def __init__(self, store: Store, config: Settings, door: Door) -> None:
        self._store = store
        self._config = config
        self._door = door
        self._looks = Aside("readiness", StoreUnavailable, seconds=_PATIENCE_SECONDS)
        self._calls = Aside("readiness", BrokerUnavailable, seconds=_PATIENCE_SECONDS)
        self._states = {
            "store": Remembered(self._ask_store, seconds=_REMEMBERED_SECONDS),
            "broker": Remembered(self._ask_broker, seconds=_REMEMBERED_SECONDS),
        }
        self._beats = Remembered(self._ask_beats, seconds=_REMEMBERED_SECONDS)

    async def states(self) -> dict[str, str]:
        """How store, broker, relay and worker are: "ok", or a word and a reason."""
        found = await asyncio.gather(*(one.get() for one in self._states.values()))
        return dict(zip(self._states, found, strict=True)) | await self._beats.get()

    def close(self) -> None:
        """End the threads that ask."""
        self._looks.close()
        self._calls.close()

    async def _ask_store(self) -> str:
        if self._door.hangs:
            return "down: it does not come to an end with a commit"
        try:
            schema = await self._looks.run(self._schema)
        except StoreUnavailable:
            return "down: the store does not answer"
        return OK if schema == HEAD else f"down: its schema is {schema}, this release needs {HEAD}"

    def _schema(self) -> str | None:
        with self._store.read() as tx:
            return schema_version(tx)

    async def _ask_beats(self) -> dict[str, str]:
        """How those are who drive what is accepted, by their heartbeats."""
        try:
            beats = await self._looks.run(self._heartbeats)
        except StoreUnavailable:
            return dict.fromkeys(map(str, _DRIVING), "unknown: the store does not answer")
        found = {}
        for kind in _DRIVING:
            vital = presence_of(kind, beats).vital
            waits = f"degraded: {vital}; what is accepted waits in the store"
            found[str(kind)] = OK if vital is Vital.ALIVE else waits
        return found

    def _heartbeats(self) -> Sequence[Heartbeat]:
        with self._store.read() as tx:
            return list_heartbeats(tx)

    async def _ask_broker(self) -> str:
        try:
            await self._calls.run(call_broker, self._config)
        except MeshlineError:
            return "degraded: the broker does not answer; what is accepted waits in the store"
        return OK

"""How the door is: what it says to those who ask, and the heartbeats that it leaves in the store.

To do its work it needs the store; the broker may be away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from orchestrator.api.aside import Aside, Remembered
from orchestrator.api.door import Door
from orchestrator.api.headers.rates import Rates
from orchestrator.api.intake import KeyRing
from orchestrator.broker import call_broker
from orchestrator.domain.errors import BrokerUnavailable, MeshlineError, StoreUnavailable
from orchestrator.domain.heartbeats import BEAT_SECONDS, Heartbeat, ProcessKind, Vital, presence_of
from orchestrator.operations.access.keys import note_key_uses
from orchestrator.operations.access.limit_key import count_sent
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import schema_version
from orchestrator.store.database.schema import HEAD
from orchestrator.store.desk.heartbeats import Pulse, list_heartbeats

OK = "ok"
OLDEST_SECONDS = 5.0
"""A look that is older is made anew, or it says that nobody is ready."""

_REMEMBERED_SECONDS = 2.0
_PATIENCE_SECONDS = 3.0
_BEAT_PATIENCE_SECONDS = 10.0
_DRIVING = (ProcessKind.RELAY, ProcessKind.WORKER)


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a probe is answered."""

    states: Mapping[str, str]  # "ok", or a word and a reason, by what was asked
    age_seconds: float  # of the oldest look in it

    @property
    def ready(self) -> bool:
        """Whether what is sent is taken."""
        return self.states["store"] == OK


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
        self._of_store = Remembered(self._ask_store, seconds=_REMEMBERED_SECONDS)
        self._of_broker = Remembered(self._ask_broker, seconds=_REMEMBERED_SECONDS)
        self._of_beats = Remembered(self._ask_beats, seconds=_REMEMBERED_SECONDS)

    async def look(self) -> Look:
        """How store, broker, relay and worker are, by looks of at most OLDEST_SECONDS ago.

        What comes later than that is too old to be believed: it says so, and nobody is ready by it.
        """
        store, broker, beats = await asyncio.gather(
            self._of_store.get_within(OLDEST_SECONDS),
            self._of_broker.get_within(OLDEST_SECONDS),
            self._of_beats.get_within(OLDEST_SECONDS),
        )
        age = max(one.age for one in (self._of_store, self._of_broker, self._of_beats))
        if age > OLDEST_SECONDS:
            store = f"unknown: the oldest look is of {age:.1f} s ago"
        states = {"store": store, "broker": broker, **beats}
        return Look(states=states, age_seconds=round(age, 1))

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


@asynccontextmanager
async def beating(store: Store, door: Door, keys: KeyRing, rates: Rates) -> AsyncIterator[None]:
    """Leave heartbeats in the store for as long as the block runs.

    The door's event loop asks for each, and a commit answers; none is left while a commit hangs.
    With each, the last use of keys and what they sent is written: a request never waits for that.
    """
    pulse = Pulse(store, ProcessKind.DOOR, longest_turn_seconds=_BEAT_PATIENCE_SECONDS)
    aside = Aside("heartbeat", StoreUnavailable, seconds=_BEAT_PATIENCE_SECONDS)
    beat = _beat(store, pulse, aside, door, keys, rates)
    heart = asyncio.create_task(beat, name="door-heart")
    try:
        yield
    finally:
        heart.cancel()
        with suppress(asyncio.CancelledError):
            await heart
        with suppress(StoreUnavailable):
            await _count(store, aside, rates)
            await aside.run(pulse.end)
        aside.close()


async def _beat(
    store: Store, pulse: Pulse, aside: Aside, door: Door, keys: KeyRing, rates: Rates
) -> None:
    while True:
        if not door.hangs:
            with suppress(StoreUnavailable):
                await aside.run(pulse.beat, "it takes requests")
                if used := keys.take_used():
                    await aside.run(note_key_uses, store, used)
                await _count(store, aside, rates)
        await asyncio.sleep(BEAT_SECONDS)


async def _count(store: Store, aside: Aside, rates: Rates) -> None:
    """Tell the store what keys sent, and learn what they sent elsewhere. Raises StoreUnavailable.

    What may not have been written is sent again: rather twice than never.
    """
    told = rates.take_new()
    if not told:
        return
    try:
        rates.learn(await aside.run(count_sent, store, told))
    except StoreUnavailable:
        rates.put_back(told)
        raise

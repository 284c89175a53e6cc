"""The shipped fake: records in this process's memory, for tests and benchmarks.

It is as fast as a destination can be and fails only where a test asks it to, so that what is
measured or tested is everything else. Another process has other records.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from connectors.definition.shared_keys import FakeDefinition, action_of, limits_of
from orchestrator.domain.delivery.handoff import Action, Limits, Outgoing, Record


@dataclass(frozen=True, kw_only=True)
class Mishap:
    """One thing that goes wrong, once, at the next call of its kind."""

    at: Literal["create", "lookup", "read", "undo"]
    error: Exception | None = None
    stored: bool = False  # a create stores before it fails: only its answer is lost
    seconds: float = 0.0  # how long the call takes
    answer: Mapping[str, object] | None = None  # what a read gives instead of the record


class FakeConnector:
    """A destination in memory. `records` and `creates` are there to be counted."""

    def __init__(self, definition: FakeDefinition) -> None:
        self.name = definition.connector
        self._actions = {
            name: action_of(name, said, can_undo=said.undo)
            for name, said in definition.actions.items()
        }
        self.records: dict[str, Mapping[str, object]] = {}  # fields by record id
        self.ids: dict[str, str] = {}  # record id by key; of several the first
        self.creates = 0  # how often a record was made, the doubled ones too
        self.undone = 0  # how often a record was taken back
        self._limits = limits_of(definition)
        self.mishaps: deque[Mishap] = deque()

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions by name."""
        return self._actions

    @property
    def limits(self) -> Limits:
        """What the fake is spared, as if it needed it."""
        return self._limits

    async def create(self, call: Outgoing) -> str:
        """Make a record, each time a new one, whatever the key."""
        if self.mishaps:
            await self._suffer("create", call)
        return self._store(call)

    async def lookup(self, call: Outgoing) -> str | None:
        """The id of the first record with the key, or None."""
        if self.mishaps:
            await self._suffer("lookup", call)
        return self.ids.get(call.key)

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """The record as stored, or None."""
        if self.mishaps:
            answer = await self._suffer("read", call)
            if answer is not None:
                return Record(id=record_id, fields=answer)
        fields = self.records.get(record_id)
        return None if fields is None else Record(id=record_id, fields=fields)

    async def undo(self, call: Outgoing, record_id: str) -> None:
        """Take the record away; one that is gone already is taken back."""
        if self.mishaps:
            await self._suffer("undo", call)
        if self.records.pop(record_id, None) is None:
            return
        self.undone += 1
        self.ids = {key: one for key, one in self.ids.items() if one != record_id}

    async def close(self) -> None:
        """Nothing is open; the records stay."""

    def _store(self, call: Outgoing) -> str:
        self.creates += 1
        record_id = f"fake-{self.creates}"
        self.records[record_id] = call.fields
        self.ids.setdefault(call.key, record_id)
        return record_id

    async def _suffer(self, at: str, call: Outgoing) -> Mapping[str, object] | None:
        mishap = next((one for one in self.mishaps if one.at == at), None)
        if mishap is None:
            return None
        self.mishaps.remove(mishap)
        if mishap.seconds:
            import asyncio  # whoever lists connectors calls none

            await asyncio.sleep(mishap.seconds)
        if mishap.stored:
            self._store(call)
        if mishap.error is not None:
            raise mishap.error
        return mishap.answer

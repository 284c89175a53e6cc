"""The declarative HTTP connector: one YAML definition makes a system a destination.

Only the definition decides which host is asked; a payload's values are filled in by structure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from connectors.definition.paths import Unreadable, record_id_at
from connectors.definition.shared_keys import limits_of
from connectors.http.answers import parse
from connectors.http.calls import Calls
from connectors.http.definition import HttpDefinition
from connectors.http.exchange import Client
from connectors.http.plan import misread, plan_of
from connectors.http.templates import Unfillable, Values
from orchestrator.domain.delivery.handoff import Action, Limits, Outgoing, Record
from orchestrator.domain.errors import (
    AlreadyThere,
    ConnectorError,
    DestinationRefused,
    OutcomeUnknown,
)


class HttpConnector:
    """One system over HTTP, as its definition says."""

    def __init__(
        self,
        definition: HttpDefinition,
        *,
        folder: Path | None,
        client: Callable[[], Client],  # called by the first request
    ) -> None:
        self.name = definition.connector
        self._calls = Calls(definition, folder=folder, client=client)
        self._plans = {
            name: plan_of(name, said, definition.errors)
            for name, said in definition.actions.items()
        }
        self._actions = {name: plan.action for name, plan in self._plans.items()}
        self._limits = limits_of(definition)

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions by name."""
        return self._actions

    @property
    def limits(self) -> Limits:
        """What the system is spared."""
        return self._limits

    @property
    def masks(self) -> frozenset[str]:
        """What nobody may be shown of requests and answers: known after the first request."""
        return self._calls.masks

    async def create(self, call: Outgoing) -> str:
        """Make, change or upsert the record; its id, or the key where a receipt's answer has none.

        Raises AlreadyThere, OutcomeUnknown and every other ConnectorError.
        """
        plan = self._plans[call.action]
        record_id = await self._to_update(call) if plan.updates else ""
        reply = await self._calls.ask(plan, plan.write, call, record_id)
        if isinstance(reply.error, AlreadyThere) and not (reply.error.record_id or plan.lookup):
            raise DestinationRefused(str(reply.error))
        if reply.error:
            raise reply.error
        if plan.written_id is None:
            return record_id or call.key
        try:
            return record_id_at(parse(reply.answer), plan.written_id)
        except Unreadable as error:
            raise OutcomeUnknown(f"{plan.write.name}: {error}") from None

    async def create_many(self, calls: Sequence[Outgoing]) -> Sequence[str | ConnectorError]:
        """What became of each, by one request; one that cannot be filled does not go with it."""
        plan = self._plans[calls[0].action]
        batch = plan.batch
        if batch is None:
            raise DestinationRefused(f"{calls[0].action} has no batch")
        values = [Values(key=call.key, send=call.fields) for call in calls]
        made: dict[str, str | ConnectorError] = {}
        items: dict[str, object] = {}
        for one in values:
            try:
                items[one.key] = batch.item(one)
            except Unfillable as error:
                made[one.key] = DestinationRefused(f"batch: {error}")
        going = [one for one in values if one.key in items]
        if going:
            reply = await self._calls.ask(
                plan, batch.request, calls[0], items=[items[one.key] for one in going]
            )
            if reply.error:
                raise reply.error
            found = batch.made(reply.answer, going)
            made |= {one.key: what for one, what in zip(going, found, strict=True)}
        return [made[call.key] for call in calls]

    async def lookup(self, call: Outgoing) -> str | None:
        """The id of the one record that carries the key, or None."""
        plan = self._plans[call.action]
        if plan.lookup is None:
            raise DestinationRefused(f"{call.action} has no look-up")
        reply = await self._calls.ask(plan, plan.lookup.request, call)
        if reply.absent:
            return None
        if reply.error:
            raise reply.error
        try:
            values = Values(key=call.key, send=call.fields)
            return plan.lookup.found(parse(reply.answer), values)
        except Unreadable as error:
            raise misread(plan.lookup.request, error) from None
        except Unfillable as error:
            raise DestinationRefused(f"look-up: {error}") from None

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """The record as stored, or None where it is not there."""
        plan = self._plans[call.action]
        if plan.read is None:
            raise DestinationRefused(f"{call.action} cannot be read back")
        reply = await self._calls.ask(plan, plan.read.request, call, record_id)
        if reply.absent:
            return None
        if reply.error:
            raise reply.error
        try:
            answer = parse(reply.answer)
            # Whose record it is must be looked at: another may read the same, field by field.
            values = Values(key=call.key, send=call.fields, record_id=record_id)
            if not plan.read.is_ours(answer, values):
                return None
            return Record(id=record_id, fields=plan.read.fields(answer))
        except Unreadable as error:
            raise misread(plan.read.request, error) from None
        except Unfillable as error:
            raise DestinationRefused(f"read: {error}") from None

    async def undo(self, call: Outgoing, record_id: str) -> None:
        """Take the record back; one that is gone already is taken back."""
        plan = self._plans[call.action]
        if plan.undo is None:
            raise DestinationRefused(f"{call.action} cannot be taken back")
        reply = await self._calls.ask(plan, plan.undo, call, record_id)
        if reply.error and not reply.absent:
            raise reply.error

    async def close(self) -> None:
        """Give connections back."""
        await self._calls.close()

    async def _to_update(self, call: Outgoing) -> str:
        found = await self.lookup(call)
        if found is None:
            raise DestinationRefused("update: there is no record to update")
        return found

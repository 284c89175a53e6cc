"""The declarative HTTP connector: one YAML definition makes a system a destination.

Only the definition decides which host is asked; a payload's values are filled in by structure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from connectors.definition.shared_keys import limits_of
from connectors.http.calls import Calls
from connectors.http.definition import HttpDefinition
from connectors.http.placeholders.values import Unfillable, Values
from connectors.http.plan import plan_of
from connectors.http.records.finding import find, read
from connectors.http.records.steps import complete, step_fields
from connectors.http.records.writing import write
from connectors.http.wire.exchange import Client
from orchestrator.domain.delivery.handoff import (
    NOTHING_SEEN,
    Action,
    Limits,
    Made,
    Outgoing,
    Record,
)
from orchestrator.domain.delivery.tokens import TokenKeeper
from orchestrator.domain.errors import ChangedMeanwhile, ConnectorError, DestinationRefused


class HttpConnector:
    """One system over HTTP, as its definition says."""

    def __init__(
        self,
        definition: HttpDefinition,
        *,
        folder: Path | None,
        client: Callable[[], Client],  # called by the first request
        tokens: Callable[[], TokenKeeper] | None = None,  # called by the first shared login
    ) -> None:
        self.name = definition.connector
        self._calls = Calls(definition, folder=folder, client=client, tokens=tokens)
        self._plans = {
            name: plan_of(name, said, definition.errors)
            for name, said in definition.actions.items()
        }
        self._actions = {name: plan.action for name, plan in self._plans.items()}
        self._limits = limits_of(definition)
        self._named = dict.fromkeys(definition.secrets, "secret")  # where nothing is sent

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

    async def create(self, call: Outgoing) -> str | Made:
        """Make, change or upsert the record; its id, or the key where a receipt's answer has none.

        Raises AlreadyThere, OutcomeUnknown and every other ConnectorError.
        """
        made = await write(self._calls, self._plans[call.action], values_of(call))
        return made.record_id if made.seen == NOTHING_SEEN else made

    def render(self, call: Outgoing) -> None:
        """Make the request that `create` would send. Raises DestinationRefused."""
        plan, values = self._plans[call.action], replace(values_of(call), secrets=self._named)
        for template in filter(None, (plan.make or plan.update,)):
            try:
                template.target(values)
                template.headers(values)
                template.body(values)
            except Unfillable as error:
                raise DestinationRefused(f"{template.name}: {error}") from None

    async def create_many(self, calls: Sequence[Outgoing]) -> Sequence[str | ConnectorError]:
        """What became of each, by one request; one that cannot be filled does not go with it."""
        plan = self._plans[calls[0].action]
        batch = plan.batch
        if batch is None:
            raise DestinationRefused(f"{calls[0].action} has no batch")
        values = [values_of(call) for call in calls]
        made: dict[str, str | ConnectorError] = {}
        items: dict[str, object] = {}
        for one in values:
            try:
                items[one.key] = batch.item(one)
            except Unfillable as error:
                made[one.key] = DestinationRefused(f"batch: {error}")
        going = [one for one in values if one.key in items]
        if going:
            # The headers are those of the first, but several events are of no one trace.
            trace = going[0].trace if len(going) == 1 else {}
            first = replace(values[0], items=[items[one.key] for one in going], trace=trace)
            reply = await self._calls.ask(plan, batch.request, first)
            if reply.error:
                raise reply.error
            found = batch.made(reply.answer, going)
            made |= {one.key: what for one, what in zip(going, found, strict=True)}
        return [made[call.key] for call in calls]

    async def lookup(self, call: Outgoing) -> str | None:
        """The id of the one record that carries the key; None where it is certainly not there."""
        plan = self._plans[call.action]
        if plan.lookup is None:
            raise DestinationRefused(f"{call.action} has no look-up")
        found = await find(self._calls, plan, plan.lookup, values_of(call))
        return None if found is None else found.record_id

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """The record as stored, or None where it is not there."""
        plan = self._plans[call.action]
        if plan.read is None:
            raise DestinationRefused(f"{call.action} cannot be read back")
        values = values_of(call, record_id)
        record = await read(self._calls, plan, plan.read, values)
        if record is None or not plan.steps:
            return record
        told = await step_fields(self._calls, plan, values)
        return replace(record, fields={**record.fields, **told})

    async def complete(self, call: Outgoing, record_id: str, *, fresh: bool) -> None:
        """Do what is not done yet of what follows the record's first request."""
        plan = self._plans[call.action]
        await complete(self._calls, plan, values_of(call, record_id), fresh=fresh)

    async def undo(self, call: Outgoing, record_id: str) -> None:
        """Take the record back; one that is gone already is taken back."""
        plan = self._plans[call.action]
        if plan.undo is None:
            raise DestinationRefused(f"{call.action} cannot be taken back")
        reply = await self._calls.ask(plan, plan.undo, values_of(call, record_id))
        if isinstance(reply.error, ChangedMeanwhile):  # what others wrote is not ours to delete
            raise DestinationRefused(str(reply.error))
        if reply.error and not reply.absent:
            raise reply.error

    async def close(self) -> None:
        """Give connections back."""
        await self._calls.close()


def values_of(call: Outgoing, record_id: str = "") -> Values:
    """What placeholders stand for in a call's requests, secrets apart."""
    return Values(
        key=call.key,
        send=call.fields,
        record_id=record_id,
        version=call.seen.version,
        trace=call.trace,
    )

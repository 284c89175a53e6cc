"""Making a record, or changing the one that a look-up finds."""

from __future__ import annotations

from dataclasses import replace

from connectors.definition.paths import Unreadable
from connectors.http.calls import Calls, Reply
from connectors.http.placeholders.values import Unfillable, Values
from connectors.http.plan import ActionPlan, Finder
from connectors.http.records.finding import Found, address_of, find, version_of
from connectors.http.requests import RequestTemplate
from orchestrator.domain.delivery.handoff import Made, Seen
from orchestrator.domain.errors import (
    AlreadyThere,
    ChangedMeanwhile,
    ConnectorError,
    DestinationRefused,
    OutcomeUnknown,
)


async def write(calls: Calls, plan: ActionPlan, values: Values) -> Made:
    """Make, change or upsert the record. Raises AlreadyThere and every other ConnectorError."""
    if plan.update is None or plan.lookup is None:
        return await _make(calls, plan, values)
    found = await _find_to_change(calls, plan, plan.lookup, values)
    if found is not None:
        return await _change(calls, plan, found, values)
    if plan.make is None:
        raise DestinationRefused("update: there is no record to update")
    try:
        return await _make(calls, plan, values)
    except AlreadyThere as error:
        # Somebody made it since the look-up.
        found = await _find_to_change(calls, plan, plan.lookup, values)
        if found is None:  # a search that lags behind
            raise OutcomeUnknown(f"{error}; and a look-up does not find it yet") from None
        return await _change(calls, plan, found, values)


async def _find_to_change(
    calls: Calls, plan: ActionPlan, finder: Finder, values: Values
) -> Found | None:
    """The record that is to be changed. A search for nothing would find anything."""
    for name in sorted(finder.asks_for):
        value = values.send.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise DestinationRefused(f"look-up: {name} is empty, and the record is found by it")
    return await find(calls, plan, finder, values, alone=True)


async def _make(calls: Calls, plan: ActionPlan, values: Values) -> Made:
    template = plan.make
    if template is None:
        raise DestinationRefused("nothing makes a record")
    reply = await calls.ask(plan, template, values)
    if isinstance(reply.error, AlreadyThere):
        raise _named(reply.error, plan, reply, values)
    if reply.error:
        raise reply.error
    try:
        named = plan.written_id
        record_id = named.record_id(reply.answer, values) if named else values.key
    except (Unreadable, Unfillable) as error:
        raise OutcomeUnknown(f"{template.name}: {error}") from None
    return Made(record_id=record_id, seen=Seen(url=_url(calls, plan, reply, record_id, values)))


async def _change(calls: Calls, plan: ActionPlan, found: Found, values: Values) -> Made:
    """Change a record; where somebody else did so since it was looked at, look again, once."""
    try:
        reply = await _changed(calls, plan, plan.update, found, values)
    except ChangedMeanwhile:
        again = await _find_to_change(calls, plan, plan.lookup, values) if plan.lookup else None
        if again is None:
            raise
        found = again
        reply = await _changed(calls, plan, plan.update, found, values)
    url = _url(calls, plan, reply, found.record_id, values)
    return Made(record_id=found.record_id, seen=Seen(url=url, updated=True))


async def _changed(
    calls: Calls, plan: ActionPlan, template: RequestTemplate | None, found: Found, values: Values
) -> Reply:
    if template is None:
        raise DestinationRefused("nothing changes a record")
    there = replace(values, record_id=found.record_id)
    if template.guarded:
        there = replace(there, version=await version_of(calls, plan, found, values))
    reply = await calls.ask(plan, template, there)
    if isinstance(reply.error, AlreadyThere):
        # It is another record that is there, with a value which only one may have.
        raise DestinationRefused(str(reply.error))
    if reply.error:
        raise reply.error
    return reply


def _url(
    calls: Calls, plan: ActionPlan, reply: Reply, record_id: str, values: Values
) -> str | None:
    """Where people find a record, as far as the answer to its write says it."""
    if plan.url is None or not (plan.url.header or plan.read is None):
        return None
    return address_of(calls, plan, reply, replace(values, record_id=record_id))


def _named(error: AlreadyThere, plan: ActionPlan, reply: Reply, values: Values) -> ConnectorError:
    """The refusal with the record that is there; final where neither it nor a look-up names one."""
    if error.record_id:
        return error
    if plan.lookup:
        return AlreadyThere(str(error), by_key=plan.lookup.by_key)
    try:
        found = plan.there_id.record_id(reply.answer, values) if plan.there_id else None
    except (Unreadable, Unfillable):
        found = None
    if not found or plan.there_id is None:
        return DestinationRefused(str(error))
    return AlreadyThere(str(error), record_id=found, by_key=plan.there_id.by_key)

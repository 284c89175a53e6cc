"""Looking a record up, and reading it back: what nothing is changed by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from connectors.definition.paths import Unreadable
from connectors.http.answers import parse
from connectors.http.calls import Calls, Reply
from connectors.http.paging.look_up import look_up
from connectors.http.placeholders.values import Unfillable, Values
from connectors.http.plan import ActionPlan, Finder, Reader, misread
from orchestrator.domain.delivery.handoff import Record, Seen
from orchestrator.domain.errors import DestinationRefused
from orchestrator.domain.text.masking import masked


@dataclass(frozen=True, kw_only=True)
class Found:
    """A record that a look-up found."""

    record_id: str
    version: str | None  # how its state is called, where the look-up says it


async def find(
    calls: Calls, plan: ActionPlan, finder: Finder, values: Values, *, alone: bool = False
) -> Found | None:
    """The one record that a look-up finds, or None. Raises ConnectorError."""
    found = await look_up(calls, plan, finder, values, alone=alone)
    if found is None:
        return None
    item, answer = found
    try:
        version = finder.version_of(item, answer)
        return Found(record_id=finder.record_id(item), version=version)
    except Unreadable as error:
        raise misread(finder.request, error) from None


async def read(calls: Calls, plan: ActionPlan, reader: Reader, values: Values) -> Record | None:
    """The record as stored, or None where it is not there. Raises ConnectorError."""
    reply = await calls.ask(plan, reader.request, values)
    if reply.absent:
        return None
    if reply.error:
        raise reply.error
    try:
        answer = parse(reply.answer)
        # Whose record it is must be looked at: another may read the same, field by field.
        if not reader.is_ours(answer, values):
            return None
        url = address_of(calls, plan, reply, values)
        version = reader.version.version(reply.answer) if reader.version else None
        seen = Seen(url=url, version=version)
        return Record(id=values.record_id, fields=reader.fields(answer), seen=seen)
    except Unreadable as error:
        raise misread(reader.request, error) from None
    except Unfillable as error:
        raise DestinationRefused(f"{reader.request.name}: {error}") from None


def address_of(calls: Calls, plan: ActionPlan, reply: Reply, values: Values) -> str | None:
    """Where people find the record; None too where the address would tell a secret: it is kept."""
    url = plan.url.url(reply.answer, values, asked=reply.asked) if plan.url else None
    if url is None:
        return None
    parts = urlsplit(url)
    path = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
    return url if masked(path, calls.masks) == path else None


async def version_of(calls: Calls, plan: ActionPlan, found: Found, values: Values) -> str | None:
    """How a record's state is called now; None where there is no such record any more."""
    if found.version is not None or plan.read is None:
        return found.version
    record = await read(calls, plan, plan.read, replace(values, record_id=found.record_id))
    return None if record is None else record.seen.version

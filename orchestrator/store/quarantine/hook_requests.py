"""The requests of sources, kept beside the events that came in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from orchestrator.domain.sources.origin import HookOrigin
from orchestrator.store.database.schema import events, hook_requests, workflow_versions
from orchestrator.store.quarantine.workflows import LIVE, LiveWorkflow


def keep_requests(tx: Connection, origins: Mapping[str, HookOrigin]) -> None:
    """Write the request of each event, by the event's id."""
    if origins:
        rows = [
            {
                "event_id": event_id,
                "source": one.source.name,
                "type": one.type,
                "verified_by": one.verified_by,
                "headers": one.headers,
                "body": one.body,
            }
            for event_id, one in origins.items()
        ]
        tx.execute(insert(hook_requests), rows)


def has_sent(tx: Connection, source: str) -> bool:
    """Whether a source ever sent an event that was proven."""
    found = select(hook_requests.c.event_id).where(hook_requests.c.source == source)
    return tx.execute(found.limit(1)).first() is not None


@dataclass(frozen=True, kw_only=True)
class Taker:
    """Who takes an event's type now."""

    type: str | None  # None: the request said none
    live: LiveWorkflow | None  # None: no live workflow does


def takers(tx: Connection, ids: Sequence[str]) -> dict[str, Taker]:
    """For each of these events that came from a source, the workflow that takes its type now."""
    table = workflow_versions.c
    came = (
        select(events.c.id, events.c.client, hook_requests.c.type)
        .join(hook_requests, hook_requests.c.event_id == events.c.id)
        .where(events.c.id.in_(ids))
    )
    rows = tx.execute(came).all()
    types = {row.type for row in rows if row.type}
    live = {
        (one.client, one.trigger_type): LiveWorkflow(**one._mapping)
        for one in tx.execute(LIVE.where(table.trigger_type.in_(types)))
    }
    return {row.id: Taker(type=row.type, live=live.get((row.client, row.type))) for row in rows}

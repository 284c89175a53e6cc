"""The requests of sources, kept beside the events that came in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, insert, select

from orchestrator.domain.reasons import Reason
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
    """Who takes an event now that nobody took when it came."""

    live: LiveWorkflow | None  # the workflow of its client that takes its type
    reason: Reason | None  # why it cannot go there; None: it can
    detail: str  # the same in a sentence


def takers(tx: Connection, ids: Sequence[str]) -> dict[str, Taker]:
    """For each of these events that a source sent, where it would go now."""
    if not ids:
        return {}
    table = workflow_versions.c
    rows = tx.execute(
        select(events.c.id, events.c.client, events.c.idempotency_key, hook_requests.c.type)
        .join(hook_requests, hook_requests.c.event_id == events.c.id)
        .where(events.c.id.in_(ids))
    ).all()
    types = {row.type for row in rows if row.type}
    live = {
        (one.client, one.trigger_type): LiveWorkflow(**one._mapping)
        for one in tx.execute(LIVE.where(table.trigger_type.in_(types)))
    }
    found = {row.id: _taker(row.type, live.get((row.client, row.type))) for row in rows}
    for event_id, name in _keys_there(tx, ids):
        one = found[event_id]
        if one.live is not None and one.live.name == name:
            told = f"the workflow {name} has an event with its key already"
            found[event_id] = replace(one, reason=Reason.CONFLICTING_DUPLICATE, detail=told)
    return found


def _taker(trigger_type: str | None, live: LiveWorkflow | None) -> Taker:
    if live is not None:
        return Taker(live=live, reason=None, detail="")
    told = f"no live workflow takes {trigger_type!r}" if trigger_type else "it does not say a type"
    return Taker(live=None, reason=Reason.NO_WORKFLOW, detail=told)


def _keys_there(tx: Connection, ids: Sequence[str]) -> list[tuple[str, str]]:
    """Of these events, those whose key another workflow of the client has, with its name."""
    other = events.alias("other")
    mine, theirs = events.c, other.c
    same = (theirs.client == mine.client) & (theirs.idempotency_key == mine.idempotency_key)
    rows = tx.execute(
        select(mine.id, theirs.workflow)
        .join(other, same & (theirs.workflow != mine.workflow))
        .where(mine.id.in_(ids))
    )
    return [(row[0], row[1]) for row in rows]

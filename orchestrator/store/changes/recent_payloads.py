"""What senders sent to a workflow lately, the newest first: what a new contract is tried on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, select

from orchestrator.store.database.clock import first_id, now_ms
from orchestrator.store.database.schema import events, payloads

_DAY_MS = 86_400_000
_MOST_READ = 200_000  # the newest events of all workflows: no index has those of one


@dataclass(frozen=True, kw_only=True, slots=True)
class RecentEvents:
    """The newest events of one workflow that still have what came."""

    since: int  # in milliseconds since 1970
    ids: tuple[str, ...]  # the newest first
    whole: bool  # they are all that were accepted since then


def recent_events(
    tx: Connection, client: str, workflow: str, *, days: int, most: int
) -> RecentEvents:
    """Up to `most` events that were accepted within some days; erased ones are left out."""
    since = int(tx.execute(select(now_ms())).scalar_one()) - days * _DAY_MS
    newest = (
        select(events.c.id, events.c.client, events.c.workflow, events.c.erased_at)
        .where(events.c.id >= first_id(since))
        .order_by(events.c.id.desc())
        .limit(_MOST_READ)
        .subquery()
    )
    mine = (newest.c.client == client, newest.c.workflow == workflow)
    found = select(newest.c.id).where(*mine, newest.c.erased_at.is_(None))
    ids = tx.execute(found.order_by(newest.c.id.desc()).limit(most + 1)).scalars().all()
    read = tx.execute(select(func.count()).select_from(newest)).scalar_one()
    whole = len(ids) <= most and read < _MOST_READ
    return RecentEvents(since=since, ids=tuple(ids[:most]), whole=whole)


def payloads_that_came(tx: Connection, ids: Sequence[str]) -> list[tuple[str, object]]:
    """Ids with their payloads as they came, in the order of the ids; at most some hundred."""
    rows = tx.execute(
        select(payloads.c.event_id, payloads.c.body).where(payloads.c.event_id.in_(ids))
    )
    bodies = {row.event_id: row.body for row in rows}
    return [(one, orjson.loads(bodies[one])) for one in ids if one in bodies]

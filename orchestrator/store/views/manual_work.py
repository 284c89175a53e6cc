"""What people did by hand, counted from the audit: no page of its own keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, case, func, or_, select

from orchestrator.store.database.schema import audit

BY_HAND = (
    *("amend", "replay", "discard", "restore", "approve", "send_again", "plan_replay", "run_plan"),
    *("acknowledge_incident", "assign_incident", "resolve_incident"),
    *("pause", "change_pause", "resume", "requeue", "drop", "retry_alert"),
)
"""The audit's words for what only people begin."""

_APART_MS = 5_000
"""One command writes many rows in chunks; a longer pause between two is another touch."""

_BY_PLAN = '%"plan":%'
"""The detail of what a plan's run did with one event; the run itself is a row without an event."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Touches:
    """How often one person began one kind of work by hand."""

    actor: str  # such as `cli:dana`
    action: str  # one of `BY_HAND`
    touches: int  # times it was begun: what one command did in chunks is one
    events: int  # they were about


@dataclass(frozen=True, kw_only=True, slots=True)
class Healed:
    """What one person took upon themselves until it was over."""

    actor: str  # who acknowledged, such as `cli:dana`
    incidents: int
    seconds: int  # from acknowledgement to resolution, all of them together


def count_touches(
    tx: Connection,
    since: int,
    *,
    client: str | None = None,
    clients: frozenset[str] | None = None,
) -> list[Touches]:
    """Who did what by hand since then, in milliseconds: touches, and the events they were about."""
    table = audit.c
    planned = and_(table.event_id.is_not(None), table.detail.like(_BY_PLAN))
    action = case((planned, "run_plan"), else_=table.action)
    before = func.lag(table.at).over(partition_by=(table.actor, action, planned), order_by=table.id)
    pause = table.at - before
    begins = case((planned, 0), (or_(pause.is_(None), pause > _APART_MS), 1), else_=0)
    rows = (
        select(table.actor, action.label("action"), table.event_id, begins.label("begins"))
        .where(table.at >= since, table.action.in_(BY_HAND), _by_people(), *_of(client, clients))
        .subquery()
    )
    counted = (
        select(rows.c.actor, rows.c.action, func.sum(rows.c.begins), func.count(rows.c.event_id))
        .group_by(rows.c.actor, rows.c.action)
        .order_by(rows.c.actor, rows.c.action)
    )
    return [
        Touches(actor=row[0], action=row[1], touches=int(row[2]), events=row[3])
        for row in tx.execute(counted)
    ]


def count_healed(
    tx: Connection,
    since: int,
    *,
    client: str | None = None,
    clients: frozenset[str] | None = None,
) -> list[Healed]:
    """Who had acknowledged incidents that were resolved since then, and how long each took."""
    table = audit.c
    resolved = select(table.detail).where(
        table.at >= since, table.action == "resolve_incident", *_of(client, clients)
    )
    spent: dict[str, list[int]] = {}
    for row in tx.execute(resolved):
        detail = orjson.loads(row.detail or "{}")
        if detail.get("acknowledged_by"):
            spent.setdefault(detail["acknowledged_by"], []).append(detail["seconds"])
    return [
        Healed(actor=actor, incidents=len(times), seconds=sum(times))
        for actor, times in sorted(spent.items())
    ]


def _by_people() -> Any:
    actor = audit.c.actor
    return and_(actor.not_like("worker:%"), actor.not_like("workflow:%"), actor != "keeper")


def _of(client: str | None, clients: frozenset[str] | None) -> list[Any]:
    mine = [] if clients is None else [audit.c.client.in_(sorted(clients))]
    return mine if client is None else [*mine, audit.c.client == client]

"""The audit: written beside what it tells of, in the same transaction, and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, insert, literal, select

from orchestrator.store.clock import now_ms
from orchestrator.store.schema import audit, events
from orchestrator.store.sets import id_set, row_set

Detail = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class DeliveryNote:
    """What the audit says of one delivery."""

    event_id: str
    destination: str
    action: str
    target: str | None = None
    reason: str | None = None
    detail: Detail | None = None


def record(
    tx: Connection,
    *,
    actor: str,
    action: str,
    client: str | None = None,
    workflow: str | None = None,
    reason: str | None = None,
    detail: Detail | None = None,
) -> None:
    """Write down a decision that is not about one event: a publication, a key."""
    tx.execute(
        insert(audit).values(
            at=now_ms(),
            client=client,
            workflow=workflow,
            actor=actor,
            action=action,
            reason=reason,
            detail=as_text(detail),
        )
    )


def record_moves(
    tx: Connection,
    ids: Sequence[str],
    *,
    actor: str,
    action: str,
    source: str | None,
    target: str,
    reason: str | None = None,
    detail: Detail | None = None,
) -> None:
    """Write down the same move of many events, in one statement."""
    if not ids:
        return
    row = select(
        now_ms(),
        events.c.client,
        events.c.workflow,
        events.c.id,
        *(literal(value) for value in (actor, action, source, target, reason, as_text(detail))),
    ).where(events.c.id.in_(id_set(tx, ids)))
    columns = ("at", "client", "workflow", "event_id", "actor", "action", "source", "target")
    tx.execute(insert(audit).from_select((*columns, "reason", "detail"), row))


def record_deliveries(tx: Connection, rows: Sequence[DeliveryNote], *, actor: str) -> None:
    """Write down what became of deliveries, each in its own words."""
    if not rows:
        return
    given = row_set(
        tx,
        [
            (one.event_id, one.destination, one.action, one.target, one.reason, as_text(one.detail))
            for one in rows
        ],
        event_id=str,
        destination=str,
        action=str,
        target=str,
        reason=str,
        detail=str,
    )
    row = select(now_ms(), events.c.client, events.c.workflow, literal(actor), *given.c).join_from(
        given, events, events.c.id == given.c.event_id
    )
    columns = ("at", "client", "workflow", "actor", *given.c.keys())
    tx.execute(insert(audit).from_select(columns, row))


def as_text(detail: Detail | None) -> str | None:
    """A detail as the store keeps it."""
    return None if detail is None else orjson.dumps(detail).decode()

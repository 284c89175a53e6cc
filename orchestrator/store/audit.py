"""The audit: written beside what it tells of, in the same transaction, and never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, FromClause, Insert, Text, bindparam, insert, literal, select

from orchestrator.store.clock import now_ms
from orchestrator.store.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.schema import audit, events, incidents

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
    destination: str | None = None,
    reason: str | None = None,
    detail: Detail | None = None,
) -> None:
    """Write down a decision that is not about one event: a publication, a key, a pause."""
    tx.execute(
        insert(audit).values(
            at=now_ms(),
            client=client,
            workflow=workflow,
            destination=destination,
            actor=actor,
            action=action,
            reason=reason,
            detail=as_text(detail),
        )
    )


def record_incident(
    tx: Connection,
    incident: int,
    *,
    actor: str,
    action: str,
    source: str | None = None,
    target: str | None = None,
    reason: str | None = None,
    detail: Detail | None = None,
) -> None:
    """Write down what became of one incident."""
    table = incidents.c
    said = {
        "actor": actor,
        "action": action,
        "source": source,
        "target": target,
        "reason": reason,
        "detail": as_text(detail),
    }
    row = select(
        now_ms(),
        table.client,
        table.workflow,
        table.destination,
        table.id,
        *(literal(value, Text) for value in said.values()),
    ).where(table.id == incident)
    columns = ("at", "client", "workflow", "destination", "incident_id", *said)
    tx.execute(insert(audit).from_select(columns, row))


def record_moves(
    tx: Connection,
    ids: Sequence[str],
    *,
    actor: str,
    action: str,
    source: str | None,
    target: str | None,
    reason: str | None = None,
    detail: str | None = None,
) -> None:
    """Write down the same move of many events, in one statement; `detail` is JSON text."""
    if ids:
        _MOVES.run(
            tx,
            ids=list(ids),
            actor=actor,
            action=action,
            source=source,
            target=target,
            reason=reason,
            detail=detail,
        )


_WORDS = ("actor", "action", "source", "target", "reason", "detail")


def telling(moved: FromClause) -> Insert:
    """The statement that writes one move of the events `moved`, with the parameters of it."""
    words = (bindparam(word, type_=Text) for word in _WORDS)
    row = select(now_ms(), moved.c.client, moved.c.workflow, moved.c.id, *words)
    return insert(audit).from_select(("at", "client", "workflow", "event_id", *_WORDS), row)


_MOVES = Prepared(
    lambda dialect: telling(
        select(events.c.id, events.c.client, events.c.workflow)
        .where(among(dialect, events.c.id))
        .subquery("moved")
    )
)


def record_deliveries(tx: Connection, notes: Sequence[DeliveryNote], *, actor: str) -> None:
    """Write down what became of deliveries, each in its own words."""
    if notes:
        rows = [
            (one.event_id, one.destination, one.action, one.target, one.reason, as_text(one.detail))
            for one in notes
        ]
        _DELIVERIES.run(tx, actor=actor, **row_values(tx, list(_NOTE), rows))


_NOTE = dict.fromkeys(("event_id", "destination", "action", "target", "reason", "detail"), str)


def _insert_deliveries(dialect: str) -> Insert:
    given = rows_of(dialect, **_NOTE)
    row = select(
        now_ms(), events.c.client, events.c.workflow, bindparam("actor", type_=Text), *given.c
    ).join_from(given, events, events.c.id == given.c.event_id)
    return insert(audit).from_select(("at", "client", "workflow", "actor", *_NOTE), row)


_DELIVERIES = Prepared(_insert_deliveries)


def as_text(detail: Detail | None) -> str | None:
    """A detail as the store keeps it."""
    return None if detail is None else orjson.dumps(detail).decode()

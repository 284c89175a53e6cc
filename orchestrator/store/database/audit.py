"""The audit: written beside what it tells of, in the same transaction, and never changed.

A row holds names, counts and commitments. The values that it is committed to are written beside it
(`audit_values`), so that they can be erased while the row stays as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, FromClause, Insert, Text, bindparam, insert, literal, select

from orchestrator.domain.commitments import Detail, as_json, has_values
from orchestrator.store.database.audit_values import (
    RETURNED,
    Committed,
    commit_values,
    keep_returned,
    keep_values,
)
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import audit, events, incidents


@dataclass(frozen=True, kw_only=True)
class DeliveryNote:
    """What the audit says of one delivery."""

    event_id: str
    name: str  # the delivery's; it is in the column `destination`
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
    committed = commit_values(detail)
    row = insert(audit).values(
        at=now_ms(),
        client=client,
        workflow=workflow,
        destination=destination,
        actor=actor,
        action=action,
        reason=reason,
        detail=committed.text,
    )
    _write_one(tx, row, committed)


def record_job(
    tx: Connection,
    *,
    actor: str,
    action: str,
    client: str | None,
    source: str | None,
    target: str,
    detail: Detail,
) -> None:
    """Write down what became of one job."""
    committed = commit_values(detail)
    row = insert(audit).values(
        at=now_ms(),
        client=client,
        actor=actor,
        action=action,
        source=source,
        target=target,
        detail=committed.text,
    )
    _write_one(tx, row, committed)


def _write_one(tx: Connection, row: Insert, committed: Committed) -> None:
    if committed.kept:
        number = tx.execute(row.returning(audit.c.id)).scalar_one()
        keep_values(tx, [(number, committed)])
    else:
        tx.execute(row)


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
    committed = commit_values(detail)
    said = {
        "actor": actor,
        "action": action,
        "source": source,
        "target": target,
        "reason": reason,
        "detail": committed.text,
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
    _write_one(tx, insert(audit).from_select(columns, row), committed)


def record_moves(
    tx: Connection,
    ids: Sequence[str],
    *,
    actor: str,
    action: str,
    source: str | None,
    target: str | None,
    reason: str | None = None,
    detail: Detail | None = None,
) -> None:
    """Write down the same move of many events, in one statement."""
    if not ids:
        return
    told = {
        "actor": actor,
        "action": action,
        "source": source,
        "target": target,
        "reason": reason,
    }
    if detail is None:
        TELL_MOVES.run(tx, ids=list(ids), detail=None, **told)
    elif has_values(detail):
        _record_moves_of_values(tx, ids, detail, told)
    else:
        TELL_MOVES.run(tx, ids=list(ids), detail=as_json(detail), **told)


_WORDS = ("actor", "action", "source", "target", "reason", "detail")


def telling(moved: FromClause) -> Insert:
    """The statement that writes one move of the events `moved`, with the parameters of it."""
    words = (bindparam(word, type_=Text) for word in _WORDS)
    row = select(now_ms(), moved.c.client, moved.c.workflow, moved.c.id, *words)
    return insert(audit).from_select(("at", "client", "workflow", "event_id", *_WORDS), row)


TELL_MOVES = Prepared(
    lambda dialect: telling(
        select(events.c.id, events.c.client, events.c.workflow)
        .where(among(dialect, events.c.id))
        .subquery("moved")
    )
)
"""`telling` of the events whose ids are given."""


def _record_moves_of_values(
    tx: Connection, ids: Sequence[str], detail: Detail, told: Mapping[str, str | None]
) -> None:
    """Each row has commitments of its own.

    With one for all of them, the value of an erased event would still be proven by the others.
    """
    committed = {event_id: commit_values(detail) for event_id in ids}
    rows = [(event_id, one.text) for event_id, one in committed.items()]
    written = _MOVES_OF_VALUES.run(tx, **told, **row_values(tx, list(_MOVED), rows))
    keep_returned(tx, written.all(), {str(one.text): one for one in committed.values()})


_MOVED = {"event_id": str, "detail": str}
_SAME = ("actor", "action", "source", "target", "reason")


def _insert_moves_of_values(dialect: str) -> Any:
    given = rows_of(dialect, **_MOVED)
    same = (bindparam(word, type_=Text) for word in _SAME)
    row = select(
        now_ms(), events.c.client, events.c.workflow, events.c.id, given.c.detail, *same
    ).join_from(given, events, events.c.id == given.c.event_id)
    columns = ("at", "client", "workflow", "event_id", "detail", *_SAME)
    return insert(audit).from_select(columns, row).returning(*RETURNED)


_MOVES_OF_VALUES = Prepared(_insert_moves_of_values)


def record_deliveries(tx: Connection, notes: Sequence[DeliveryNote], *, actor: str) -> None:
    """Write down what became of deliveries, each in its own words."""
    if not notes:
        return
    if not any(has_values(one.detail) for one in notes):
        rows = [(*_COLUMNS(one), as_json(one.detail)) for one in notes]
        _DELIVERIES.run(tx, actor=actor, **row_values(tx, list(_NOTE), rows))
        return
    committed = [commit_values(one.detail) for one in notes]
    rows = [(*_COLUMNS(one), told.text) for one, told in zip(notes, committed, strict=True)]
    written = _DELIVERIES_OF_VALUES.run(tx, actor=actor, **row_values(tx, list(_NOTE), rows))
    keep_returned(tx, written.all(), {one.text: one for one in committed if one.text and one.kept})


_COLUMNS = attrgetter("event_id", "name", "action", "target", "reason")
_NOTE = dict.fromkeys(("event_id", "destination", "action", "target", "reason", "detail"), str)


def _insert_deliveries(dialect: str) -> Insert:
    given = rows_of(dialect, **_NOTE)
    row = select(
        now_ms(), events.c.client, events.c.workflow, bindparam("actor", type_=Text), *given.c
    ).join_from(given, events, events.c.id == given.c.event_id)
    return insert(audit).from_select(("at", "client", "workflow", "actor", *_NOTE), row)


_DELIVERIES = Prepared(_insert_deliveries)
_DELIVERIES_OF_VALUES = Prepared(lambda dialect: _insert_deliveries(dialect).returning(*RETURNED))

"""Deliveries that a later plan left out: what the audit keeps of them, for plans after that.

A tool may remember a call by its key for ever. So a name, and with it a key, is never given to
another item; what comes back goes on where it was: what may be there is looked for, and what was
taken back is made under another key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, case, delete, func, or_, select, tuple_

from orchestrator.domain.commitments import Value
from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.audit_values import with_values
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import audit, deliveries
from orchestrator.store.drive.deliveries import MAY_BE_THERE, NOT_MADE, item_of

_ABANDON = "abandon"


@dataclass(frozen=True, kw_only=True)
class Abandoned:
    """What a delivery goes on with that was planned, left out, and is planned again."""

    item: Item  # the key of its item, while the audit has it
    generation: int  # of its key
    unknown: bool  # a record of it may be there
    look_at: int | None  # before that a look-up is not to be believed, in ms


OfEvent = Mapping[str, Abandoned]
"""What was left out of one event's plans, by name."""


def load_abandoned(tx: Connection, ids: Sequence[str]) -> dict[str, OfEvent]:
    """What earlier plans of these events left out, as the last of them did."""
    rows = _LOAD.run(tx, ids=list(ids)).all()
    details = with_values(tx, [(row.id, row.detail) for row in rows])
    found: dict[str, dict[str, Abandoned]] = {}
    for row, detail in zip(rows, details, strict=True):
        found.setdefault(row.event_id, {})[row.destination] = _abandoned(detail or {})
    return dict(found)


def _abandoned(detail: Mapping[str, Any]) -> Abandoned:
    # The first rows of this kind said no more than that the outcome was unknown.
    return Abandoned(
        item=detail.get("item"),
        generation=detail.get("generation", 0),
        unknown=detail.get("unknown", True),
        look_at=detail.get("look_at"),
    )


def abandon_unplanned(tx: Connection, wanted: Mapping[str, Sequence[str]], *, actor: str) -> None:
    """Drop what events have beside the names that are wanted now, by event; what was made stays."""
    names = [(event_id, name) for event_id, own in wanted.items() for name in own]
    dropped = _DROP.run(tx, ids=list(wanted), **row_values(tx, list(_WANTED), names)).all()
    notes = [_note(row) for row in dropped if row.item is not None or row.called]
    record_deliveries(tx, notes, actor=actor)


def _note(row: AnyRow) -> DeliveryNote:
    # SQLite answers with numbers.
    detail: dict[str, object] = {
        "detail": _told(row),
        "generation": row.generation,
        "unknown": bool(row.there),
    }
    if row.look_at is not None:
        detail["look_at"] = row.look_at
    if row.item is not None:
        detail["item"] = Value(value=item_of(row.item))
    return DeliveryNote(event_id=row.event_id, name=row.name, action=_ABANDON, detail=detail)


def _told(row: AnyRow) -> str:
    told = "the new plan does not send here"
    if row.to_undo:
        return f"{told}; its record was to be taken back, and nobody knows that it was"
    if row.there:
        return f"{told}; a call whose outcome is unknown went out before"
    if row.called:
        return f"{told}; a call went out before"
    return told


_WANTED = dict.fromkeys(("event_id", "name"), str)


def _drop(dialect: str) -> Any:
    given, table = rows_of(dialect, **_WANTED), deliveries.c
    undone = table.state == DeliveryState.UNDONE.value
    # Not IS NOT NULL: of a NULL that is true in a RETURNING of SQLite 3.40.
    known = and_(func.coalesce(table.record_id, "") != "", ~undone)
    there = or_(MAY_BE_THERE, known)
    called = or_(there, undone, table.generation > 0, table.attempt > 0)
    when = case(
        (table.state == DeliveryState.SENDING.value, table.run_until),
        (table.unknown, table.due_at),
        else_=None,
    )
    return (
        delete(deliveries)
        .where(
            among(dialect, table.event_id),
            tuple_(table.event_id, table.name).not_in(select(given.c.event_id, given.c.name)),
            NOT_MADE,
        )
        .returning(
            table.event_id,
            table.name,
            table.item,
            (table.generation + case((undone, 1), else_=0)).label("generation"),
            there.label("there"),
            called.label("called"),
            and_(table.undo, ~undone).label("to_undo"),
            when.label("look_at"),
        )
    )


def _select_abandoned(dialect: str) -> Any:
    table = audit.c
    return (
        select(table.id, table.event_id, table.destination, table.detail)
        .where(among(dialect, table.event_id), table.action == _ABANDON)
        .order_by(table.id)
    )


_LOAD, _DROP = Prepared(_select_abandoned), Prepared(_drop)

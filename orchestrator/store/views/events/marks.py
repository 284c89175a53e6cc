"""Marks of events: another one says that an event may look different."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, func, select

from orchestrator.store.database.schema import audit, events

Mark = tuple[object, ...]
"""State, epoch, due time, last update, and the number of the last audit row."""


def marks_of(tx: Connection, ids: Collection[str]) -> dict[str, Mark]:
    """The marks of those events that there are, by their ids."""
    table = events.c
    last = select(func.max(audit.c.id)).where(audit.c.event_id == table.id).scalar_subquery()
    rows = tx.execute(
        select(table.id, table.state, table.epoch, table.due_at, table.updated_at, last).where(
            table.id.in_(sorted(ids))
        )
    )
    return {row[0]: tuple(row[1:]) for row in rows}

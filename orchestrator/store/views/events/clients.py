"""Whose some events are."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from orchestrator.store.database.schema import events

_AT_ONCE = 500


def clients_of_events(tx: Connection, ids: Collection[str]) -> set[str]:
    """The clients that these events belong to."""
    every, table = list(ids), events.c
    found: set[str] = set()
    for at in range(0, len(every), _AT_ONCE):
        chunk = every[at : at + _AT_ONCE]
        found |= set(
            tx.execute(select(table.client).where(table.id.in_(chunk)).distinct()).scalars()
        )
    return found

"""What every view is made of: times as people read them, by the database's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from orchestrator.store.database.clock import now_ms


def now_of(tx: Connection) -> int:
    """The database's time in milliseconds, for those who turn '2h ago' into a time."""
    return tx.execute(select(now_ms())).scalar_one()


def iso(milliseconds: int | None) -> str | None:
    """A time of the store as people read it, where there is one."""
    return None if milliseconds is None else iso_time(milliseconds)


def iso_time(milliseconds: int) -> str:
    """A time of the store, in milliseconds since 1970, as ISO 8601 in UTC.

    >>> iso_time(1_796_000_000_123)
    '2026-11-30T00:53:20.123Z'
    """
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of_clients(
    statement: Select[Any], column: ColumnElement[str], clients: frozenset[str] | None
) -> Select[Any]:
    """The statement, only over rows of these clients; None: of every client."""
    return statement if clients is None else statement.where(column.in_(sorted(clients)))

"""What every view is made of: times as people read them, by the database's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from orchestrator.store.database.clock import now_ms

View = dict[str, Any]


def now_of(tx: Connection) -> int:
    """The database's time in milliseconds, for those who turn '2h ago' into a time."""
    return tx.execute(select(now_ms())).scalar_one()


def iso(milliseconds: int | None) -> str | None:
    """A time of the store as people read it."""
    if milliseconds is None:
        return None
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

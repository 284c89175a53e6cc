"""When clocks are over, by the database's time and the calendars of workflows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from orchestrator.domain.workflows.calendars import Calendar, deadline
from orchestrator.store.database.clock import now_ms

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


def recovery_ms(tx: Connection, seconds: float, calendar: Calendar | None) -> int:
    """How long from now what comes to stand still may stand, in milliseconds.

    A workflow without a calendar costs no statement.
    """
    if calendar is None:
        return int(seconds * 1000)
    now = time_of(tx)
    return in_ms(deadline(now, seconds, calendar)) - in_ms(now)


def time_of(tx: Connection) -> datetime:
    """The database's time."""
    return moment(tx.execute(select(now_ms())).scalar_one())


def moment(milliseconds: int) -> datetime:
    """A time of the store."""
    return _BEGIN + timedelta(milliseconds=milliseconds)


def first_id(at_ms: int) -> str:
    """What no id of an event is below that was accepted later: they begin with their time."""
    return f"{max(at_ms, 0):012x}"


def in_ms(when: datetime) -> int:
    """A time as the store keeps it."""
    return (when - _BEGIN) // timedelta(milliseconds=1)


def in_iso(milliseconds: int) -> str:
    """A time of the store as the audit writes it: ISO 8601 in UTC."""
    return moment(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""The database's clock: no two machines' clocks are ever compared. And when time is over by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from orchestrator.domain.event import TIME_DIGITS
from orchestrator.domain.workflows.hours.calendar import Calendar, deadline

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class now_ms(FunctionElement[int]):  # noqa: N801 - reads as an SQL function
    """Milliseconds since 1970, UTC, by the database's clock."""

    type = BigInteger()
    inherit_cache = True


@compiles(now_ms, "sqlite")
def _sqlite(_element: now_ms, _compiler: SQLCompiler, **_: Any) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"


@compiles(now_ms, "postgresql")
def _postgresql(_element: now_ms, _compiler: SQLCompiler, **_: Any) -> str:
    # statement_timestamp is stable within a statement: clock_timestamp would keep a comparison
    # with it from using an index.
    return "CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)"


def after(seconds: float) -> ColumnElement[int]:
    """The time `seconds` from now, as an SQL expression."""
    return now_ms() + int(seconds * 1000)


def recovery_ms(tx: Connection, seconds: float, calendar: Calendar | None) -> int:
    """How long from now an event that is stopped may stay stopped, in milliseconds.

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
    return f"{max(at_ms, 0):0{TIME_DIGITS}x}"


def in_ms(when: datetime) -> int:
    """A time as the store keeps it."""
    return (when - _BEGIN) // timedelta(milliseconds=1)


def in_iso(milliseconds: int) -> str:
    """A time of the store as the audit writes it: ISO 8601 in UTC."""
    return moment(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")

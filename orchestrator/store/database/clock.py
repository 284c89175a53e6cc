"""The database's clock in SQL, so that no two machines' clocks are ever compared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


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


def after(seconds: float) -> Any:
    """The time `seconds` from now, as an SQL expression."""
    return now_ms() + int(seconds * 1000)

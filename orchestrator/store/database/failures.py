"""What the errors of both databases mean to us: the one place that knows drivers' codes.

A code says whether the store cannot be used now, which whoever asks waits out, or a statement of
ours is wrong, which waiting does not mend.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Any

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from orchestrator.domain.errors import StoreUnavailable

_AWAY = "the store does not answer"
_FULL = "the store is full"
_READ_ONLY = "the store is read-only"
_BUSY = "the store is busy"
_DENIED = "the store refuses this process"
_SCHEMA = "the store lacks a table or column of this release"
_BROKEN = "the store cannot be read"
_CROWDED = "the store takes no more connections"
_POOLED = "the store is behind a pooler that mixes up statements"

# The longest beginning of an SQLSTATE counts (PostgreSQL, appendix A).
_SQLSTATES = {
    "08": _AWAY,
    "25006": _READ_ONLY,
    "26000": _POOLED,
    "28": _DENIED,
    "3D000": _SCHEMA,
    "3F000": _SCHEMA,
    "40": _BUSY,  # a deadlock, a transaction that has to be repeated
    "42501": _DENIED,
    "42703": _SCHEMA,
    "42P01": _SCHEMA,
    "42P05": _POOLED,
    "53": _AWAY,
    "53100": _FULL,
    "53300": _CROWDED,
    "53400": _CROWDED,
    "55": _BUSY,
    "57": _AWAY,
    "57014": _BUSY,  # it took longer than the server allows
    "58": _BROKEN,
    "F0": _BROKEN,
    "XX": _BROKEN,
}

_SQLITE = {
    sqlite3.SQLITE_PERM: _DENIED,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_NOMEM: _AWAY,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_IOERR: _BROKEN,
    sqlite3.SQLITE_CORRUPT: _BROKEN,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: _AWAY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_AUTH: _DENIED,
    sqlite3.SQLITE_NOTADB: _BROKEN,
}
_SERVERS = ("OperationalError", "InterfaceError")
_UNSAID = (OperationalError, InterfaceError, InternalError)
_NO_SUCH = re.compile(r"no such (table|column)|has no column")


def unavailable(error: Exception) -> StoreUnavailable | None:
    """What to raise for an error of the database; None where the fault is a statement of ours."""
    if isinstance(error, PoolTimeout):
        return StoreUnavailable(f"{_CROWDED}: {_line(error)}", reason=_CROWDED)
    cause: Any = error.orig if isinstance(error, DBAPIError) else error
    reason = _reason(error, cause)
    return StoreUnavailable(f"{reason}: {_line(cause)}", reason=reason) if reason else None


def _reason(error: Exception, cause: Any) -> str | None:
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_ERROR and _NO_SUCH.search(str(cause)):
            return _SCHEMA
        return _SQLITE.get(code)
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return next((_SQLSTATES[state[:end]] for end in (5, 2) if state[:end] in _SQLSTATES), None)
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _AWAY
    # The server said nothing: it was not reached, or the connection broke.
    return _AWAY if isinstance(error, _UNSAID) or _is_drivers(error) else None


def _is_drivers(error: Exception) -> bool:
    """Whether psycopg raised it while a connection was opened: SQLAlchemy passes those on."""
    kind = type(error)
    return kind.__module__.startswith("psycopg") and kind.__name__ in (
        "OperationalError",
        "InterfaceError",
    )


def _line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

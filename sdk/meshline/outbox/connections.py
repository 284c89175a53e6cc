"""The applications' connections: how each is given a statement, and whether a transaction is open.

Nothing is imported here: what made a connection is loaded already.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from meshline.errors import MeshlineError

_MARKS = {
    "qmark": "?",
    "format": "%s",
    "numeric": ":{number}",
    "named": ":{name}",
    "pyformat": "%({name})s",
}
"""DB-API's styles of parameters."""

_BY_NAME = frozenset({"named", "pyformat"})
_MYSQL_IN_TRANSACTION = 1  # of the status that a server sends, SERVER_STATUS_IN_TRANS


def insert(
    connection: Any, table: str, row: Mapping[str, str | None], *, paramstyle: str | None
) -> None:
    """Insert a row into a table. Raises MeshlineError where it would not be in a transaction."""
    given = getattr(connection, "dbapi_connection", connection)  # of a pool of SQLAlchemy
    roots = set(_roots(given))
    _check_synchronous(given)
    _check_transaction(given, roots)
    if "sqlalchemy" in roots:
        text = sys.modules["sqlalchemy"].text
        given.execute(text(_statement(table, row, "named")), dict(row))
        return
    style = paramstyle or ("format" if "django" in roots else style_of(given))
    statement = _statement(table, row, style)
    cursor = given.cursor()
    try:
        cursor.execute(statement, dict(row) if style in _BY_NAME else list(row.values()))
    finally:
        cursor.close()


def style_of(connection: Any) -> str:
    """How the driver of a connection writes parameters. Raises MeshlineError if nobody says."""
    for kind in type(connection).__mro__:
        parts = kind.__module__.split(".")
        for end in range(len(parts), 0, -1):
            module = sys.modules.get(".".join(parts[:end]))
            style = getattr(module, "paramstyle", None)
            if style in _MARKS:
                return str(style)
    raise MeshlineError(
        f"connection: {type(connection).__name__} is not a connection of SQLAlchemy, Django or"
        " DB-API; if it is, name its paramstyle=…"
    )


def with_marks(statement: str, style: str) -> str:
    """A statement whose parameters are written `?`, in another style that counts them."""
    parts = statement.split("?")
    marks = [_MARKS[style].format(number=number) for number in range(1, len(parts))]
    pairs = zip(parts, [*marks, ""])
    return "".join(part + mark for part, mark in pairs)


def _statement(table: str, row: Mapping[str, str | None], style: str) -> str:
    if style not in _MARKS:
        raise MeshlineError(f"paramstyle: {style!r} is not one of {', '.join(_MARKS)}")
    marks = (_MARKS[style].format(number=at, name=name) for at, name in enumerate(row, 1))
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(marks)})"  # noqa: S608


def _roots(connection: Any) -> Iterator[str]:
    """The packages that a connection and what it is derived from are of."""
    for kind in type(connection).__mro__:
        yield kind.__module__.partition(".")[0]


def _check_synchronous(connection: Any) -> None:
    """A coroutine that nobody awaits would insert nothing, and say nothing."""
    methods = (getattr(connection, name, None) for name in ("execute", "commit"))
    if any(inspect.iscoroutinefunction(one) for one in methods):
        raise MeshlineError(
            f"connection: {type(connection).__name__} is asynchronous; of SQLAlchemy, call"
            " `await session.run_sync(outbox.add, …)`"
        )


def _check_transaction(connection: Any, roots: set[str]) -> None:
    """Whatever commits each statement by itself would part the event from its business row."""
    if _is_open(connection, roots):
        return
    fix = "open one first"
    if "django" in roots:
        fix = "call it inside `with transaction.atomic():`, or set ATOMIC_REQUESTS"
    raise MeshlineError(f"connection: it is in autocommit, so no transaction is open; {fix}")


def _is_open(connection: Any, roots: set[str]) -> bool:
    """Whether a transaction is open, or opens with the next statement."""
    if "django" in roots:
        return bool(connection.in_atomic_block) or not connection.get_autocommit()
    if "sqlalchemy" in roots:
        options = getattr(connection, "get_execution_options", None)  # a session has none
        return options is None or options().get("isolation_level") != "AUTOCOMMIT"
    if "sqlite3" in roots:
        by_itself = connection.isolation_level is None or (
            getattr(connection, "autocommit", None) is True
        )
        return bool(connection.in_transaction) or not by_itself
    if roots & {"psycopg", "psycopg2"}:
        return not connection.autocommit or bool(connection.info.transaction_status)
    if "pymysql" in roots:
        running = connection.server_status & _MYSQL_IN_TRANSACTION
        return not connection.get_autocommit() or bool(running)
    if "MySQLdb" in roots:
        return not connection.get_autocommit() or _server_says_open(connection)
    return True  # another driver: DB-API says that it opens one by itself


def _server_says_open(connection: Any) -> bool:
    """What MariaDB says of a connection whose driver does not know; MySQL cannot be asked."""
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT @@in_transaction")
        return bool(cursor.fetchone()[0])
    except Exception:  # noqa: BLE001 - the driver's own, which is not imported here
        return False
    finally:
        cursor.close()

"""The forwarder's own connection to the application's database, by its address."""

from __future__ import annotations

import importlib
import re
import socket
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from meshline.errors import MeshlineError
from meshline.outbox.connections import with_marks
from meshline.outbox.dialects import DIALECTS, Dialect

_SCHEMES = {
    "sqlite": "sqlite",
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "postgis": "postgresql",
    "mysql": "mariadb",
    "mariadb": "mariadb",
}
_DRIVERS = {"postgresql": ("psycopg", "psycopg2"), "mariadb": ("pymysql", "MySQLdb")}
_PACKAGES = {"MySQLdb": "mysqlclient"}
_CONNECT_SECONDS = 10
_BUSY_SECONDS = 10.0  # that SQLite waits while the application writes
_NO_TABLE = re.compile(r"no such table|relation .* does not exist|Table .* doesn't exist")
_MYSQL_OPTIONS = {"unix_socket", "ssl_ca"}


class DatabaseFailed(MeshlineError):
    """Raised when the application's database does not answer, or has no outbox."""


@dataclass(frozen=True)
class Answer:
    """What a statement gave."""

    rows: Sequence[tuple[Any, ...]]
    count: int  # of the rows that it changed


class Database:
    """One connection, opened when it is needed and again after a failure.

    Each statement is a transaction of its own: nothing stays locked while the door is asked.
    """

    def __init__(self, url: str) -> None:
        """`url` is sqlite:///FILE, postgresql://… or mariadb://…, as SQLAlchemy writes it.

        Raises MeshlineError where it is none of these, or no driver is installed.
        """
        try:
            parts = urlsplit(url)
            _ = parts.port
        except ValueError as error:
            raise MeshlineError(f"database: it is not an address: {error}") from None
        scheme = parts.scheme.partition("+")[0]
        if scheme not in _SCHEMES:
            raise MeshlineError(
                f"database: {scheme or 'it'!r} is not sqlite, postgresql, mysql or mariadb;"
                " write sqlite:///app.db, postgresql://… or mariadb://…"
            )
        self.dialect: Dialect = DIALECTS[_SCHEMES[scheme]]
        self._driver, self._connect = _opener(self.dialect.name, url)
        self.place = _place(self.dialect.name, parts)
        self._connection: Any | None = None

    def run(self, statement: str, *values: object) -> Answer:
        """Run one statement, whose parameters are written `?`, and commit it.

        Raises DatabaseFailed, after which the next statement connects anew.
        """
        try:
            if self._connection is None:
                self._connection = self._connect()
            return self._run(self._connection, statement, values)
        except self._driver.Error as error:
            self.close()
            raise DatabaseFailed(f"the database failed: {_said(error)}") from error

    def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(self._driver.Error):
                connection.close()

    def _run(self, connection: Any, statement: str, values: Sequence[object]) -> Answer:
        cursor = connection.cursor()
        try:
            # Without parameters a driver leaves a % in a statement as it is.
            given = (with_marks(statement, self._style), list(values)) if values else (statement,)
            cursor.execute(*given)
            rows = cursor.fetchall() if cursor.description else ()
            answer = Answer(rows=[tuple(one) for one in rows], count=cursor.rowcount)
        finally:
            cursor.close()
        connection.commit()
        return answer

    @property
    def _style(self) -> str:
        return "qmark" if self.dialect.name == "sqlite" else "format"


def _place(dialect: str, parts: SplitResult) -> str:
    """Which database it is, without the login."""
    if dialect == "sqlite":
        return f"{socket.gethostname()} {Path(parts.path.removeprefix('/')).absolute()}"
    return f"{dialect} {parts.hostname} {parts.port} {parts.path}"


def _said(error: Exception) -> str:
    """The first line of what a driver says, and what to do where there is no outbox."""
    whole = error.args[-1] if error.args else ""  # before it, PyMySQL has a number
    said = str(whole).strip().partition("\n")[0] or type(error).__name__
    fix = "; `python -m meshline.outbox create` makes it" if _NO_TABLE.search(said) else ""
    return f"{said}{fix}"


def _opener(dialect: str, url: str) -> tuple[ModuleType, Callable[[], Any]]:
    if dialect == "sqlite":
        return sqlite3, _of_sqlite(url)
    driver = _driver(dialect, urlsplit(url).scheme.partition("+")[2])
    if dialect == "mariadb":
        options = _mysql_options(urlsplit(url))
        return driver, lambda: driver.connect(connect_timeout=_CONNECT_SECONDS, **options)
    address = f"postgresql://{url.partition('://')[2]}"
    return driver, lambda: _of_postgresql(driver, address)


def _driver(dialect: str, wanted: str) -> ModuleType:
    """The driver that the address names, else the first that is installed."""
    named = [one for one in _DRIVERS[dialect] if one.lower() == wanted.lower()]
    for name in named or _DRIVERS[dialect]:
        with suppress(ImportError):
            return importlib.import_module(name)
    first, second = (_PACKAGES.get(one, one) for one in _DRIVERS[dialect])
    raise MeshlineError(f"there is no driver for {dialect}: install {first} or {second}")


def _of_sqlite(url: str) -> Callable[[], Any]:
    file = unquote(url.partition("://")[2].removeprefix("/").partition("?")[0])
    if not file:
        raise MeshlineError("database: name its file: sqlite:///app.db, or sqlite:////var/app.db")

    def connect() -> sqlite3.Connection:
        if not Path(file).is_file():
            raise sqlite3.OperationalError(f"there is no file {file}")
        # An address with a wrong letter is not to make an empty database.
        quoted = file.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
        return sqlite3.connect(f"file:{quoted}?mode=rw", uri=True, timeout=_BUSY_SECONDS)

    return connect


def _of_postgresql(driver: ModuleType, address: str) -> Any:
    connection = driver.connect(address, connect_timeout=_CONNECT_SECONDS)
    if hasattr(connection, "prepare_threshold"):
        connection.prepare_threshold = None  # a pooler may give each transaction another session
    return connection


def _mysql_options(parts: SplitResult) -> dict[str, Any]:
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    options.pop("charset", None)
    if unknown := options.keys() - _MYSQL_OPTIONS:
        known = " and ".join(sorted(_MYSQL_OPTIONS))
        raise MeshlineError(f"database: {min(unknown)} is not an option here; {known} are")
    options["host"] = parts.hostname or "localhost"
    options["port"] = parts.port or 3306
    options["user"] = unquote(parts.username or "")
    options["password"] = unquote(parts.password or "")
    options["database"] = unquote(parts.path.lstrip("/"))
    options["charset"] = "utf8mb4"
    return options

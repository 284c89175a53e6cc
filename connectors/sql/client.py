"""Rows in a database, and what each thing that can go wrong means.

It is the only connector that knows SQLAlchemy, and is imported by the first row. Up to the commit
nothing is stored; an answer that is lost in the commit leaves the outcome unknown.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    bindparam,
    column,
    create_engine,
    delete,
    insert,
    select,
    table,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.sql.expression import ColumnElement, TableClause
from sqlalchemy.types import NullType

from connectors.definition.references import UnresolvedReference
from orchestrator.domain.errors import (
    ConnectorError,
    DestinationRefused,
    DestinationUnavailable,
    NotReached,
    OutcomeUnknown,
    Unauthorized,
)
from orchestrator.domain.text.masking import address_spellings, masked, pair_spellings

_PATIENCE_SECONDS = 5  # for a connection, and for a lock
_STATEMENT_SECONDS = 30
_EXCERPT = 200  # characters of the database's words that an error quotes
_UNTYPED = (
    NullType()
)  # the database knows its columns' types; a cast of ours would only be in the way

_Result = TypeVar("_Result")


class Database:
    """One database, by a bounded pool, with its blocking driver in threads of its own."""

    def __init__(self, url: str, *, connections: int) -> None:
        address = address_of(url)
        password = str(address.password or "")
        self.masks = address_spellings(url) | pair_spellings(address.username or "", password)
        self._engine = create_engine(
            address,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=_PATIENCE_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args=_patience(address),
        )
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="sql")

    async def put(
        self, name: str, unique: str, values: Mapping[str, object], *, change: bool
    ) -> None:
        """Write a row; one that is there already is left, or with `change` changed."""
        await self._do(lambda: self._put(name, unique, values, change=change))

    async def get(
        self, name: str, unique: str, value: object, columns: Sequence[str]
    ) -> Mapping[str, Any] | None:
        """The one row with this value, or None."""
        return await self._do(lambda: self._get(name, unique, value, columns))

    async def delete(self, name: str, unique: str, value: object) -> None:
        """Delete the row with this value, if it is there."""
        rows = _table(name, [unique])
        await self._do(lambda: self._write(delete(rows).where(_is(rows, unique, value))))

    def close(self) -> None:
        """Give the connections back; what still runs ends by its own bound."""
        self._threads.shutdown(wait=False)
        self._engine.dispose()

    async def _do(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _put(self, name: str, unique: str, values: Mapping[str, object], *, change: bool) -> None:
        if change and self._change(name, unique, values):
            return
        rows = _table(name, list(values))
        try:
            self._write(insert(rows).values(_bound(values)))
        except _NotUnique as error:
            there = (
                self._change(name, unique, values)
                if change
                else self._get(name, unique, values[unique], [unique])
            )
            if not there:
                raise DestinationRefused(f"the table refuses the row: {error}") from None

    def _change(self, name: str, unique: str, values: Mapping[str, object]) -> bool:
        rows = _table(name, list(values))
        statement = update(rows).where(_is(rows, unique, values[unique]))
        return self._write(statement.values(_bound(values))) > 0

    def _get(
        self, name: str, unique: str, value: object, columns: Sequence[str]
    ) -> Mapping[str, Any] | None:
        rows = _table(name, [unique, *columns])
        wanted = select(*(rows.c[one] for one in dict.fromkeys(columns)))
        with self._connected() as connection:
            found = connection.execute(wanted.where(_is(rows, unique, value)).limit(2)).mappings()
            records = found.all()
        if len(records) > 1:
            raise DestinationRefused(f"{unique} is not unique: several rows have what was sent")
        return dict(records[0]) if records else None

    def _write(self, statement: Any) -> int:
        """How many rows it wrote, committed; never more than one."""
        with self._connected() as connection:
            count: int = connection.execute(statement).rowcount
            if count > 1:
                raise DestinationRefused(f"{count} rows have what should be unique")
            try:
                connection.commit()
            except IntegrityError:
                raise  # a constraint that is checked only now; nothing was stored
            except SQLAlchemyError as error:
                raise OutcomeUnknown(f"no answer to the commit ({self._said(error)})") from None
        return count

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            opened = self._engine.connect()
        except SQLAlchemyError as error:
            found = self._nothing_stored(error)
            raise (found if found.permanent else NotReached(str(found))) from None
        try:
            with opened as connection:
                yield connection
        except IntegrityError as error:
            raise _NotUnique(self._said(error)) from None
        except SQLAlchemyError as error:
            raise self._nothing_stored(error) from None

    def _nothing_stored(self, error: SQLAlchemyError) -> ConnectorError:
        text = f"the database said: {self._said(error)}"
        if "authentication failed" in text:
            return Unauthorized(f"{text} (unauthorized: check the connector's url)")
        wrong = isinstance(error, ProgrammingError | DataError) or _is_unknown_name(error)
        return DestinationRefused(text) if wrong else DestinationUnavailable(text)

    def _said(self, error: SQLAlchemyError) -> str:
        """The database's first words: no statement, no values, no secrets."""
        origin = error.orig if isinstance(error, DBAPIError) and error.orig else error
        words = masked(" ".join(str(origin).split("\n")[0].split()), self.masks)
        return words[:_EXCERPT] or type(origin).__name__


class _NotUnique(Exception):
    """Raised when a constraint of the table refuses a row."""


def address_of(url: str) -> URL:
    """The address, whose driver is installed. Raises UnresolvedReference, without the secret."""
    try:
        address = make_url(url)
        if address.drivername in ("postgresql", "postgres"):
            address = address.set(drivername="postgresql+psycopg")
        address.get_dialect().import_dbapi()
    except (NoSuchModuleError, ImportError):
        text = f"the driver for {address.drivername} is not installed here"
        raise UnresolvedReference(text) from None
    except (ArgumentError, ValueError):
        raise UnresolvedReference("url leads to something that is not a database address") from None
    return address


def _patience(address: URL) -> dict[str, Any]:
    """How long the driver itself may wait; of others than these two the pool alone is bounded."""
    backend = address.get_backend_name()
    if backend == "sqlite":
        return {"timeout": _PATIENCE_SECONDS}
    if backend == "postgresql" and "options" not in address.query:
        bounds = {"statement_timeout": _STATEMENT_SECONDS, "lock_timeout": _PATIENCE_SECONDS}
        options = " ".join(f"-c {name}={seconds * 1000}" for name, seconds in bounds.items())
        return {"connect_timeout": _PATIENCE_SECONDS, "options": options}
    return {}


def _table(name: str, columns: Sequence[str]) -> TableClause:
    schema, _, plain = name.rpartition(".")
    wanted = [column(one, _UNTYPED) for one in dict.fromkeys(columns)]
    return table(plain, *wanted, schema=schema or None)


def _bound(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: bindparam(None, value, type_=_UNTYPED) for name, value in values.items()}


def _is(rows: TableClause, name: str, value: object) -> ColumnElement[bool]:
    return rows.c[name] == bindparam(None, value, type_=_UNTYPED)


def _is_unknown_name(error: SQLAlchemyError) -> bool:
    """SQLite tells a table that is not there as it tells a disk that is full."""
    origin = error.orig if isinstance(error, DBAPIError) else None
    return (
        isinstance(origin, sqlite3.OperationalError)
        and origin.sqlite_errorcode == sqlite3.SQLITE_ERROR
    )

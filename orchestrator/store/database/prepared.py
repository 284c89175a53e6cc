"""Statements that are built and compiled once; only their values change.

Building a statement and finding it in SQLAlchemy's cache takes longer than running it, and an event
alone in its group pays for every one of them. A list is one value: JSON text on SQLite, an array on
PostgreSQL, so that a statement's text is the same for 1 event and for 200.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, Connection, Dialect, Text, bindparam, column, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.sql.expression import ColumnElement, Executable
from sqlalchemy.sql.selectable import Subquery

_TYPES: dict[type, Any] = {str: Text(), int: BigInteger(), bool: Boolean()}


class Prepared:
    """A statement with named parameters; `build` takes the dialect's name."""

    def __init__(self, build: Callable[[str], Executable]) -> None:
        self._build = build
        self._ready: dict[str, _Ready] = {}

    def run(self, tx: Connection, **values: object) -> CursorResult[*tuple[Any, ...]]:
        """Execute it with these values of its parameters."""
        dialect = tx.dialect
        ready = self._ready.get(dialect.name)
        if ready is None:
            ready = self._ready[dialect.name] = _compiled(self._build(dialect.name), dialect)
        return tx.exec_driver_sql(ready.text, ready.arguments(values))


@dataclass(frozen=True, kw_only=True)
class _Ready:
    text: str
    fixed: Mapping[str, Any]  # values that the statement itself holds
    places: Sequence[str] | None  # the order of the values, where they go by place

    def arguments(self, values: Mapping[str, Any]) -> Any:
        if self.places is None:
            return {**self.fixed, **values}
        given = {**self.fixed, **values}
        return tuple(_as_text(given[name]) for name in self.places)


def _compiled(statement: Any, dialect: Dialect) -> _Ready:
    compiled = statement.compile(dialect=dialect)
    if "__[POSTCOMPILE" in str(compiled):
        raise ValueError("a prepared statement has a list: give it with `among`")
    return _Ready(
        text=_binary_texts(str(compiled)), fixed=compiled.params, places=compiled.positiontup
    )


def _binary_texts(statement: str) -> str:
    # psycopg quotes each text of a list, character by character, unless it may send it as it is:
    # 200 ids cost it a quarter of the time then, 200 payloads a hundredth.
    return _TEXTS.sub(r"%(\1)b::TEXT[]", statement)


_TEXTS = re.compile(r"%\((\w+)\)s::TEXT\[\]")


def _as_text(value: Any) -> Any:
    return orjson.dumps(value).decode() if isinstance(value, list) else value


def among(dialect: str, one: ColumnElement[Any], name: str = "ids") -> ColumnElement[bool]:
    """That `one` is in the list of texts that the parameter `name` holds."""
    source = "SELECT value FROM json_each(:{0})" if dialect == "sqlite" else "SELECT unnest(:{0})"
    given = text(source.format(name)).bindparams(bindparam(name, type_=_list_of(dialect, str)))
    return one.in_(given.columns(column("value", Text())))


def rows_of(dialect: str, **columns: type) -> Subquery:
    """A table of given rows, for joins, `INSERT … SELECT` and `UPDATE … FROM`.

    `columns` are str, int or bool by name; `row_values` turns tuples into the parameters.
    """
    if dialect == "sqlite":
        parts = (f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(columns))
        source = text(f"SELECT {', '.join(parts)} FROM json_each(:given)")  # noqa: S608 - our names
    else:
        places = ", ".join(f":given_{name}" for name in columns)
        unnested = f"unnest({places}) AS given({', '.join(columns)})"
        source = text(f"SELECT * FROM {unnested}").bindparams(  # noqa: S608 - our names
            *(bindparam(f"given_{name}", type_=_list_of(dialect, kind))
              for name, kind in columns.items())
        )  # fmt: skip
    return source.columns(*(column(name, _TYPES[kind]) for name, kind in columns.items())).subquery(
        "given"
    )


def row_values(
    tx: Connection, names: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> dict[str, object]:
    """The parameters of `rows_of` for these rows; any value may be None."""
    if tx.dialect.name == "sqlite":
        return {"given": [tuple(row) for row in rows]}
    return {f"given_{name}": [row[at] for row in rows] for at, name in enumerate(names)}


def _list_of(dialect: str, kind: type) -> Any:
    if dialect == "sqlite":
        return Text()
    from sqlalchemy.dialects.postgresql import ARRAY  # not loaded for SQLite

    return ARRAY(_TYPES[kind])


def storable(text: str) -> str:
    """A text from outside as both databases take it: PostgreSQL refuses U+0000."""
    return text.replace("\0", "\ufffd")

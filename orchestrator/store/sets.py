"""Many values in one parameter: a group's statement costs the same for 1 event and for 200.

SQLite takes them as a JSON text, PostgreSQL as arrays; the statement's own text never changes with
their number, so it is compiled and planned once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import BigInteger, Boolean, Connection, Text, bindparam, column, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.expression import SelectBase
from sqlalchemy.sql.selectable import Subquery

_TYPES: dict[type, tuple[str, Any]] = {
    str: ("text", Text()),
    int: ("bigint", BigInteger()),
    bool: ("boolean", Boolean()),
}


def id_set(tx: Connection, ids: Sequence[str]) -> SelectBase:
    """A select of these ids, for `column.in_(…)`."""
    if tx.dialect.name == "sqlite":
        source = text("SELECT value FROM json_each(:ids)").bindparams(
            bindparam("ids", _json(list(ids)), unique=True)
        )
    else:
        source = text("SELECT unnest(:ids)").bindparams(
            bindparam("ids", list(ids), ARRAY(Text()), unique=True)
        )
    return source.columns(column("value", Text()))


def row_set(tx: Connection, rows: Sequence[tuple[Any, ...]], **columns: type) -> Subquery:
    """A table of these rows, for joins, `INSERT … SELECT` and `UPDATE … FROM`.

    `columns` are the tuples' places by name, each str, int or bool; any value may be None.
    """
    names = list(columns)
    shown = [column(name, _TYPES[kind][1]) for name, kind in columns.items()]
    if tx.dialect.name == "sqlite":
        parts = ", ".join(
            f"json_extract(value, '$[{at}]') AS {name}" for at, name in enumerate(names)
        )
        source = text(f"SELECT {parts} FROM json_each(:rows)").bindparams(
            bindparam("rows", _json(rows), unique=True)
        )
    else:
        parts = ", ".join(f":{name}" for name in names)
        source = text(f"SELECT * FROM unnest({parts}) AS given({', '.join(names)})").bindparams(
            *(
                bindparam(name, [row[at] for row in rows], ARRAY(_TYPES[kind][1]), unique=True)
                for at, (name, kind) in enumerate(columns.items())
            )
        )
    return source.columns(*shown).subquery("given")


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()

"""The metadata that all tables are in, and what several of them use in a column or an index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Index, Integer, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER key


def partial_index(
    name: str, *columns: ColumnElement[Any] | str, where: str, unique: bool = False
) -> Index:
    """An index over only the rows for which an SQL condition is true."""
    # PostgreSQL's option is set aside: by its own name it would load PostgreSQL's dialect.
    only = {"postgresql_where": text(where)}
    return Index(name, *columns, unique=unique, sqlite_where=text(where), info=only)

"""The metadata that all tables are in, and what several of them use in a column or an index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Integer, MetaData, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only an INTEGER key


def only_where(condition: str) -> dict[str, Any]:
    """The options of an index over only the rows for which an SQL condition is true."""
    # PostgreSQL's option is set aside: by its own name it would load PostgreSQL's dialect.
    return {"sqlite_where": text(condition), "info": {"postgresql_where": text(condition)}}

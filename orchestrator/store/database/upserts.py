"""`INSERT … ON CONFLICT`, which each database has in a dialect of its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table


def upsert(dialect: str, table: Table) -> Any:
    """An insert with `on_conflict_do_…`, for the dialect of this name.

    Only the dialect that is used is loaded: PostgreSQL's alone takes a tenth of a listing's time.
    """
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert
    else:
        from sqlalchemy.dialects.postgresql import insert  # type: ignore[assignment]
    return insert(table)

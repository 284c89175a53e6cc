"""PostgreSQL's types of text search, by their names: its dialect is not loaded for SQLite."""

from __future__ import annotations

from typing import Any

from sqlalchemy.types import UserDefinedType


class TextSearchVector(UserDefinedType[Any]):
    """What an index of words holds."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in SQL."""
        return "TSVECTOR"


class TextSearchQuery(UserDefinedType[Any]):
    """What is looked for in it."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Its name in SQL."""
        return "TSQUERY"

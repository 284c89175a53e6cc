"""Databases seen from outside, by looks that cost and count next to nothing."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any, Protocol

import psycopg


class Watch(Protocol):
    """A database under measure."""

    def ask(self, question: str, *values: object) -> Any:
        """The first value of the first row; None where there is no row. `?` is a parameter."""

    def commits(self) -> int:
        """Transactions that wrote, since some beginning."""

    def close(self) -> None:
        """Stop watching."""


def watch(url: str) -> Watch:
    """Watch the database at an address."""
    if url.startswith("sqlite"):
        return SqliteWatch(Path(url.removeprefix("sqlite:///")))
    return PostgresWatch(url)


class SqliteWatch:
    """A reader of the file."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._index = path.with_name(path.name + "-shm")

    def ask(self, question: str, *values: object) -> Any:
        """See Watch."""
        row = self._connection.execute(question, values).fetchone()
        return row[0] if row else None

    def commits(self) -> int:
        """See Watch: the index of the write-ahead log counts them, in its bytes 8 to 11."""
        with self._index.open("rb") as file:
            file.seek(8)
            return int.from_bytes(file.read(4), sys.byteorder)

    def close(self) -> None:
        """See Watch."""
        self._connection.close()


class PostgresWatch:
    """One connection, and one transaction for all its looks, which so add no commit.

    At READ COMMITTED each look sees what is committed by then. Asked with its values in the text,
    it leaves no portal open, whose snapshot would keep the dead rows of all others in their pages.
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, cursor_factory=psycopg.ClientCursor)
        self._ask("SET LOCAL enable_seqscan = off")  # a look must not walk over every event

    def ask(self, question: str, *values: object) -> Any:
        """See Watch."""
        row = self._ask(question.replace("?", "%s"), *values).fetchone()
        return row[0] if row else None

    def commits(self) -> int:
        """See Watch: each transaction that wrote took a number, at once and in order."""
        number = self.ask("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        return int(number)

    def close(self) -> None:
        """See Watch."""
        self._connection.close()

    def _ask(self, question: str, *values: object) -> psycopg.Cursor[Any]:
        return self._connection.execute(question.encode(), values)

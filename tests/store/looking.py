"""Looking for a text in all that a store keeps: in every column, and on SQLite in its files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import inspect, text

from orchestrator.store.database.engine import Store


def columns_with(store: Store, planted: Iterable[str]) -> list[str]:
    """Where any of the planted texts is: table, column and text, whatever the text's case."""
    wanted = [one.casefold() for one in planted]
    found = []
    with store.read() as tx:
        for table in inspect(tx).get_table_names():
            for row in tx.execute(text(f'SELECT * FROM "{table}"')).mappings():
                for name, value in row.items():
                    held = _as_text(value).casefold()
                    found += [f"{table}.{name}: {one}" for one in wanted if one in held]
    return sorted(set(found))


def _as_text(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode(errors="backslashreplace")
    return str(value)


def files_with(store: Store, planted: Iterable[str]) -> list[str]:
    """Which bytes of SQLite's files hold any of them: the database, its log, its shared memory."""
    file = Path(str(store.url.database))
    found = []
    for path in sorted(file.parent.glob(f"{file.name}*")):
        held = path.read_bytes().lower()
        found += [f"{path.name}: {one}" for one in planted if one.lower().encode() in held]
    return found

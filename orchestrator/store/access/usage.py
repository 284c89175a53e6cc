"""How much each key and each source has sent on a day of UTC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Column, Connection, Table, cast, delete, select
from sqlalchemy import Integer as WholeNumber

from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import key_usage, source_usage
from orchestrator.store.database.upserts import upsert

DAY_MS = 86_400_000


def add_usage_of_keys(tx: Connection, sent: Mapping[str, int]) -> dict[str, int]:
    """Add triggers to what keys, by id, have sent today; what each has sent through all doors."""
    return _add(tx, key_usage, key_usage.c.key_id, sent)


def add_usage_of_sources(tx: Connection, sent: Mapping[str, int]) -> dict[str, int]:
    """Add events to what sources, by name, have sent today; the same."""
    return _add(tx, source_usage, source_usage.c.source, sent)


def _add(
    tx: Connection, usage: Table, name: Column[Any], sent: Mapping[str, int]
) -> dict[str, int]:
    """Rows are written in one order: two doors do not wait for each other.

    Rows from before yesterday are deleted.
    """
    table = usage.c
    today = tx.execute(select(cast(now_ms() // DAY_MS, WholeNumber))).scalar_one()
    found: dict[str, int] = {}
    for one in sorted(sent):
        row = {name.name: one, "day": today, "events": sent[one]}
        named = upsert(tx.dialect.name, usage).values(row)
        added = named.on_conflict_do_update(
            index_elements=[name, table.day],
            set_={"events": table.events + named.excluded.events},
        )
        found[one] = tx.execute(added.returning(table.events)).scalar_one()
        tx.execute(delete(usage).where(name == one, table.day < today - 1))
    return found

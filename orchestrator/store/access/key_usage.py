"""How much each key has sent on a day of UTC."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, cast, delete, select
from sqlalchemy import Integer as WholeNumber

from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import key_usage
from orchestrator.store.database.upserts import upsert

DAY_MS = 86_400_000


def add_usage(tx: Connection, sent: Mapping[str, int]) -> dict[str, int]:
    """Add triggers to what keys have sent today; what each has sent by now, over all doors.

    The keys are written in one order: two doors do not wait for each other. Rows from
    before yesterday are deleted.
    """
    table = key_usage.c
    today = tx.execute(select(cast(now_ms() // DAY_MS, WholeNumber))).scalar_one()
    found: dict[str, int] = {}
    for key in sorted(sent):
        named = upsert(tx.dialect.name, key_usage).values(key_id=key, day=today, events=sent[key])
        added = named.on_conflict_do_update(
            index_elements=[table.key_id, table.day],
            set_={"events": table.events + named.excluded.events},
        )
        found[key] = tx.execute(added.returning(table.events)).scalar_one()
        tx.execute(delete(key_usage).where(table.key_id == key, table.day < today - 1))
    return found

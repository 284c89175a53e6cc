"""Who saw personal values of which event: a row of the audit, at most one an hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.locks import hold_reader
from orchestrator.store.database.schema import audit as rows

SEE = "see_personal_data"
"""The action of such a row."""

HOUR = 3_600_000  # milliseconds
_CHUNK = 500


def add_sightings(tx: Connection, ids: Sequence[str], *, actor: str, every: int = HOUR) -> int:
    """Write down that an actor saw these events' personal values; how many rows that took.

    What has a row of the last `every` milliseconds gets none.
    """
    hold_reader(tx, actor)  # the same look twice at once is one row
    written = 0
    for at in range(0, len(ids), _CHUNK):
        chunk = list(ids[at : at + _CHUNK])
        lately = set(tx.execute(_seen_lately(chunk, actor, every)).scalars())
        new = [one for one in chunk if one not in lately]
        audit.record_moves(tx, new, actor=actor, action=SEE, source=None, target=None)
        written += len(new)
    return written


def _seen_lately(ids: Sequence[str], actor: str, every: int) -> Select[Any]:
    return select(rows.c.event_id).where(
        rows.c.event_id.in_(ids),
        rows.c.actor == actor,
        rows.c.action == SEE,
        rows.c.at > now_ms() - every,
    )

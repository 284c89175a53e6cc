"""Taking a discard back: the event is in quarantine again, as it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.schema import events, payloads
from orchestrator.store.ordering import lines
from orchestrator.store.quarantine.moves import move_events
from orchestrator.store.quarantine.payload_index import index_words
from orchestrator.store.quarantine.stays import restore_stays

ERASED = "it was erased: nothing of it is left to restore"
FORGOTTEN = "retention emptied it: nothing of it is left to restore"


@dataclass(frozen=True, kw_only=True)
class Back:
    """What one transaction took back."""

    ids: Sequence[str]
    incidents: Sequence[int]  # that opened again for it


def emptied(tx: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Those of these events whose payload is gone, and in words what took it."""
    rows = tx.execute(
        select(events.c.id, events.c.erased_at)
        .join(payloads, payloads.c.event_id == events.c.id, isouter=True)
        .where(events.c.id.in_(ids), payloads.c.event_id.is_(None))
    )
    return {row.id: FORGOTTEN if row.erased_at is None else ERASED for row in rows}


def bodies(tx: Connection, ids: Sequence[str]) -> dict[str, str]:
    """The payloads of these events as they came, as JSON texts."""
    kept = select(payloads.c.event_id, payloads.c.body).where(payloads.c.event_id.in_(ids))
    return {row.event_id: row.body for row in tx.execute(kept)}


def restore(tx: Connection, ids: Sequence[str], *, why: str, actor: str) -> Back:
    """Put discarded events back in quarantine with reason, owner and deadline as they were.

    Those that are not discarded, or are emptied, are left alone.
    """
    hold_events(tx, ids)  # an erasure, retention or another person may be at them
    gone = emptied(tx, ids)
    moved = move_events(
        tx,
        [one for one in ids if one not in gone],
        move=Move.RESTORE,
        source=State.DISCARDED,
        actor=actor,
        detail={"why": why},
    )
    incidents = restore_stays(tx, moved, actor=actor)
    if moved:
        index_words(tx, moved)
        lines.come_back(tx, moved)
    return Back(ids=moved, incidents=incidents)

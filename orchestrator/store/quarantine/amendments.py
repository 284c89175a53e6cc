"""What people made of payloads in quarantine: seen, compared, and taken back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from orchestrator.domain.lifecycle import Move, State
from orchestrator.store.database.schema import payloads
from orchestrator.store.quarantine.moves import move_events


def digests_of_amended(tx: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Of those events that are amended, a digest of what the amendment made."""
    table = payloads.c
    rows = tx.execute(
        select(table.event_id, table.amended).where(
            table.event_id.in_(ids), table.amended.is_not(None)
        )
    )
    return {row[0]: hashlib.blake2b(row[1].encode(), digest_size=16).hexdigest() for row in rows}


def take_back(tx: Connection, ids: Sequence[str], *, actor: str) -> list[str]:
    """Remove amendments, so that the payloads are as they came; answers the events that moved."""
    moved = move_events(
        tx,
        list(ids),
        move=Move.AMEND,
        source=State.QUARANTINED,
        actor=actor,
        detail={"reset": True},
    )
    if moved:
        table = payloads.c
        tx.execute(update(payloads).where(table.event_id.in_(moved)).values(amended=None))
    return moved

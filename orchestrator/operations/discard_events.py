"""Discard quarantined events: a person gives them up, and says why."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.errors import Refused
from orchestrator.operations.select_events import left_alone, missing, selected_chunks
from orchestrator.store.engine import Store
from orchestrator.store.quarantine import discard
from orchestrator.store.selection import Selection


@dataclass(frozen=True, kw_only=True)
class Discarded:
    """What a discard did."""

    ids: tuple[str, ...]
    skipped: tuple[dict[str, object], ...]


def discard_events(store: Store, selection: Selection, *, why: str, actor: str) -> Discarded:
    """Give quarantined events up for good. Raises Refused without a `why`, NotFound."""
    if not why.strip():
        raise Refused("a discard needs a reason", field="why", fix="give --why 'the reason'")
    found, skipped = selected_chunks(store, selection)
    ids: list[str] = []
    for chunk in found:
        with store.write() as tx:
            moved = discard(tx, chunk, why=why.strip(), actor=actor)
            skipped += left_alone(tx, missing(chunk, moved))
        ids += moved
    return Discarded(ids=tuple(ids), skipped=tuple(skipped))

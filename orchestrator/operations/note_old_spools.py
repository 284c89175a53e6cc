"""Open and resolve the incidents of producers' spools, by what producers said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.incidents.causes import old_spool_cause
from orchestrator.store.clocks.old_spools import close_spool, open_spool, open_spools
from orchestrator.store.database.engine import Store


@dataclass(frozen=True, kw_only=True)
class HeardSpool:
    """What a producer said of its spool."""

    key: str  # the id of the producer's key
    spool: str  # tells one spool of that key from another
    waiting: int  # events in it
    is_old: bool  # whether one of them waits too long
    kind: str = "spool"  # or outbox


def note_old_spools(store: Store, heard: Sequence[HeardSpool], steward: str | None) -> int:
    """Open an incident for each that is old, and resolve those of the others; how many moved.

    Each has one, however many doors hear of it. Nothing is written where nothing changed. The
    producer is who did it: its key is the actor.
    """
    by_cause = {old_spool_cause(one.key, one.spool, one.kind): one for one in heard}
    with store.read() as tx:
        known = open_spools(tx, by_cause)
    changed = [cause for cause, one in by_cause.items() if one.is_old != (cause.key in known)]
    if not changed:
        return 0
    moved = 0
    with store.write() as tx:
        for cause in sorted(changed, key=lambda one: one.key):  # two doors never wait in a ring
            one = by_cause[cause]
            actor = f"key:{one.key}"
            if one.is_old:
                moved += open_spool(tx, cause, one.waiting, steward=steward, actor=actor)
            else:
                moved += close_spool(tx, known[cause.key], actor=actor)
    return moved

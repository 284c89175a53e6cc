"""The shadow of a rollout: a candidate decides beside the live version, and only differences stay.

It runs in the keeper and not in the chain, so that no event waits for it.
"""

from __future__ import annotations

from functools import lru_cache

import orjson

from orchestrator.domain.changes.beside import Beside, DifferenceKind, beside_of
from orchestrator.domain.changes.rollout import Mode
from orchestrator.pipeline.redecide import Bench
from orchestrator.store.changes.changes import find_locked
from orchestrator.store.database.engine import Store
from orchestrator.store.rollout.arms import Arm, find_arm, keep_counts, lock_arm
from orchestrator.store.rollout.beside import (
    MOST_KEPT,
    Chunk,
    definitions_of,
    keep_beside,
    move_cursor,
    next_chunk,
)
from orchestrator.store.views.values import now_of

_CHUNK = 250
_MOST_CHUNKS = 8  # in one turn of a keeper: what comes faster is looked at later


def look_beside(store: Store, token: str) -> str | None:
    """Look at what came since; why the rollout has to go back, where an event speaks against it.

    Nothing is held while the two versions decide. Of two keepers that look at the same, one counts.
    """
    for _ in range(_MOST_CHUNKS):
        with store.read() as tx:
            change = find_locked(tx, token)
            arm = None if change is None else find_arm(tx, change.id)
            if change is None or arm is None or arm.mode is not Mode.SHADOW:
                return None
            chunk = next_chunk(tx, change.client, change.workflow, arm, now=now_of(tx), size=_CHUNK)
            texts = definitions_of(tx, arm) if chunk.bodies else None
        found = [] if texts is None else _differences(_bench(*texts), chunk)
        if chunk.bodies:
            _keep(store, arm, chunk, found)
        refused = next((one for one in found if one.kind is DifferenceKind.REFUSED), None)
        if refused is not None:
            return (
                f"it would refuse event {refused.event} ({refused.after}), which the live version"
                " lets pass"
            )
        if chunk.is_last:
            return None
    return None


def _differences(bench: Bench, chunk: Chunk) -> list[Beside]:
    judged = (beside_of(one, *bench.decide(body)) for one, body in chunk.bodies)
    return [one for one in judged if one is not None]


def _keep(store: Store, arm: Arm, chunk: Chunk, found: list[Beside]) -> None:
    with store.write() as tx:
        now = lock_arm(tx, arm.change)
        if now is None or now.id != arm.id or now.cursor != arm.cursor:
            return  # another keeper was first, or it is over
        keep_beside(tx, now, found, room=MOST_KEPT - now.bad)
        keep_counts(tx, now, events=len(chunk.bodies), bad=len(found), wealth=now.wealth)
        move_cursor(tx, now, chunk.cursor)


@lru_cache(maxsize=4)
def _bench(before: str, after: str) -> Bench:
    """Both, compiled once."""
    return Bench(orjson.loads(before), orjson.loads(after))

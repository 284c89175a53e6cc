"""The shadow of a rollout: a candidate decides beside the live version, and only differences stay.

It runs in the keeper and not in the chain, so that no event waits for it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from orchestrator.domain.changes.rollout import Mode
from orchestrator.domain.changes.shadow import DifferenceKind, ShadowDifference, difference_of
from orchestrator.operations.changes.rollout.judging import time_over
from orchestrator.pipeline.redecide import Bench, bench_of
from orchestrator.store.changes.changes import LockedChange, find_locked
from orchestrator.store.database.engine import Store
from orchestrator.store.rollout.arms import Arm, find_arm, keep_counts, lock_arm
from orchestrator.store.rollout.shadow import (
    MOST_KEPT,
    definitions_of,
    is_through,
    keep_differences,
    move_cursor,
    moved_ms,
    next_chunk,
)
from orchestrator.store.views.values import now_of

_CHUNK = 500  # events of the store that one statement reads
_TURN_SECONDS = 0.1
"""Processor time of one turn: 5 % of a core at a keeper's default. Events that come
faster are looked at later."""

_FAR_MS = 60_000  # behind a cursor that is older, an idle shadow would read much again


@dataclass(kw_only=True)
class _Look:
    """What one turn found, behind the cursor of the step."""

    arm: Arm
    now: int  # when it began, by the database's clock; what comes later is for the next turn
    cursor: str
    bench: Bench | None = None  # both versions, from the first event on
    is_behind: bool = False  # the turn was over before the events were
    events: int = 0
    found: list[ShadowDifference] = field(default_factory=list)

    @property
    def refused(self) -> ShadowDifference | None:
        """The first event that the candidate would newly refuse."""
        return next((one for one in self.found if one.kind is DifferenceKind.REFUSED), None)


def look_as_shadow(store: Store, token: str) -> str | None:
    """Look at what came since; why the rollout has to go back, where an event speaks against it.

    Nothing is held while the two versions decide, and one commit keeps what was found. Of two
    keepers that look at the same, one counts.
    """
    with store.read() as tx:
        change = find_locked(tx, token)
        arm = None if change is None else find_arm(tx, change.id)
        if change is None or arm is None or arm.mode is not Mode.SHADOW:
            return None
        look = _Look(arm=arm, now=now_of(tx), cursor=arm.cursor)
    end = time.thread_time() + _TURN_SECONDS
    while not _look_further(store, change, look) and look.refused is None:
        if time.thread_time() >= end:
            look.is_behind = True
            break
    if look.events or look.is_behind or _is_far(change, look):
        _keep(store, look)
    if look.refused is None:
        return None
    return (
        f"it would refuse event {look.refused.event} ({look.refused.after}), which the live version"
        " lets pass"
    )


def _is_far(change: LockedChange, look: _Look) -> bool:
    """Whether a look without events is kept: it comes to the end of the shadow's time, or far."""
    ends = time_over(change, look.arm)
    after = replace(look.arm, cursor=look.cursor)
    is_end = is_through(after, until=ends) and not is_through(look.arm, until=ends)
    return is_end or moved_ms(look.arm, look.cursor) >= _FAR_MS


def _look_further(store: Store, change: LockedChange, look: _Look) -> bool:
    """Decide about the next events; whether these were the last ones."""
    with store.read() as tx:
        arm = replace(look.arm, cursor=look.cursor)
        chunk = next_chunk(tx, change.client, change.workflow, arm, now=look.now, size=_CHUNK)
        if chunk.bodies and look.bench is None:
            look.bench = bench_of(*definitions_of(tx, arm))
    if look.bench is not None:
        decide = look.bench.decide
        judged = (difference_of(one, *decide(body)) for one, body in chunk.bodies)
        look.found += [one for one in judged if one is not None]
    look.events += len(chunk.bodies)
    look.cursor = chunk.cursor
    return chunk.is_last


def _keep(store: Store, look: _Look) -> None:
    with store.write() as tx:
        now = lock_arm(tx, look.arm.change)
        if now is None or now.id != look.arm.id or now.cursor != look.arm.cursor:
            return  # another keeper was first, or it is over
        keep_differences(tx, now, look.found, room=MOST_KEPT - now.bad)
        keep_counts(tx, now, events=look.events, bad=len(look.found), wealth=now.wealth)
        move_cursor(tx, now, look.cursor)

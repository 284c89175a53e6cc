"""What a shadow looks at, and the differences that it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, insert, select, update

from orchestrator.domain.changes.shadow import ShadowDifference
from orchestrator.domain.changes.verdict import MOST_LEFT
from orchestrator.domain.event import TIME_DIGITS
from orchestrator.store.database.clock import first_id
from orchestrator.store.database.schema import (
    events,
    payloads,
    rollout_arms,
    shadow_diffs,
    workflow_versions,
)
from orchestrator.store.rollout.arms import Arm

_D, _E = shadow_diffs.c, events.c

MOST_KEPT = 1_000
"""Differences of one change that are kept with their events; the others are only counted."""

_LATE_MS = 2_000  # an event may be committed so much later than its id says


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """Events that the live version decides about, each with its payload as it came."""

    bodies: tuple[tuple[str, str], ...]
    cursor: str  # behind the last of them
    is_last: bool  # nothing has come after them yet


def next_chunk(
    tx: Connection, client: str, workflow: str, arm: Arm, *, now: int, size: int
) -> Chunk:
    """Those of the next `size` events of the store which are the workflow's, the oldest first.

    The next ones of the store, and not of the workflow: a database that knows nothing of the newest
    ids would read all events of the workflow for that, and sort them.
    """
    after, until = _behind(arm), first_id(now - _LATE_MS)
    walk = select(_E.id, _E.client, _E.workflow).where(_E.id > after, _E.id < until)
    some = walk.order_by(_E.id).limit(size).subquery("some").c
    mine = and_(payloads.c.event_id == some.id, some.client == client, some.workflow == workflow)
    found = select(some.id, payloads.c.body).join(payloads, mine, isouter=True).order_by(some.id)
    rows = tx.execute(found).all()
    is_last = len(rows) < size
    return Chunk(
        bodies=tuple((row.id, row.body) for row in rows if row.body is not None),
        cursor=max(after, until) if is_last else rows[-1].id,
        is_last=is_last,
    )


def count_left(tx: Connection, client: str, workflow: str, arm: Arm, *, until: int) -> int:
    """Events accepted before that time which a shadow has not looked at, `MOST_LEFT` at the most.

    One whose payload is deleted cannot be looked at, and does not count.
    """
    left = (
        select(_E.id)
        .join(payloads, payloads.c.event_id == _E.id)
        .where(_E.id > _behind(arm), _E.id < first_id(until))
        .where(_E.client == client, _E.workflow == workflow)
        .limit(MOST_LEFT)
        .subquery()
    )
    return int(tx.execute(select(func.count()).select_from(left)).scalar_one())


def is_through(arm: Arm, *, until: int) -> bool:
    """Whether a shadow has looked at everything that was accepted before that time."""
    return _behind(arm) >= first_id(until)


def moved_ms(arm: Arm, cursor: str) -> int:
    """Milliseconds of acceptance between what a shadow has looked at and this cursor."""
    return int(cursor[:TIME_DIGITS], 16) - int(_behind(arm)[:TIME_DIGITS], 16)


def _behind(arm: Arm) -> str:
    return arm.cursor or first_id(arm.since)


def definitions_of(tx: Connection, arm: Arm) -> tuple[str, str]:
    """The definitions of the live version and of the candidate, as JSON."""
    table = workflow_versions.c
    found = select(table.id, table.definition).where(table.id.in_((arm.base, arm.version)))
    rows = {row.id: row.definition for row in tx.execute(found)}
    return rows[arm.base], rows[arm.version]


def keep_differences(
    tx: Connection, arm: Arm, found: Sequence[ShadowDifference], *, room: int
) -> None:
    """Keep the first `room` differences."""
    rows = [
        {
            "change_id": arm.change,
            "event_id": one.event,
            "kind": one.kind.value,
            "before": one.before,
            "after": one.after,
        }
        for one in found[: max(room, 0)]
    ]
    if rows:
        tx.execute(insert(shadow_diffs), rows)


def move_cursor(tx: Connection, arm: Arm, cursor: str) -> None:
    """Everything up to there was looked at."""
    mine = rollout_arms.c.id == arm.id
    tx.execute(update(rollout_arms).where(mine).values(cursor=cursor))


@dataclass(frozen=True, kw_only=True, slots=True)
class CountedDifference:
    """Differences that are the same, of those that were kept."""

    kind: str  # newly_refused, newly_passing, otherwise or fields
    before: str
    after: str
    events: int
    example: str  # the first event


def count_differences(tx: Connection, change: int, *, most: int) -> tuple[CountedDifference, ...]:
    """The differences of a change, those of the most events first."""
    counted = func.count()
    found = (
        select(_D.kind, _D.before, _D.after, counted, func.min(_D.event_id))
        .where(_D.change_id == change)
        .group_by(_D.kind, _D.before, _D.after)
        .order_by(counted.desc(), _D.kind, _D.before, _D.after)
        .limit(most)
    )
    return tuple(
        CountedDifference(kind=row[0], before=row[1], after=row[2], events=row[3], example=row[4])
        for row in tx.execute(found)
    )

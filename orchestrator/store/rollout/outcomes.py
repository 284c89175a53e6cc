"""What became of a canary's events, and of the workflow's events before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select, update

from orchestrator.domain.changes.verdict import BASE_DAYS, Base, Outcome, Stopped
from orchestrator.domain.lifecycle import State
from orchestrator.store.database.clock import first_id, now_ms
from orchestrator.store.database.schema import breaches, events, quarantine, rollout_events
from orchestrator.store.rollout.arms import Arm
from orchestrator.store.rollout.taking import AWAITING, NOT_COUNTED

_T, _E, _Q = rollout_events.c, events.c, quarantine.c

MOST_COUNTED = 100_000
"""Of the events before a rollout the newest of the store are looked at, so many at the most."""

_WINDOW_MS = BASE_DAYS * 86_400_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """An event of a canary whose outcome is known, and does not count yet."""

    event: str
    outcome: Outcome
    stopped: Stopped | None  # why, where it is, or was, in quarantine


def newly_ended(tx: Connection, arm: Arm, *, most: int) -> list[Ended]:
    """Those of a rollout, in the order in which they ended."""
    late = exists().where(breaches.c.event_id == _E.id)
    found = (
        select(_E.id, _stopped(arm).label("stopped"), late.label("late"))
        .join(rollout_events, _T.event_id == _E.id)
        .where(_T.change_id == arm.change, NOT_COUNTED, _T.claimed_at.is_not(None))
        .where(or_(_stopped(arm), _E.state == State.DELIVERED.value))
        .order_by(_E.updated_at, _E.id)
        .limit(most)
    )
    rows = tx.execute(found).all()
    return [
        Ended(
            event=row.id,
            outcome=_outcome(stopped=row.stopped, late=row.late),
            stopped=_why(tx, arm, row.id) if row.stopped else None,
        )
        for row in rows
    ]


def _stopped(arm: Arm) -> ColumnElement[bool]:
    """It is in quarantine, or was: then somebody replayed it, or gave it up."""
    return or_(
        _E.state.in_([State.QUARANTINED.value, State.DISCARDED.value]),
        _E.replays > 0,
        _E.workflow_id != arm.version,
    )


def _outcome(*, stopped: bool, late: bool) -> Outcome:
    if stopped:
        return Outcome.QUARANTINED
    return Outcome.LATE if late else Outcome.DELIVERED


_INDEXED = or_(_Q.released_at.is_(None), _Q.outcome.is_not(None))  # one of two indexes has each


def _why(tx: Connection, arm: Arm, event_id: str) -> Stopped:
    stay = (
        select(_Q.reason, _Q.incident_id)
        .where(_Q.event_id == event_id, _INDEXED)
        .order_by(_Q.id.desc())
        .limit(1)
    )
    row = tx.execute(stay).one_or_none()
    if row is None:
        return Stopped(event=event_id, reason="unknown", seen=False)
    return Stopped(event=event_id, reason=row.reason, seen=_base_had(tx, arm, row.incident_id))


def _base_had(tx: Connection, arm: Arm, incident: int | None) -> bool:
    """Whether an event that the candidate did not decide about was stopped for the same cause."""
    if incident is None:
        return False
    its_own = exists().where(_T.event_id == _Q.event_id, _T.change_id == arm.change)
    found = (
        select(_Q.id)
        .where(_Q.incident_id == incident, _INDEXED, _Q.since >= now_ms() - _WINDOW_MS)
        .where(~its_own)
        .limit(1)
    )
    return tx.execute(found).first() is not None


def count_ended(tx: Connection, ended: Sequence[Ended]) -> None:
    """From now on they count."""
    for outcome in Outcome:
        ids = [one.event for one in ended if one.outcome is outcome]
        if ids:
            tx.execute(
                update(rollout_events)
                .where(_T.event_id.in_(ids))
                .values(
                    outcome=outcome.value,
                    ended_at=func.coalesce(_T.ended_at, now_ms()),
                    counted=True,
                )
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """The events of a canary by what became of them, over all steps."""

    events: int
    waiting: int  # until the ones before them are judged
    under_way: int
    awaiting: int  # a person's yes, or their turn after it; nothing of them is sent before
    delivered: int
    late: int
    quarantined: int


def count_taken(tx: Connection, change: int) -> Taken:
    """Count them."""
    asked = and_(_T.outcome.is_(None), _E.state == State.AWAITING_APPROVAL.value)
    outcome = case((asked, AWAITING), else_=_T.outcome).label("said")
    table = select(outcome, _T.claimed_at.is_not(None).label("claimed"), func.count())
    table = table.join(events, _E.id == _T.event_id).where(_T.change_id == change)
    rows = tx.execute(table.group_by("said", "claimed")).all()
    by = {outcome: sum(row[2] for row in rows if row[0] == outcome.value) for outcome in Outcome}
    open_ = {bool(row[1]): int(row[2]) for row in rows if row[0] is None}
    return Taken(
        events=sum(int(row[2]) for row in rows),
        waiting=open_.get(False, 0),
        under_way=open_.get(True, 0),
        awaiting=sum(row[2] for row in rows if row[0] == AWAITING),
        delivered=by[Outcome.DELIVERED],
        late=by[Outcome.LATE],
        quarantined=by[Outcome.QUARANTINED],
    )


def stopped_events(tx: Connection, change: int, *, most: int) -> tuple[str, ...]:
    """Ids of the events of a canary that went into quarantine, the first ones."""
    found = select(_T.event_id).where(
        _T.change_id == change, _T.outcome == Outcome.QUARANTINED.value
    )
    return tuple(tx.execute(found.order_by(_T.event_id).limit(most)).scalars())


def count_base(tx: Connection, client: str, workflow: str, now: int) -> Base:
    """What became of a workflow's events in the days before; one that is under way does not count.

    Their ids begin with the time of their acceptance, so the newest of the store are looked at.
    """
    newest = (
        select(_E.id, _E.client, _E.workflow, _E.state, _E.replays, _E.accepted_at)
        .where(_E.id >= first_id(now - _WINDOW_MS))
        .order_by(_E.id.desc())
        .limit(MOST_COUNTED)
        .subquery("newest")
    )
    one = newest.c
    # A plan that takes back what a bad version made counts as a replay of a delivered event too.
    # That event was never in quarantine: it is as it is now, and not late for being sent again.
    was_there = exists().where(_Q.event_id == one.id, _INDEXED)
    stopped = or_(
        one.state.in_([State.QUARANTINED.value, State.DISCARDED.value]),
        and_(one.replays > 0, was_there),
    )
    late = exists().where(breaches.c.event_id == one.id)
    late_again = and_(one.replays > 0, ~was_there, late)
    mine = and_(one.client == client, one.workflow == workflow)
    row = tx.execute(
        select(
            func.count(),
            func.coalesce(func.sum(case((or_(stopped, late), 1), else_=0)), 0),
            func.min(one.accepted_at),
        ).where(mine, or_(stopped, and_(one.state == State.DELIVERED.value, ~late_again)))
    ).one()
    first = now if row[2] is None else int(row[2])
    return Base(events=int(row[0]), bad=int(row[1]), seconds=max((now - first) // 1000, 0))

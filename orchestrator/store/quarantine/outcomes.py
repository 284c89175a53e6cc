"""How an incident's events ended: what is open still, and the counts of what is over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, or_, select

from orchestrator.domain.incidents.outcomes import IncidentOutcome, MovedEvents, StayOutcome
from orchestrator.domain.lifecycle import State
from orchestrator.store.database.schema import events, quarantine

IS_UNDER_WAY = quarantine.c.outcome == StayOutcome.UNDER_WAY.value

ENDED = (State.DELIVERED.value, State.DISCARDED.value)

_OVER = (StayOutcome.DELIVERED.value, StayOutcome.DISCARDED.value, StayOutcome.MOVED.value)


HAS_INDEX = or_(
    quarantine.c.released_at.is_(None), quarantine.c.outcome.in_([one.value for one in StayOutcome])
)
"""Said of the stays of an event, with which they are found by their indexes.

An event's stays are in two: one of those in quarantine, one of those with an outcome. By the event
alone every stay that there ever was would be read.
"""


def has_open_events(incident: ColumnElement[int] | int) -> ColumnElement[bool]:
    """Whether events of this incident are in quarantine, or under way after a replay."""
    stay = quarantine.c
    standing = exists().where(stay.incident_id == incident, stay.released_at.is_(None))
    return or_(standing, exists().where(stay.incident_id == incident, IS_UNDER_WAY))


def outcome_of(tx: Connection, incident: int, since: int) -> IncidentOutcome:
    """How the events of an incident ended since then, in milliseconds."""
    stay = quarantine.c
    rows = tx.execute(
        select(stay.outcome, stay.moved_to, func.count(), func.max(stay.ended_at))
        .where(stay.incident_id == incident, stay.outcome.in_(_OVER), stay.ended_at >= since)
        .group_by(stay.outcome, stay.moved_to)
    ).all()
    counts: Counter[str] = Counter()
    moved: Counter[int] = Counter()
    for outcome, to, count, _ in rows:
        counts[outcome] += count
        if to is not None:
            moved[to] += count
    return IncidentOutcome(
        delivered=counts[StayOutcome.DELIVERED],
        discarded=counts[StayOutcome.DISCARDED],
        moved=_by_number(moved),
        last_at=max((row[3] for row in rows), default=None),
    )


def _by_number(moved: Mapping[int, int]) -> tuple[MovedEvents, ...]:
    return tuple(MovedEvents(incident=one, events=moved[one]) for one in sorted(moved))


def moved_from(tx: Connection, incident: int) -> tuple[MovedEvents, ...]:
    """The incidents whose events came to this one for its cause."""
    stay = quarantine.c
    rows = tx.execute(
        select(stay.incident_id, func.count())
        .where(stay.moved_to == incident, stay.incident_id.is_not(None))
        .group_by(stay.incident_id)
        .order_by(stay.incident_id)
    )
    return _by_number({row[0]: row[1] for row in rows})


def count_under_way(tx: Connection, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Of each incident: events that a replay sent on their way, and those that came back.

    What came back for the same cause is counted twice on the incident until the keeper's next turn.
    """
    stay, here = quarantine.c, quarantine.alias("here").c
    unfinished = events.c.state.not_in((*ENDED, State.QUARANTINED))
    again = and_(here.incident_id == stay.incident_id, here.id > stay.id)
    rows = tx.execute(
        select(
            stay.incident_id,
            func.sum(case((unfinished, 1), else_=0)),
            func.sum(case((again, 1), else_=0)),
        )
        .join_from(quarantine, events, events.c.id == stay.event_id)
        .join(
            here.id.table,
            (here.event_id == stay.event_id) & here.released_at.is_(None),
            isouter=True,
        )
        .where(stay.incident_id.in_(ids), IS_UNDER_WAY)
        .group_by(stay.incident_id)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in rows}

"""How far an incident's events in quarantine are amended; reads a bounded number of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, Connection, case, func, literal, select

from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import payloads, quarantine

MOST_COUNTED = 5_000
"""Events of an incident, the oldest, of which is counted how many are amended."""

_MOST_LOOKED_AT = 200  # of an incident, spread over all of them

_AMENDED = (
    select(payloads.c.amended.is_not(None))
    .where(payloads.c.event_id == quarantine.c.event_id)
    .correlate(quarantine)  # row by row, as in `narrowed`
    .scalar_subquery()
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far they are amended."""

    counted: int  # the oldest, of which the next two are
    left: int  # that nobody amended
    amended: int
    others_left: bool  # all that were counted are amended, and some behind them are not
    some_left: tuple[str, ...]  # ids of such events, spread over them, in order
    some_amended: tuple[str, ...]


def look_at_standing(tx: Connection, incident: int, standing: int) -> Standing:
    """How far the events of an incident are amended, of which so many are in quarantine."""
    rows = _looked_at(tx, incident, standing)
    some_left = tuple(row.event_id for row in rows if not row.amended)
    some_amended = tuple(row.event_id for row in rows if row.amended)
    counted, amended, last = len(rows), len(some_amended), None
    if standing > _MOST_LOOKED_AT:
        counted, amended, last = _count_amended(tx, incident)
    left, others = counted - amended, False
    if not some_left and left:
        some_left = _first_left(tx, incident, behind=0)
    elif not some_left and counted == MOST_COUNTED:
        some_left = _first_left(tx, incident, behind=last or 0)
        others = bool(some_left)
    elif not left and counted == MOST_COUNTED:
        others = True
    return Standing(
        counted=counted,
        left=left,
        amended=amended,
        others_left=others,
        some_left=some_left,
        some_amended=some_amended,
    )


def evenly(ids: Sequence[str], most: int) -> tuple[str, ...]:
    """At most so many of some, evenly spread, the last among them.

    >>> evenly(["a", "b", "c", "d"], 2)
    ('b', 'd')
    """
    if len(ids) <= most:
        return tuple(ids)
    return tuple(ids[(place + 1) * len(ids) // most - 1] for place in range(most))


def _looked_at(tx: Connection, incident: int, standing: int) -> Sequence[AnyRow]:
    """Some events in order, each with whether it is amended; all where these are few."""
    chosen = (
        select(quarantine.c.id, quarantine.c.event_id, _AMENDED.label("amended"))
        .where(*_standing(incident))
        .order_by(quarantine.c.id)
    )
    if standing > _MOST_LOOKED_AT:
        stays = _spread_stays(tx, incident)
        if len(stays) >= _MOST_LOOKED_AT // 2:  # else they came in bursts, with gaps between these
            return tx.execute(chosen.where(quarantine.c.id.in_(stays))).all()
    return tx.execute(chosen.limit(_MOST_LOOKED_AT)).all()


def _spread_stays(tx: Connection, incident: int) -> Sequence[int]:
    """The stays of an incident next to points between its first and its last one.

    Each is found by the index, so that it costs the same however many there are.
    """
    here = _standing(incident)
    edge = select(quarantine.c.id).where(*here).limit(1)
    orders = (quarantine.c.id, quarantine.c.id.desc())
    edges = (edge.order_by(order).scalar_subquery() for order in orders)
    first, last = tx.execute(select(*edges)).one()
    if first is None:
        return ()
    step = (last - first) // _MOST_LOOKED_AT | 1  # odd: what comes in turns is not met in step
    points = select(literal(first, BigInteger).label("point")).cte("points", recursive=True)
    further = points.c.point + step
    points = points.union_all(select(further).where(further <= last))
    behind = (
        select(quarantine.c.id)
        .where(*here, quarantine.c.id >= points.c.point)
        .order_by(quarantine.c.id)
        .limit(1)
    )
    beside = select(behind.correlate(points).scalar_subquery()).select_from(points).distinct()
    return tx.execute(beside).scalars().all()


def _count_amended(tx: Connection, incident: int) -> tuple[int, int, int | None]:
    """Of the oldest events, at most MOST_COUNTED: how many, how many amended, and the last stay."""
    oldest = (
        select(quarantine.c.id, _AMENDED.label("amended"))
        .where(*_standing(incident))
        .order_by(quarantine.c.id)
        .limit(MOST_COUNTED)
        .subquery()
    )
    amended = func.sum(case((oldest.c.amended, 1), else_=0))
    counted = select(func.count(), func.coalesce(amended, 0), func.max(oldest.c.id))
    row = tx.execute(counted.select_from(oldest)).one()
    return row[0], int(row[1]), row[2]


def _first_left(tx: Connection, incident: int, *, behind: int) -> tuple[str, ...]:
    found = (
        select(quarantine.c.event_id)
        .where(*_standing(incident), quarantine.c.id > behind, _AMENDED.is_not(True))
        .order_by(quarantine.c.id)
        .limit(_MOST_LOOKED_AT)
    )
    return tuple(tx.execute(found).scalars())


def _standing(incident: int) -> tuple[ColumnElement[bool], ...]:
    return quarantine.c.incident_id == incident, quarantine.c.released_at.is_(None)

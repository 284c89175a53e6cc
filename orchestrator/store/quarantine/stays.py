"""What becomes of events that left the quarantine: a stay ends with an outcome, not with a replay.

A replay leaves the outcome of a stay open (`under_way`). The keeper looks at the states of these
events later, so that nothing is added to the path of a delivery. An event has one such stay at
most: whatever releases it again ends that stay first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Text,
    and_,
    bindparam,
    case,
    null,
    or_,
    select,
    update,
)

from orchestrator.domain.incidents.outcomes import StayOutcome
from orchestrator.domain.lifecycle import State
from orchestrator.store.database.engine import Store
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import events, incidents, quarantine
from orchestrator.store.quarantine.incident_moves import reopen_incident
from orchestrator.store.quarantine.outcomes import ENDED, IS_UNDER_WAY

_AT_ONCE = 2_000  # events whose stays one transaction ends


@dataclass
class Sweep:
    """Where the keeper's look at events under way goes on: a turn reads a bounded number."""

    after: str = ""


def end_stays(store: Store, sweep: Sweep, *, most: int = 10) -> int:
    """Keep the outcome of stays whose events ended or came back; how many.

    It goes on while it finds some, `most` transactions a turn. Events that are under way for long
    cost one bounded read a turn.
    """
    count = 0
    for _ in range(most):
        with store.read() as tx:
            looked = _LOOK.run(tx, after=sweep.after, most=_AT_ONCE).all()
        ended = [row[0] for row in looked if row[1] in ENDED]
        returned = [row[0] for row in looked if row[1] == State.QUARANTINED]
        sweep.after = looked[-1][0] if len(looked) == _AT_ONCE else ""
        if not ended and not returned:
            break
        with store.write() as tx:
            hold_events(tx, [*ended, *returned])  # an operator may release some of them again
            count += end_stays_of_ended(tx, ended) + end_stays_of_returned(tx, returned)
        if not sweep.after:
            break
    return count


def end_stays_of_incident(store: Store, incident: int) -> None:
    """Keep the outcomes of one incident's stays now, for a person who is about to resolve it."""
    stay = quarantine.c
    with store.read() as tx:
        under_way = select(stay.event_id).where(stay.incident_id == incident, IS_UNDER_WAY)
        ids = list(tx.execute(under_way.order_by(stay.event_id)).scalars())
    for at in range(0, len(ids), _AT_ONCE):
        some = ids[at : at + _AT_ONCE]
        with store.write() as tx:
            hold_events(tx, some)
            end_stays_of_ended(tx, some)
            end_stays_of_returned(tx, some)


def end_stays_of_ended(tx: Connection, ids: Sequence[str]) -> int:
    """Keep which of these events were delivered or discarded; how many."""
    return int(_END_ENDED.run(tx, ids=list(ids)).rowcount) if ids else 0


def end_stays_of_returned(tx: Connection, ids: Sequence[str]) -> int:
    """Keep which of these events are in quarantine again, and for which cause; how many.

    One that came back for the same cause has its first deadline again, and is counted once.
    """
    if not ids:
        return 0
    _KEEP_DEADLINE.run(tx, ids=list(ids))
    rows = _END_RETURNED.run(tx, ids=list(ids)).all()
    again = Counter(row[0] for row in rows if row[1] == StayOutcome.RETURNED)
    for incident, count in sorted(again.items()):
        counted = {"events": incidents.c.events - count}
        tx.execute(update(incidents).where(incidents.c.id == incident).values(counted))
    return len(rows)


def restore_stays(tx: Connection, ids: Sequence[str], *, actor: str) -> list[int]:
    """Put discarded events back on their stays; the incidents that opened again for it.

    Whoever moves these events back to `quarantined` calls it in the same transaction. Every
    deadline is the first one, also that of an incident that was resolved.
    """
    if not ids:
        return []
    back = _RESTORE.run(tx, ids=list(ids)).scalars()
    return [
        incident
        for incident in sorted({one for one in back if one is not None})
        if reopen_incident(tx, incident, actor=actor, reason="restored")
    ]


def _look(_: str) -> Any:
    stay = quarantine.c
    some = (
        select(stay.event_id)
        .where(IS_UNDER_WAY, stay.event_id > bindparam("after", type_=Text))
        .order_by(stay.event_id)
        .limit(bindparam("most", type_=BigInteger))
        .subquery("some")
    )
    return (
        select(some.c.event_id, events.c.state)
        .join_from(some, events, events.c.id == some.c.event_id)
        .order_by(some.c.event_id)
    )


def _end_ended(dialect: str) -> Any:
    stay = quarantine.c
    return (
        update(quarantine)
        .where(
            among(dialect, stay.event_id),
            IS_UNDER_WAY,
            events.c.id == stay.event_id,
            or_(*(events.c.state == state for state in ENDED)),
        )
        .values(outcome=events.c.state, ended_at=events.c.updated_at)
    )


_HERE = quarantine.alias("here")
"""Where an event is in quarantine now, beside its stay before."""


def _is_back(dialect: str) -> Any:
    stay, here = quarantine.c, _HERE.c
    return and_(
        among(dialect, stay.event_id),
        IS_UNDER_WAY,
        here.event_id == stay.event_id,
        here.released_at.is_(None),
    )


def _end_returned(dialect: str) -> Any:
    stay, here = quarantine.c, _HERE.c
    same = here.incident_id == stay.incident_id
    return (
        update(quarantine)
        .where(_is_back(dialect))
        .values(
            outcome=case((same, StayOutcome.RETURNED.value), else_=StayOutcome.MOVED.value),
            moved_to=case((same, null()), else_=here.incident_id),
            ended_at=here.since,
        )
        .returning(stay.incident_id, stay.outcome)
    )


def _keep_deadline(dialect: str) -> Any:
    stay, before = quarantine.c, quarantine.alias("before").c
    return (
        update(quarantine)
        .where(
            among(dialect, stay.event_id),
            stay.released_at.is_(None),
            before.event_id == stay.event_id,
            before.outcome == StayOutcome.UNDER_WAY.value,
            before.incident_id == stay.incident_id,
            before.recover_by < stay.recover_by,
        )
        .values(recover_by=before.recover_by)
    )


def _restore(dialect: str) -> Any:
    stay = quarantine.c
    return (
        update(quarantine)
        .where(among(dialect, stay.event_id), stay.outcome == StayOutcome.DISCARDED.value)
        .values(released_at=None, outcome=None, ended_at=None)
        .returning(stay.incident_id)
    )


_LOOK = Prepared(_look)
_END_ENDED = Prepared(_end_ended)
_END_RETURNED = Prepared(_end_returned)
_KEEP_DEADLINE = Prepared(_keep_deadline)
_RESTORE = Prepared(_restore)

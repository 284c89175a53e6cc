"""Clocks that ran out: found by a keeper, recorded once, told by an incident.

`deliver_within` counts from when an event was accepted until it is delivered; its breach is a row.
`recover_within` is an incident's; its breach is an audit row. A keeper finds both by looking at
what is due, so a clock goes on while none runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    update,
)

from orchestrator.domain.incidents.causes import late_cause
from orchestrator.domain.incidents.incident import (
    AWAITING,
    BAD_SIGNATURES,
    BROKE_GLASS,
    HELD,
    LATE,
    LOW_RATE,
    OLD_SPOOL,
    IncidentState,
)
from orchestrator.domain.workflows.hours.calendar import deadline, latest_start
from orchestrator.store.database import audit
from orchestrator.store.database.clock import in_iso, in_ms, moment, now_ms, recovery_ms, time_of
from orchestrator.store.database.prepared import Prepared, among, row_values, rows_of
from orchestrator.store.database.schema import audit as audit_table
from orchestrator.store.database.schema import (
    breaches,
    dead_letters,
    deliveries,
    event_approvals,
    events,
    incidents,
    quarantine,
)
from orchestrator.store.drive.late_deliveries import DELIVER_WITHIN, record_breaches
from orchestrator.store.quarantine.asked import IS_WAITING
from orchestrator.store.quarantine.dead_letters import LetterState
from orchestrator.store.quarantine.incidents import note_events
from orchestrator.store.quarantine.outcomes import IS_UNDER_WAY
from orchestrator.store.quarantine.workflow_terms import Terms

ACTOR = "keeper"
RECOVER_WITHIN = "recover_within"
DECIDE_WITHIN = "decide_within"


@dataclass(frozen=True, kw_only=True)
class Late:
    """An event whose time to be delivered is over."""

    event_id: str
    terms: Terms  # of the version that it was accepted under
    due_at: int  # when it should have been delivered, in milliseconds since 1970
    incident: int | None  # the one that it counts for


def find_late(tx: Connection, versions: Mapping[int, Terms], *, most: int = 500) -> list[Late]:
    """Events that are not delivered in time and not recorded yet, of each sort `most` at once."""
    given = row_values(tx, list(_CUTOFF), latest_accepted(tx, versions.values()))
    return [
        _late(row, versions[row.workflow_id])
        for statement in (_UNDER_WAY, _STANDING, _AWAITING)
        for row in statement.run(tx, most=most, **given).all()
    ]


def record_late(tx: Connection, found: Sequence[Late]) -> int:
    """Record them, each once however many keepers look; how many were new.

    Each raises the incident that it counts for; those under way open one of their own.
    """
    late = {one.event_id: one for one in found}
    kept = record_breaches(
        tx,
        [(one.event_id, one.terms.client, one.terms.workflow, one.due_at) for one in late.values()],
        actor=ACTOR,
    )
    new = [one for event_id, one in late.items() if event_id in kept]
    for incident, due_at in sorted(_incidents_of(tx, new).items()):
        _raise(tx, incident, due_at, DELIVER_WITHIN)
    return len(new)


def latest_accepted(tx: Connection, versions: Iterable[Terms]) -> list[tuple[int, int]]:
    """For each version the latest time at which an event that is late now was accepted."""
    now = time_of(tx)
    return [
        (one.workflow_id, in_ms(latest_start(now, one.deliver_within, one.calendar)))
        for one in versions
    ]


def _late(row: Any, terms: Terms) -> Late:
    due_at = deadline(moment(row.accepted_at), terms.deliver_within, terms.calendar)
    return Late(event_id=row.id, terms=terms, due_at=in_ms(due_at), incident=row.incident_id)


_CUTOFF = {"workflow_id": int, "accepted": int}


def _select_late(dialect: str, *, standing: bool) -> Any:
    given = rows_of(dialect, **_CUTOFF)
    known = exists().where(breaches.c.event_id == events.c.id, breaches.c.kind == DELIVER_WITHIN)
    accepted_by_then = and_(
        events.c.workflow_id == given.c.workflow_id, events.c.accepted_at <= given.c.accepted
    )
    if standing:
        here = and_(quarantine.c.event_id == events.c.id, quarantine.c.released_at.is_(None))
        source = given.join(events, accepted_by_then).join(quarantine, here)
        condition = quarantine.c.released_at.is_(None)
    else:
        source, condition = given.join(events, accepted_by_then), events.c.due_at.is_not(None)
    incident = quarantine.c.incident_id if standing else literal(None, BigInteger)
    return (
        select(
            events.c.id, events.c.workflow_id, events.c.accepted_at, incident.label("incident_id")
        )
        .select_from(source)
        .where(condition, ~known)
        .limit(bindparam("most", type_=BigInteger))
    )


def _select_awaiting(dialect: str) -> Any:
    """The same of events that wait for an approval: that clock goes on meanwhile."""
    given, table = rows_of(dialect, **_CUTOFF), event_approvals.c
    known = exists().where(breaches.c.event_id == events.c.id, breaches.c.kind == DELIVER_WITHIN)
    incident = select(incidents.c.id).where(
        incidents.c.client == table.client,
        incidents.c.workflow == table.workflow,
        incidents.c.reason == AWAITING,
    )
    return (
        select(
            events.c.id,
            events.c.workflow_id,
            events.c.accepted_at,
            incident.scalar_subquery().label("incident_id"),
        )
        .join_from(event_approvals, events, events.c.id == table.event_id)
        .join(
            given,
            and_(
                events.c.workflow_id == given.c.workflow_id,
                events.c.accepted_at <= given.c.accepted,
            ),
        )
        .where(IS_WAITING, ~known)
        .limit(bindparam("most", type_=BigInteger))
    )


_AWAITING = Prepared(_select_awaiting)
_UNDER_WAY = Prepared(lambda dialect: _select_late(dialect, standing=False))
_STANDING = Prepared(lambda dialect: _select_late(dialect, standing=True))


def _incidents_of(tx: Connection, new: Sequence[Late]) -> dict[int, int]:
    """The incidents that these events belong to, each with its earliest time that is over."""
    raised: dict[int, int] = {}
    under_way = {one.event_id: one for one in new if one.incident is None}
    for one in new:
        if one.incident is not None:
            _sooner(raised, one.incident, one.due_at)
    for event_id, incident in _HELD_INCIDENTS.run(tx, ids=sorted(under_way)).all():
        if event_id in under_way:
            _sooner(raised, incident, under_way.pop(event_id).due_at)
    by_workflow: dict[tuple[str, str], list[Late]] = {}
    for one in under_way.values():
        by_workflow.setdefault((one.terms.client, one.terms.workflow), []).append(one)
    for (client, workflow), late in sorted(by_workflow.items()):
        terms, cause = late[-1].terms, late_cause()
        incident = note_events(
            tx, client, workflow, cause, len(late),
            owner=terms.recovery_lead,
            recover_ms=recovery_ms(tx, terms.recover_within, terms.calendar),
            actor=ACTOR,
        )  # fmt: skip
        _sooner(raised, incident, min(one.due_at for one in late))
    return raised


def _sooner(raised: dict[int, int], incident: int, due_at: int) -> None:
    raised[incident] = min(due_at, raised.get(incident, due_at))


_HELD_INCIDENTS = Prepared(
    lambda dialect: (
        select(deliveries.c.event_id, incidents.c.id)
        .join(events, events.c.id == deliveries.c.event_id)
        .join(
            incidents,
            and_(
                incidents.c.client == events.c.client,
                incidents.c.workflow == events.c.workflow,
                incidents.c.destination == deliveries.c.destination,
                incidents.c.reason == HELD,
                incidents.c.state != IncidentState.RESOLVED.value,
            ),
        )
        .where(among(dialect, deliveries.c.event_id), deliveries.c.held_by.is_not(None))
        .order_by(deliveries.c.event_id, incidents.c.id)
    )
)


def record_overdue(tx: Connection) -> list[int]:
    """Record incidents that are not healed in time, each once for each time it opened; their ids.

    Only events still quarantined count, or under way after a replay: an incident whose oldest
    events were healed in time is late when the next of them is.
    """
    return [
        row.id
        for row in tx.execute(overdue(now_ms()).order_by(incidents.c.id)).all()
        if _raise(tx, row.id, row.recover_by, RECOVER_WITHIN)
    ]


def record_unanswered(tx: Connection) -> list[int]:
    """Record that half of the time to decide is over for an event that awaits an approval.

    Once for each time that the incident opened; then it escalates. The incidents' ids.
    """
    table, asked = incidents.c, event_approvals.c
    first = (
        select(func.min(asked.remind_at))
        .where(IS_WAITING, asked.client == table.client, asked.workflow == table.workflow)
        .scalar_subquery()
    )
    found = select(table.id, first.label("remind_at")).where(
        table.state != IncidentState.RESOLVED,
        table.reason == AWAITING,
        first <= now_ms(),
        ~_was_recorded(table.id, table.opened_at, DECIDE_WITHIN),
    )
    return [
        row.id
        for row in tx.execute(found.order_by(table.id)).all()
        if _raise(tx, row.id, row.remind_at, DECIDE_WITHIN)
    ]


_WITHOUT_STAYS = (HELD, LATE, LOW_RATE, BROKE_GLASS, BAD_SIGNATURES, OLD_SPOOL)


def overdue(by: ColumnElement[int] | int) -> Select[Any]:
    """The incidents that were not healed by then, in milliseconds, which nobody recorded."""
    table, stay = incidents.c, quarantine.c
    stands = exists().where(
        stay.incident_id == table.id, stay.released_at.is_(None), stay.recover_by <= by
    )
    under_way = exists().where(stay.incident_id == table.id, IS_UNDER_WAY, stay.recover_by <= by)
    letter = dead_letters.c
    letters = exists().where(
        letter.incident_id == table.id,
        letter.state == LetterState.STANDING,
        letter.recover_by <= by,
    )
    return select(table.id, table.recover_by).where(
        table.state != IncidentState.RESOLVED,
        table.recover_by <= by,
        or_(table.stopped_at.is_(None), table.recover_by <= table.stopped_at),
        or_(table.reason.in_(_WITHOUT_STAYS), stands, under_way, letters),
        ~_was_recorded(table.id, table.opened_at, RECOVER_WITHIN),
    )


def _raise(tx: Connection, incident: int, due_at: int, clock: str) -> bool:
    """Mark an incident as late since then; False where it was so already, or is resolved by now.

    The escalation counts from when the time was over, not from when a keeper found it.
    """
    table = incidents.c
    # Locked, and only then asked: another keeper's word shows when its turn is over.
    seen = select(table.state, table.opened_at, table.breached_at).where(table.id == incident)
    row = tx.execute(seen.with_for_update()).one()
    told = select(_was_recorded(literal(incident), literal(row.opened_at), clock))
    if row.state == IncidentState.RESOLVED or tx.execute(told).scalar_one():
        return False
    since = row.breached_at or max(row.opened_at, due_at)
    tx.execute(
        update(incidents).where(table.id == incident).values(breached_at=since, updated_at=now_ms())
    )
    detail = {"due_at": in_iso(due_at)}
    audit.record_incident(tx, incident, actor=ACTOR, action="breach", reason=clock, detail=detail)
    return True


def _was_recorded(incident: Any, opened_at: Any, clock: str) -> Any:
    table = audit_table.c
    return exists().where(
        table.incident_id == incident,
        table.action == "breach",
        table.reason == clock,
        table.at >= opened_at,
    )

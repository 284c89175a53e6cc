"""What is late and what will be, as people and programs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, case, func, select

from orchestrator.domain.incidents.advice import Step
from orchestrator.domain.incidents.escalation import ROLES, recipient_of
from orchestrator.domain.incidents.incident import OLD_SPOOL, IncidentState
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.hours.calendar import deadline
from orchestrator.store.clocks.deadlines import latest_accepted
from orchestrator.store.database.clock import after, in_ms, moment, now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, row_values, rows_of
from orchestrator.store.database.schema import breaches, events, incidents, quarantine
from orchestrator.store.quarantine.locked_incidents import place_of
from orchestrator.store.quarantine.workflow_terms import Terms, TermsShelf
from orchestrator.store.views.events.held_deliveries import count_held_events
from orchestrator.store.views.success_rates import KeptRate, find_rates, kept_rate
from orchestrator.store.views.values import iso, iso_time, of_clients

BREACHES_DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Deadline:
    """One clock of a workflow, and the events that run under it."""

    within_seconds: float  # how long it gives an event, in the time of the workflow's calendar
    events: int  # that run under it, the late ones among them
    late: int
    next_due_at: str | None  # when the next one is late, as `iso`; None: none will be


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowClocks:
    """Both clocks of a workflow as it was published last, and its success rate."""

    client: str
    workflow: str
    deliver: Deadline  # from the acceptance of an event to its delivery
    held: int  # events whose deliveries are held
    recover: Deadline  # from its quarantine to its recovery
    breaches: int  # deadlines that were missed within `BREACHES_DAYS`
    success_rate: KeptRate | None  # None: none is promised


@dataclass(frozen=True, kw_only=True, slots=True)
class NextAlert:
    """The step of an escalation that comes next."""

    step: int  # 1, 2 or 3
    role: str  # recovery_lead, owner or backstop
    to: str  # an e-mail address
    due_at: str  # as `iso`


@dataclass(frozen=True, kw_only=True, slots=True)
class LateIncident:
    """An incident whose deadline was missed and that is not resolved."""

    incident: int
    client: str
    workflow: str
    title: str
    state: str  # IncidentState
    owner: str  # an e-mail address
    breached_at: str  # when its clock ran out, as `iso`
    recover_by: str  # as `iso`
    step: int  # of the escalation, as far as it went; 0: nobody was told yet
    next: NextAlert | None  # None: nobody is told any more, for somebody is on it
    advice: tuple[Step, ...]  # what to do, in order


def list_clocks(
    tx: Connection,
    *,
    client: str | None = None,
    workflow: str | None = None,
    clients: frozenset[str] | None = None,
) -> list[WorkflowClocks]:
    """For each workflow both clocks: how many events run under it, are late, and the next due."""
    shelf = TermsShelf()
    versions = shelf.take(tx)
    delivering = _delivering(tx, versions)
    recovering = _recovering(tx)
    breached, held = _breached(tx), count_held_events(tx)
    newest = shelf.newest(tx)
    rates = find_rates(tx, newest.values())
    return [
        WorkflowClocks(
            client=terms.client,
            workflow=terms.workflow,
            deliver=_clock(terms.deliver_within, delivering.get(name)),
            held=held.get(name, 0),
            recover=_clock(terms.recover_within, recovering.get(name)),
            breaches=breached.get(name, 0),
            success_rate=kept_rate(terms.success_rate, rates.get(name)),
        )
        for name, terms in sorted(newest.items())
        if client in (None, terms.client) and workflow in (None, terms.workflow)
        if clients is None or terms.client in clients
    ]


def _clock(within: float, found: tuple[int, int, int | None] | None) -> Deadline:
    count, late, due_at = found or (0, 0, None)
    return Deadline(within_seconds=within, events=count, late=late, next_due_at=iso(due_at))


_Counts = dict[tuple[str, str], tuple[int, int, int | None]]


def _delivering(tx: Connection, versions: dict[int, Terms]) -> _Counts:
    """Events under way or in quarantine: all, the late ones, and when the next is late."""
    given = row_values(tx, list(_CUTOFF), latest_accepted(tx, versions.values()))
    found: _Counts = {}
    for statement in (_UNDER_WAY, _STANDING):
        for workflow_id, count, late, oldest in statement.run(tx, **given).all():
            terms = versions[workflow_id]
            due_at = None
            if oldest is not None:
                due_at = in_ms(deadline(moment(oldest), terms.deliver_within, terms.calendar))
            name = (terms.client, terms.workflow)
            found[name] = _sum(found.get(name), (count, late, due_at))
    return found


def _sum(
    one: tuple[int, int, int | None] | None, other: tuple[int, int, int | None]
) -> tuple[int, int, int | None]:
    if one is None:
        return other
    due = [at for at in (one[2], other[2]) if at is not None]
    return one[0] + other[0], one[1] + other[1], min(due, default=None)


_CUTOFF = {"workflow_id": int, "accepted": int}


def _count(dialect: str, *, standing: bool) -> Any:
    given, accepted = rows_of(dialect, **_CUTOFF), events.c.accepted_at
    source = given.join(events, events.c.workflow_id == given.c.workflow_id)
    condition = events.c.due_at.is_not(None)
    if standing:
        condition = quarantine.c.released_at.is_(None)
        source = source.join(quarantine, and_(quarantine.c.event_id == events.c.id, condition))
    late = case((accepted <= given.c.accepted, 1), else_=0)
    in_time = case((accepted > given.c.accepted, accepted))
    return (
        select(events.c.workflow_id, func.count(), func.sum(late), func.min(in_time))
        .select_from(source)
        .where(condition)
        .group_by(events.c.workflow_id)
    )


_UNDER_WAY = Prepared(lambda dialect: _count(dialect, standing=False))
_STANDING = Prepared(lambda dialect: _count(dialect, standing=True))


def _recovering(tx: Connection) -> _Counts:
    table = quarantine.c
    over = table.recover_by <= now_ms()
    rows = tx.execute(
        select(
            table.client,
            table.workflow,
            func.count(),
            func.sum(case((over, 1), else_=0)),
            func.min(case((~over, table.recover_by))),
        )
        .where(table.released_at.is_(None))
        .group_by(table.client, table.workflow)
    )
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows.all()}


def _breached(tx: Connection) -> dict[tuple[str, str], int]:
    table = breaches.c
    rows = tx.execute(
        select(table.client, table.workflow, func.count())
        .where(table.at > after(-BREACHES_DAYS * 86_400))
        .group_by(table.client, table.workflow)
    )
    return {(row[0], row[1]): row[2] for row in rows.all()}


def list_breached(
    tx: Connection,
    *,
    client: str | None = None,
    workflow: str | None = None,
    clients: frozenset[str] | None = None,
) -> list[LateIncident]:
    """Unresolved incidents that are late, the latest first: whom the next alert goes to, advice."""
    table = incidents.c
    found = select(incidents).where(
        table.state != IncidentState.RESOLVED, table.breached_at.is_not(None)
    )
    found = of_clients(found, table.client, clients)
    for column, value in ((table.client, client), (table.workflow, workflow)):
        if value is not None:
            found = found.where(column == value)
    newest = TermsShelf().newest(tx)
    rows = tx.execute(found.order_by(table.breached_at, table.id)).all()
    if not rows:
        return []
    from orchestrator.store.views.incidents.list import advice_of  # most listings have none late

    return [_climbing(row, _terms_of(row, newest), advice_of(tx, place_of(row))) for row in rows]


def _terms_of(row: AnyRow, newest: Mapping[tuple[str, str], Terms]) -> Terms | None:
    """Whom its escalation tells: the workflow's people, or the steward where nobody knows whose."""
    if row.reason in (Reason.POISON_MESSAGE, OLD_SPOOL):
        from orchestrator.store.clocks.poison import steward_terms  # it knows whole workflows
        from orchestrator.store.quarantine.dead_letters import NOBODY

        newest = steward_terms(None if row.owner == NOBODY else row.owner)
    return newest.get((row.client, row.workflow))


def _climbing(row: AnyRow, terms: Terms | None, advice: tuple[Step, ...]) -> LateIncident:
    return LateIncident(
        incident=row.id,
        client=row.client,
        workflow=row.workflow,
        title=row.title,
        state=row.state,
        owner=row.owner,
        breached_at=iso_time(row.breached_at),
        recover_by=iso_time(row.recover_by),
        step=row.step,
        next=_next_alert(row, terms) if row.state == IncidentState.OPEN and terms else None,
        advice=advice,
    )


def _next_alert(row: AnyRow, terms: Terms) -> NextAlert | None:
    if row.step >= len(terms.escalate):
        return None
    return NextAlert(
        step=row.step + 1,
        role=ROLES[row.step],
        to=recipient_of(row.step + 1, lead=row.owner, owner=terms.owner, backstop=terms.backstop),
        due_at=iso_time(row.breached_at + int(terms.escalate[row.step] * 1000)),
    )

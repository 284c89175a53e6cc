"""Alerts as people read them, and those that are noise."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from orchestrator.store.clocks.alerts import AlertKind, AlertState
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import alerts, audit, changes, incidents
from orchestrator.store.views.values import iso, iso_time, of_clients

NOISE_DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertRow:
    """One alert as people read it; the names of its fields are those of `alerts list --json`.

    Times are ISO 8601 in UTC.
    """

    id: int
    incident: int | None  # None: a test, or about a change
    client: str | None  # of the incident or change, as is the workflow
    workflow: str | None
    title: str | None  # of the incident
    kind: str  # AlertKind
    step: int  # of the escalation; 0 where it tells of none
    recipient: str  # an e-mail address, or a name of the contacts
    role: str | None  # as which the recipient is told: recovery_lead, owner or backstop
    news: str | None  # what is new, in one line
    state: str  # AlertState
    attempts: int  # tries so far
    due_at: str | None  # of the next try; None: there is none
    way: str | None  # which took it: mail, or the name of an address; None: nobody kept it
    error: str | None  # of the last try, and of ways that did not take it
    created_at: str
    sent_at: str | None  # when a way took it
    change: str | None  # the token of the change that it is about
    digest: str | None  # of what its recipient is asked about the change


@dataclass(frozen=True, kw_only=True, slots=True)
class Detour:
    """A person whose last message did not go by their first way."""

    recipient: str
    since: str  # when the first such message after the last good one was sent: ISO 8601 in UTC
    error: str  # of the ways that did not take the last one


@dataclass(frozen=True, kw_only=True, slots=True)
class NoisyIncident:
    """An incident whose alerts nobody acts on, counted over `NOISE_DAYS`."""

    incident: int
    client: str
    workflow: str
    title: str
    owner: str  # an e-mail address
    alerts: int  # that were sent
    opened: int  # of these, those that told of its opening
    acknowledged: int  # times
    why: str  # never: nobody acknowledged it; seldom: less often than it opened


@dataclass(frozen=True, kw_only=True, slots=True)
class SoughtAlerts:
    """Which alerts; every condition that is given must hold."""

    failing: bool = False  # their last try failed
    state: str | None = None  # AlertState
    recipient: str | None = None
    incident: int | None = None
    client: str | None = None  # of the incident or change, as is the workflow
    workflow: str | None = None
    clients: frozenset[str] | None = None  # of these; None: also tests, which have none
    before: int | None = None  # only ids below it


_ABOUT = alerts.outerjoin(incidents, incidents.c.id == alerts.c.incident_id).outerjoin(
    changes, changes.c.id == alerts.c.change_id
)
_CLIENT: ColumnElement[str] = func.coalesce(incidents.c.client, changes.c.client)
_WORKFLOW: ColumnElement[str] = func.coalesce(incidents.c.workflow, changes.c.workflow)


def list_alerts(
    tx: Connection, sought: SoughtAlerts | None = None, *, limit: int = 100
) -> list[AlertRow]:
    """Alerts, the newest first, with their tries and the last error."""
    wanted, table = sought or SoughtAlerts(), alerts.c
    statement = (
        select(
            alerts,
            _CLIENT.label("client"),
            _WORKFLOW.label("workflow"),
            incidents.c.title,
            changes.c.token,
        )
        .select_from(_ABOUT)
        .order_by(table.id.desc())
        .limit(limit)
    )
    given = {
        table.state: wanted.state,
        table.recipient: wanted.recipient,
        table.incident_id: wanted.incident,
        _CLIENT: wanted.client,
        _WORKFLOW: wanted.workflow,
    }
    for column, value in given.items():
        if value is not None:
            statement = statement.where(column == value)
    statement = of_clients(statement, _CLIENT, wanted.clients)
    if wanted.failing:
        statement = statement.where(_FAILING)
    if wanted.before is not None:
        statement = statement.where(table.id < wanted.before)
    return [_alert(row) for row in tx.execute(statement).all()]


def _alert(row: AnyRow) -> AlertRow:
    return AlertRow(
        id=row.id,
        incident=row.incident_id,
        client=row.client,
        workflow=row.workflow,
        title=row.title,
        kind=row.kind,
        step=row.step,
        recipient=row.recipient,
        role=row.role,
        news=row.news,
        state=row.state,
        attempts=row.attempts,
        due_at=iso(row.due_at) if row.state == AlertState.WAITING else None,
        way=row.way,
        error=row.error,
        created_at=iso_time(row.created_at),
        sent_at=iso(row.sent_at),
        change=row.token,
        digest=row.subject,
    )


def count_alerts(tx: Connection, clients: frozenset[str] | None = None) -> dict[str, int]:
    """How many alerts are in each state, of `clients`; every state is named."""
    counted = select(alerts.c.state, func.count()).group_by(alerts.c.state)
    if clients is not None:
        counted = counted.select_from(_ABOUT).where(_CLIENT.in_(sorted(clients)))
    found: dict[str, int] = {row[0]: row[1] for row in tx.execute(counted).all()}
    return {state.value: found.get(state, 0) for state in AlertState}


def count_failing(tx: Connection) -> tuple[int, int]:
    """How many failed and are tried again, and how many failed for good."""
    counted = select(alerts.c.state, func.count()).where(_FAILING).group_by(alerts.c.state)
    found: dict[str, int] = {row[0]: row[1] for row in tx.execute(counted).all()}
    return found.get(AlertState.WAITING, 0), found.get(AlertState.FAILED, 0)


def list_detours(tx: Connection) -> list[Detour]:
    """The people whose last message did not go by their first way, from the last 30 days."""
    table = alerts.c
    sent = (
        select(table.recipient, table.sent_at, table.error)
        .where(table.state == AlertState.SENT, table.sent_at > after(-NOISE_DAYS * 86_400))
        .order_by(table.sent_at, table.id)
    )
    failing: dict[str, Detour] = {}
    for recipient, sent_at, error in tx.execute(sent):
        if error is None:
            failing.pop(recipient, None)
        elif recipient in failing:
            failing[recipient] = replace(failing[recipient], error=error)
        else:
            failing[recipient] = Detour(recipient=recipient, since=iso_time(sent_at), error=error)
    return list(failing.values())


_FAILING = and_(
    alerts.c.state.in_((AlertState.WAITING, AlertState.FAILED)), alerts.c.error.is_not(None)
)


def list_noise(tx: Connection, clients: frozenset[str] | None = None) -> list[NoisyIncident]:
    """Incidents whose alerts nobody acts on, the loudest first.

    In the last 30 days alerts went out, and nobody acknowledged it (`never`), or less often than it
    opened (`seldom`).
    """
    acted = (
        select(audit.c.incident_id, func.count().label("acted"))
        .where(
            audit.c.incident_id.is_not(None),
            audit.c.action == "acknowledge_incident",
            audit.c.at > after(-NOISE_DAYS * 86_400),
        )
        .group_by(audit.c.incident_id)
        .subquery()
    )
    table = alerts.c
    opened = func.sum(case((table.kind == AlertKind.OPENED, 1), else_=0))
    sent = (
        select(table.incident_id, func.count().label("sent"), opened.label("opened"))
        .where(
            table.incident_id.is_not(None),
            table.state == AlertState.SENT,
            table.created_at > after(-NOISE_DAYS * 86_400),
        )
        .group_by(table.incident_id)
        .subquery()
    )
    times = func.coalesce(acted.c.acted, 0)
    noisy = (
        select(incidents, sent.c.sent, sent.c.opened, times.label("acted"))
        .join(sent, sent.c.incident_id == incidents.c.id)
        .join(acted, acted.c.incident_id == incidents.c.id, isouter=True)
        .where(times < sent.c.opened, incidents.c.opened_at < after(-_YOUNG_SECONDS))
        .order_by(sent.c.sent.desc(), incidents.c.id)
    )
    rows = tx.execute(of_clients(noisy, incidents.c.client, clients)).all()
    return [_noise(row) for row in rows]


_YOUNG_SECONDS = 86_400  # of what is younger nobody can say yet


def _noise(row: AnyRow) -> NoisyIncident:
    return NoisyIncident(
        incident=row.id,
        client=row.client,
        workflow=row.workflow,
        title=row.title,
        owner=row.owner,
        alerts=row.sent,
        opened=row.opened,
        acknowledged=row.acted,
        why="seldom" if row.acted else "never",
    )

"""Alerts as rows: one for each incident, step and person, sent by whoever claims it first.

A keeper that dies between a send and its word about it leaves a claim that runs out; then it is
sent again, under the same number. Nothing here holds an address's secret: a recipient is a name.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Insert, exists, func, insert, literal, or_, select, update

from orchestrator.domain.changes.states import ChangeState
from orchestrator.domain.incidents.incident import IncidentState
from orchestrator.store.database import audit
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import AnyRow, emit_after_commit
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import alerts, changes, incidents
from orchestrator.store.database.upserts import upsert
from orchestrator.store.quarantine.dead_letters import NOBODY
from orchestrator.telemetry import AlertFailed, AlertSent

CLAIM_SECONDS = 120  # a try that nobody heard of for so long is given up
_LONGEST_ERROR = 500  # characters
_LONGEST_WAY = 255
_MOST_TOGETHER = 500  # alerts in one message; the others go in the next
_NEWS_SECONDS = 86_400  # an end that is older is no news


class AlertKind(StrEnum):
    """What an alert tells."""

    OPENED = "opened"
    ESCALATED = "escalated"
    NEWS = "news"  # of an incident that somebody acknowledged
    RESOLVED = "resolved"
    TEST = "test"
    # Of changes.
    ASKED = "asked"  # somebody may decide about it
    EXPIRING = "expiring"  # nobody did yet
    REQUESTED_CHANGES = "requested_changes"
    REJECTED = "rejected"
    STALE = "stale"
    EXPIRED = "expired"
    LIVE = "live"
    BREAK_GLASS = "break_glass"
    ROLLED_BACK = "rolled_back"  # its rollout failed, or somebody stopped it


class AlertState(StrEnum):
    """The states of an alert."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # the last try failed
    DROPPED = "dropped"  # it was no news any more when its turn came


@dataclass(frozen=True, kw_only=True, slots=True)
class Alert:
    """An alert that this keeper, and no other, may send now."""

    id: int
    incident_id: int | None  # None: a test, or about a change
    round: int  # how often the incident had been reopened
    kind: AlertKind
    step: int  # of the escalation; of news, how often its owner was told before
    recipient: str  # an e-mail address, or a name of the contacts
    role: str | None  # of the escalation: recovery_lead, owner or backstop
    attempts: int  # this one among them
    news: str | None = None  # what is new, in one line
    over: bool  # the incident is resolved, or was opened again, since; or the change is decided
    change: str | None = None  # the token of the change that it is about
    subject: str | None = None  # the digest of what its recipient is asked


def announce_incidents(tx: Connection) -> int:
    """Write the alerts of incidents that opened, and of those that are over; how many.

    Who is given an incident later gets an alert as if it had just opened. The alert of an end goes
    only to people who got one before of the beginning.
    """
    opened = _not_told(AlertKind.OPENED, incidents.c.owner).where(
        incidents.c.state != IncidentState.RESOLVED,
        incidents.c.owner != NOBODY,
        incidents.c.stopped_at.is_(None),
    )
    told = alerts.alias("told").c
    resolved = (
        _not_told(AlertKind.RESOLVED, told.recipient)
        .join(told.id.table, (told.incident_id == incidents.c.id))
        .where(
            told.round == incidents.c.reopened,
            told.kind.in_((AlertKind.OPENED, AlertKind.ESCALATED)),
            told.state == AlertState.SENT,
            incidents.c.state == IncidentState.RESOLVED,
            incidents.c.resolved_at > after(-_NEWS_SECONDS),
        )
        .distinct()
    )
    written = 0
    for kind, missing in ((AlertKind.OPENED, opened), (AlertKind.RESOLVED, resolved)):
        for row in tx.execute(missing).all():
            role = "recovery_lead" if kind is AlertKind.OPENED else None
            written += add_alert(
                tx, row.id, round_=row.reopened, kind=kind, recipient=row.recipient, role=role
            )
    return written


def _not_told(kind: AlertKind, recipient: Any) -> Any:
    """The incidents of which nothing of a kind was written for this recipient in this round."""
    known = exists().where(
        alerts.c.incident_id == incidents.c.id,
        alerts.c.round == incidents.c.reopened,
        alerts.c.kind == kind,
        alerts.c.recipient == recipient,
    )
    columns = (incidents.c.id, incidents.c.reopened, recipient.label("recipient"))
    return select(*columns).select_from(incidents).where(~known)


def add_alert(
    tx: Connection,
    incident: int,
    *,
    round_: int,
    kind: AlertKind,
    recipient: str,
    role: str | None,
    step: int = 0,
    news: str | None = None,
) -> bool:
    """Write one alert, due now; False where it is there already."""
    insert_: Any = upsert(tx.dialect.name, alerts)
    statement: Any = begun(insert_, kind, recipient).values(
        incident_id=incident,
        round=round_,
        step=step,
        role=role,
        news=news,
    )
    return bool(tx.execute(statement.on_conflict_do_nothing()).rowcount)


def add_test(tx: Connection, recipient: str, *, actor: str) -> int:
    """Write an alert that tells nothing but that it arrives; its number."""
    audit.record(tx, actor=actor, action="test_alert", detail={"to": recipient})
    statement = begun(insert(alerts), AlertKind.TEST, recipient).values(
        incident_id=None, round=0, step=0, role=None
    )
    return int(tx.execute(statement.returning(alerts.c.id)).scalar_one())


def begun(statement: Insert, kind: AlertKind, recipient: str) -> Insert:
    """An insert with what every row begins with: it is due now."""
    return statement.values(
        kind=kind,
        recipient=recipient,
        state=AlertState.WAITING,
        due_at=now_ms(),
        created_at=now_ms(),
    )


def is_alert_due(tx: Connection, *, besides: Collection[str] = ()) -> bool:
    """Whether `claim_alert` would find one."""
    return tx.execute(_due(besides).limit(1)).first() is not None


def claim_alert(tx: Connection, alert_id: int) -> Alert | None:
    """Take this alert for one try; None if it is not due, or somebody else is sending it."""
    table = alerts.c
    due = _due(()).where(table.id == alert_id).with_for_update(skip_locked=True)
    taken = tx.execute(due).scalar_one_or_none()
    return None if taken is None else _take(tx, [taken])[0]


def claim_alerts(
    tx: Connection, *, besides: Collection[str] = (), digest_seconds: float = 0
) -> list[Alert]:
    """Take what is due for the person who has waited longest, for one try; empty if nothing is.

    It goes as one message. A person who was sent an alert of a new incident gets those of others
    that open within `digest_seconds` of it together, when these are over; anything else goes at
    once, and takes them along. None of the recipients `besides`: they are sent something now.
    """
    table = alerts.c
    while True:
        first = _due(besides).with_only_columns(table.id, table.recipient, table.incident_id)
        row = tx.execute(
            first.order_by(table.due_at, table.id).limit(1).with_for_update(skip_locked=True)
        ).one_or_none()
        if row is None:
            return []
        if row.incident_id is None:  # goes with no others
            return _take(tx, [row.id])
        ids = _of_recipient(tx, row.recipient, digest_seconds)
        if not _put_off_opened(tx, ids, row.recipient, digest_seconds):
            return _take(tx, ids or [row.id])


def _of_recipient(tx: Connection, recipient: str, digest_seconds: float) -> list[int]:
    """What is due for a person, or was put off for a digest, in the order of writing."""
    table = alerts.c
    gathered = (
        (table.kind == AlertKind.OPENED)
        & (table.attempts == 0)
        & (table.due_at <= after(digest_seconds))
    )
    waiting = (
        select(table.id)
        .where(
            table.recipient == recipient,
            table.state == AlertState.WAITING,
            table.incident_id.is_not(None),
            (table.due_at <= now_ms()) | gathered,
        )
        .order_by(table.id)
        .limit(_MOST_TOGETHER)
        .with_for_update(skip_locked=True)
    )
    return list(tx.execute(waiting).scalars())


def _put_off_opened(
    tx: Connection, ids: Collection[int], recipient: str, digest_seconds: float
) -> bool:
    """Let them wait until the minute of the last one is over; False if they go now."""
    if digest_seconds <= 0 or not ids:
        return False
    table = alerts.c
    opened = (table.kind == AlertKind.OPENED, table.attempts == 0)
    among_these = select(func.count()).where(table.id.in_(ids), *opened)
    if tx.execute(among_these).scalar_one() < len(ids):
        return False
    last = select(func.max(table.sent_at)).where(
        table.recipient == recipient,
        table.kind == AlertKind.OPENED,
        table.state == AlertState.SENT,
        table.sent_at > after(-digest_seconds),
    )
    sent_at = tx.execute(last).scalar_one_or_none()
    if sent_at is None:
        return False
    until = sent_at + int(digest_seconds * 1000)
    tx.execute(update(alerts).where(table.id.in_(ids)).values(due_at=until))
    return True


def _take(tx: Connection, ids: Collection[int]) -> list[Alert]:
    table = alerts.c
    tx.execute(
        update(alerts)
        .where(table.id.in_(ids))
        .values(due_at=after(CLAIM_SECONDS), attempts=table.attempts + 1)
    )
    taken = _claimed().where(table.id.in_(ids)).order_by(table.id)
    return [_alert(row) for row in tx.execute(taken).all()]


def _due(besides: Collection[str]) -> Any:
    table = alerts.c
    due = select(table.id).where(table.state == AlertState.WAITING, table.due_at <= now_ms())
    return due.where(table.recipient.not_in(besides)) if besides else due


def _claimed() -> Any:
    table = alerts.c
    return select(
        alerts,
        (incidents.c.state == IncidentState.RESOLVED).label("resolved"),
        (incidents.c.reopened != table.round).label("again"),
        changes.c.token,
        or_(
            changes.c.round != table.round, changes.c.state != ChangeState.AWAITING_APPROVAL.value
        ).label("decided"),
    ).select_from(
        alerts.outerjoin(incidents, incidents.c.id == table.incident_id).outerjoin(
            changes, changes.c.id == table.change_id
        )
    )


def _alert(row: AnyRow) -> Alert:
    kind = AlertKind(row.kind)
    over = row.again or (row.resolved and kind is not AlertKind.RESOLVED)
    over = over or (row.decided and kind in (AlertKind.ASKED, AlertKind.EXPIRING))
    return Alert(
        id=row.id,
        incident_id=row.incident_id,
        round=row.round,
        kind=kind,
        step=row.step,
        recipient=row.recipient,
        role=row.role,
        attempts=row.attempts,
        news=row.news,
        over=bool(over),
        change=row.token,
        subject=row.subject,
    )


def mark_sent(
    tx: Connection, alert: Alert, *, way: str | None = None, failed: str | None = None
) -> None:
    """It was taken, by this way of its contact's; `failed` tells of ways that did not take it."""
    error = storable(failed)[:_LONGEST_ERROR] if failed else None
    by = storable(way)[:_LONGEST_WAY] if way else None
    if _update_waiting(tx, alert, state=AlertState.SENT, sent_at=now_ms(), error=error, way=by):
        emit_after_commit(tx, AlertSent(**_named(alert)))


def mark_dropped(tx: Connection, alert: Alert, why: str) -> None:
    """It need not be sent any more."""
    _update_waiting(tx, alert, state=AlertState.DROPPED, error=why)


def mark_failed(tx: Connection, alert: Alert, error: str, *, wait: float | None) -> None:
    """A try failed; it comes again after `wait` seconds, or never if that is None."""
    state = AlertState.FAILED if wait is None else AlertState.WAITING
    told = storable(error)[:_LONGEST_ERROR]
    if _update_waiting(tx, alert, state=state, due_at=after(wait or 0.0), error=told):
        emit_after_commit(tx, AlertFailed(**_named(alert), given_up=wait is None))


def put_off(tx: Connection, alert: Alert, until_ms: int) -> None:
    """Its recipient wants no word before; no try, so none is counted."""
    _update_waiting(tx, alert, due_at=until_ms, attempts=alert.attempts - 1)


def _named(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.id,
        "incident": alert.incident_id,
        "kind": alert.kind,
        "tries": alert.attempts,
    }


def _update_waiting(tx: Connection, alert: Alert, **values: Any) -> bool:
    """Write what became of it; False where somebody else has done so."""
    table = alerts.c
    written = tx.execute(
        update(alerts)
        .where(
            table.id == alert.id,
            table.state == AlertState.WAITING,
            table.attempts == literal(alert.attempts),  # nobody took it over meanwhile
        )
        .values(**values)
    )
    return bool(written.rowcount)

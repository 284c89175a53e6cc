"""What people read of the audit: who did what, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from orchestrator.domain.audit_words import every_word_of, in_new_words
from orchestrator.domain.commitments import Detail
from orchestrator.store.database.audit_values import with_values
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import audit
from orchestrator.store.views.values import iso_time, of_clients


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRow:
    """One row of the audit. It is never changed; values in its detail may be erased."""

    id: int  # later rows have higher ones
    at: str  # when it was written, ISO 8601 in UTC
    client: str | None  # whom it is about; None where it is about no one client
    workflow: str | None  # the name of a workflow
    event_id: str | None  # None where it is not about one event
    incident: int | None  # the number of an incident
    destination: str | None  # of one delivery, or the name of what was paused or broke
    actor: str  # who did it: `cli:ana`, `worker:7`, `keeper`
    action: str  # what was done, in the audit's own word
    source: str | None  # the state before a move
    target: str | None  # the state after it
    reason: str | None  # of a quarantine or a hold, as a code; else why, in a person's words
    detail: Detail | None  # names, counts, and values as far as they are kept

    def as_json(self) -> dict[str, object]:
        """The row as a document; the states are `from` and `to`."""
        return {
            "id": self.id,
            "at": self.at,
            "client": self.client,
            "workflow": self.workflow,
            "event_id": self.event_id,
            "incident": self.incident,
            "destination": self.destination,
            "actor": self.actor,
            "action": self.action,
            "from": self.source,
            "to": self.target,
            "reason": self.reason,
            "detail": self.detail,
        }


def list_audit(
    tx: Connection,
    *,
    event_id: str | None = None,
    incident: int | None = None,
    client: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    clients: frozenset[str] | None = None,
    limit: int = 1000,
    newest_first: bool = True,
) -> list[AuditRow]:
    """Rows of the audit; every condition that is given must hold.

    With `clients` those about one of these, and no rows that are about no client at all. An `actor`
    without its way, such as `person:ada@acme.example`, is that person by whatever way.
    """
    order = audit.c.id.desc() if newest_first else audit.c.id
    statement = of_clients(select(audit).order_by(order).limit(limit), audit.c.client, clients)
    filters = {
        "event_id": event_id,
        "incident_id": incident,
        "client": client,
    }
    if actor is not None:
        statement = statement.where(by_actor(audit.c.actor, actor))
    if action is not None:
        statement = statement.where(audit.c.action.in_(every_word_of(action)))
    for name, value in filters.items():
        if value is not None:
            statement = statement.where(audit.c[name] == value)
    return audited(tx, tx.execute(statement).all())


def by_actor(column: ColumnElement[str], actor: str) -> ColumnElement[bool]:
    """That a row is by this actor; a person without a way is meant by every way."""
    if actor.startswith("person:") and "/" not in actor:
        return column.startswith(f"{actor}/", autoescape=True)
    return column == actor


def audited(tx: Connection, rows: Sequence[AnyRow]) -> list[AuditRow]:
    """Rows of the table as values, with those of their values that are still kept."""
    details = with_values(tx, [(row.id, row.detail) for row in rows])
    return [_audited(row, detail) for row, detail in zip(rows, details, strict=True)]


def _audited(row: AnyRow, detail: Detail | None) -> AuditRow:
    action, detail = in_new_words(row.action, detail)
    return AuditRow(
        id=row.id,
        at=iso_time(row.at),
        client=row.client,
        workflow=row.workflow,
        event_id=row.event_id,
        incident=row.incident_id,
        destination=row.destination,
        actor=row.actor,
        action=action,
        source=row.source,
        target=row.target,
        reason=row.reason,
        detail=detail,
    )

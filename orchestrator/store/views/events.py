"""What people read of the store, as JSON-ready values: times are ISO 8601 in UTC, ids are text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, func, literal, or_, select, union_all

from orchestrator.domain.audit_words import every_word_of, in_new_words
from orchestrator.domain.incidents.incident import HELD, IncidentState
from orchestrator.domain.lifecycle import STAGE_OF, State
from orchestrator.store.database.audit_values import with_values
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import (
    audit,
    deliveries,
    events,
    incidents,
    payloads,
    quarantine,
    workflow_versions,
)
from orchestrator.store.drive.deliveries import delivery_key
from orchestrator.store.views.event_search import Wanted, newest
from orchestrator.store.views.selection import Selection, narrowed
from orchestrator.store.views.values import View, iso

EVERYTHING = Selection()


def show_event(tx: Connection, event_id: str, *, with_payload: bool = False) -> View | None:
    """One event with its quarantine, deliveries and history; None where there is none."""
    row = tx.execute(_events().where(events.c.id == event_id)).one_or_none()
    if row is None:
        return None
    view = _event(row)
    view["due_at"] = iso(row.due_at)
    view["attempt"] = row.attempt
    view["replays"] = row.replays
    view["held"] = _holds(tx, event_id)
    view["quarantine"] = _standing(tx, event_id)
    view["incidents"] = _incidents_of(tx, row, [one["destination"] for one in view["held"]])
    view["deliveries"] = [_delivery(one) for one in tx.execute(_deliveries_of([event_id]))]
    view["history"] = list_audit(tx, event_id=event_id, newest_first=False)
    if with_payload:
        kept = tx.execute(select(payloads).where(payloads.c.event_id == event_id)).one_or_none()
        view["payload"] = orjson.loads(kept.body) if kept else None
        view["amended"] = orjson.loads(kept.amended) if kept and kept.amended else None
    return view


def _holds(tx: Connection, event_id: str) -> list[View]:
    """What deliveries of the event wait for: a pause, a circuit breaker, or their turn."""
    from orchestrator.store.views.held_deliveries import holds_of, put_off

    return holds_of(tx, [event_id]).get(event_id, []) + put_off(tx, event_id)


def _incidents_of(tx: Connection, event: AnyRow, held: Sequence[str]) -> list[View]:
    """The incidents that the event stands for, stood for, or is held for, the newest first."""
    table = incidents.c
    stays = select(quarantine.c.incident_id).where(quarantine.c.event_id == event.id)
    waits = and_(
        table.client == event.client,
        table.workflow == event.workflow,
        table.reason == HELD,
        table.destination.in_(held),
        table.state != IncidentState.RESOLVED,
    )
    columns = (table.id, table.title, table.state, table.reason)
    rows = tx.execute(
        select(*columns).where(or_(table.id.in_(stays), waits)).order_by(table.id.desc())
    )
    return [
        {"id": row.id, "title": row.title, "state": row.state, "reason": row.reason} for row in rows
    ]


def list_events(tx: Connection, wanted: Wanted | None = None) -> list[View]:
    """Events, the newest first, with which of their deliveries are held, by what and since when."""
    found = [_event(row) for row in newest(tx, _events(), wanted or Wanted())]
    holds = _holds_of(tx, [one["id"] for one in found if one["state"] in STAGE_OF])
    return [one | {"held": holds.get(one["id"], [])} for one in found]


def _holds_of(tx: Connection, ids: Sequence[str]) -> dict[str, list[View]]:
    from orchestrator.store.views.held_deliveries import holds_of  # it writes times as this does

    return holds_of(tx, ids) if ids else {}


def _events() -> Select[Any]:
    standing = (quarantine.c.event_id == events.c.id) & quarantine.c.released_at.is_(None)
    return (
        select(
            events,
            workflow_versions.c.version,
            workflow_versions.c.trigger_type,
            quarantine.c.stage.label("stopped_at"),
            quarantine.c.reason,
            quarantine.c.detail,
        )
        .join(workflow_versions, workflow_versions.c.id == events.c.workflow_id)
        .outerjoin(quarantine, standing)
    )


def _event(row: AnyRow) -> View:
    state = State(row.state)
    return {
        "id": row.id,
        "client": row.client,
        "workflow": row.workflow,
        "version": row.version,
        "type": row.trigger_type,
        "idempotency_key": row.idempotency_key,
        "state": state.value,
        "stage": row.stopped_at or STAGE_OF.get(state),
        "reason": row.reason,
        "detail": row.detail,
        "accepted_at": iso(row.accepted_at),
        "updated_at": iso(row.updated_at),
        "erased_at": iso(row.erased_at),
    }


def _standing(tx: Connection, event_id: str) -> View | None:
    found = list_quarantine(tx, Selection(ids=(event_id,)))
    return found[0] if found else None


def _deliveries_of(ids: Sequence[str]) -> Select[Any]:
    table = deliveries.c
    return (
        select(deliveries)
        .where(table.event_id.in_(ids))
        .order_by(table.event_id, table.destination)
    )


def _delivery(row: AnyRow) -> View:
    return {
        "destination": row.destination,
        "connector": row.connector,
        "action": row.action,
        "key": delivery_key(row.event_id, row.destination, row.generation),
        "state": row.state,
        "attempt": row.attempt,
        "record_id": row.record_id,
        "reason": row.reason,
        "error": row.error,
        "outcome_unknown": bool(row.unknown),
        "held_by": row.held_by,
        "due_at": iso(row.due_at),
        "updated_at": iso(row.updated_at),
        "send": orjson.loads(row.send),
        "confirm": orjson.loads(row.confirm),
    }


def list_quarantine(tx: Connection, selection: Selection, *, limit: int = 1000) -> list[View]:
    """What stands in quarantine, the oldest first, with owner and clock."""
    statement = select(
        quarantine,
        payloads.c.amended.is_not(None).label("amended"),
        (quarantine.c.recover_by < now_ms()).label("overdue"),
    ).join(payloads, payloads.c.event_id == quarantine.c.event_id, isouter=True)
    rows = tx.execute(narrowed(tx, statement, selection).order_by(quarantine.c.id).limit(limit))
    return [_quarantined(row) for row in rows]


def _quarantined(row: AnyRow) -> View:
    violations = orjson.loads(row.violations)
    return {
        "id": row.event_id,
        "client": row.client,
        "workflow": row.workflow,
        "stage": row.stage,
        "reason": row.reason,
        "detail": row.detail,
        "violations": violations,
        "hints": [one["hint"] for one in violations if one.get("hint")],
        "owner": row.owner,
        "recovery_lead": row.recovery_lead,
        "since": iso(row.since),
        "recover_by": iso(row.recover_by),
        "overdue": bool(row.overdue),
        "amended": bool(row.amended),
        "incident": row.incident_id,
    }


def count_quarantine(tx: Connection, selection: Selection, *, discarded: bool = False) -> int:
    """How many events the selection has; with `discarded` of those that were given up."""
    counted = select(func.count()).select_from(quarantine)
    statement = narrowed(tx, counted, selection, discarded=discarded)
    return int(tx.execute(statement).scalar_one())


def list_audit(
    tx: Connection,
    *,
    event_id: str | None = None,
    incident: int | None = None,
    client: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    limit: int = 1000,
    newest_first: bool = True,
) -> list[View]:
    """Audit rows: who did what, when and why."""
    order = audit.c.id.desc() if newest_first else audit.c.id
    statement = select(audit).order_by(order).limit(limit)
    filters = {
        "event_id": event_id,
        "incident_id": incident,
        "client": client,
        "actor": actor,
    }
    if action is not None:
        statement = statement.where(audit.c.action.in_(every_word_of(action)))
    for name, value in filters.items():
        if value is not None:
            statement = statement.where(audit.c[name] == value)
    return audited(tx, tx.execute(statement).all())


def audited(tx: Connection, rows: Sequence[AnyRow]) -> list[View]:
    """Rows of the audit, with those of their values that are still kept."""
    details = with_values(tx, [(row.id, row.detail) for row in rows])
    return [_audited(row, detail) for row, detail in zip(rows, details, strict=True)]


def _audited(row: AnyRow, detail: Any) -> View:
    action, detail = in_new_words(row.action, detail)
    return {
        "at": iso(row.at),
        "client": row.client,
        "workflow": row.workflow,
        "event_id": row.event_id,
        "incident": row.incident_id,
        "destination": row.destination,
        "actor": row.actor,
        "action": action,
        "from": row.source,
        "to": row.target,
        "reason": row.reason,
        "detail": detail,
    }


def count_states(tx: Connection, *, client: str | None = None) -> dict[str, int]:
    """How many events stand in each state; every state is named."""
    owned = [] if client is None else [events.c.client == client]
    stood = quarantine.join(events, events.c.id == quarantine.c.event_id)
    some = select(func.count(quarantine.c.event_id.distinct())).select_from(stood).where(*owned)
    all_ = select(func.count()).select_from(events).where(*owned)
    counts = {
        State.QUARANTINED: some.where(quarantine.c.released_at.is_(None)),
        State.DISCARDED: some.where(events.c.state == State.DISCARDED),
        # Nearly all there are: so they are the rest, and nobody reads them one by one.
        State.DELIVERED: all_,
    }
    unfinished = (
        select(events.c.state, func.count())
        .where(events.c.due_at.is_not(None), *owned)
        .group_by(events.c.state)
    )
    # One statement, so that all numbers are of one moment.
    counted = union_all(
        unfinished,
        *(select(literal(state.value), one.scalar_subquery()) for state, one in counts.items()),
    )
    found: dict[str, int] = {row[0]: row[1] for row in tx.execute(counted)}
    others = sum(count for state, count in found.items() if state != State.DELIVERED)
    # No move leads to awaiting_approval yet; whoever adds one counts it here.
    return {state.value: found.get(state, 0) for state in State} | {
        State.DELIVERED.value: found[State.DELIVERED] - others
    }


def count_late(tx: Connection, *, seconds: float) -> int:
    """How many events have been due for longer than that: nobody drives them on."""
    statement = select(func.count()).select_from(events)
    return tx.execute(statement.where(events.c.due_at < after(-seconds))).scalar_one()


def count_reasons(tx: Connection, selection: Selection = EVERYTHING) -> list[View]:
    """What stands in quarantine by workflow, stage and reason, the most first."""
    table = quarantine.c
    columns = (table.client, table.workflow, table.stage, table.reason, table.recovery_lead)
    counted = select(
        *columns, func.count().label("events"), func.min(table.recover_by).label("by")
    ).group_by(*columns)
    rows = tx.execute(narrowed(tx, counted, selection).order_by(func.count().desc()))
    return [
        {
            "client": row.client,
            "workflow": row.workflow,
            "stage": row.stage,
            "reason": row.reason,
            "recovery_lead": row.recovery_lead,
            "events": row.events,
            "recover_by": iso(row.by),
        }
        for row in rows
    ]


def name_workflows(tx: Connection) -> list[tuple[str, str]]:
    """Client and name of every workflow that was ever published, in this order."""
    columns = (workflow_versions.c.client, workflow_versions.c.name)
    rows = tx.execute(select(*columns).distinct().order_by(*columns))
    return [(row.client, row.name) for row in rows]

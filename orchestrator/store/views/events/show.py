"""What people read of events: where they are, their deliveries, their history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, and_, or_, select

from orchestrator.domain.delivery.blockers import Hold
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.incidents.incident import HELD, IncidentState
from orchestrator.domain.lifecycle import STAGE_OF, State
from orchestrator.domain.trace_context import read_trace, span_of
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import (
    deliveries,
    events,
    hook_requests,
    incidents,
    payloads,
    quarantine,
    traces,
    workflow_versions,
)
from orchestrator.store.drive.deliveries import delivery_key, item_of
from orchestrator.store.ordering.lines import ASLEEP
from orchestrator.store.quarantine.outcomes import HAS_INDEX
from orchestrator.store.views.audit import AuditRow, list_audit
from orchestrator.store.views.events.held_deliveries import holds_of, put_off
from orchestrator.store.views.events.search import Wanted, newest
from orchestrator.store.views.lines import WaitsFor, followers_of, waits_for
from orchestrator.store.views.quarantine.list import QuarantinedEvent, list_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import iso, iso_time, of_clients


@dataclass(frozen=True, kw_only=True, slots=True)
class EventHead:
    """Where one event is. Times are ISO 8601 in UTC."""

    id: str
    client: str
    workflow: str  # its name
    version: int  # of the workflow that it runs under
    type: str  # of its trigger
    idempotency_key: str  # as it was sent; a digest once the event was erased
    state: str  # as `State`
    stage: str | None  # where it stalled, or what comes next; None: it is at its end
    reason: str | None  # why it is in quarantine, as a code
    detail: str | None  # the same in a sentence
    accepted_at: str
    updated_at: str  # when it last moved
    erased_at: str | None  # when its values were erased


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow(EventHead):
    """One event in a list."""

    held: tuple[Hold, ...]  # its deliveries that wait for a pause or a circuit breaker


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentOfEvent:
    """An incident that an event is, or was, part of."""

    id: int
    title: str
    state: str  # as `IncidentState`
    reason: str  # a code, the same for all its events


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One event at one destination. Times are ISO 8601 in UTC."""

    destination: str
    item: str | int | None  # the key of the item that it is for; None: for the whole event
    connector: str
    action: str  # of the connector
    key: str  # the idempotency key that the tool is given
    state: str  # as `DeliveryState`
    attempt: int  # failed tries so far
    record_id: str | None  # of the record in the tool; None: none is known
    record_url: str | None  # where people find that record; None: the connector does not say
    reason: str | None  # why it failed, or fails for now, as a code
    error: str | None  # the same in the tool's words, secrets masked
    outcome_unknown: bool  # an earlier call may have stored the record
    after: tuple[str, ...]  # the destinations that are confirmed before it is sent
    held_by: str | None  # what it waits at: a connector, an action or a destination
    due_at: str | None  # when it is tried next; None: it is at its end, or waits for another
    updated_at: str  # when it last moved
    send: Mapping[str, object]  # values of the payload, by the field of the tool
    confirm: tuple[str, ...]  # the fields that are compared with the record

    def without_values(self) -> dict[str, object]:
        """The delivery as a document, without the payload's values: what is sent, and the item."""
        document = fields_of(self)
        del document["send"]
        del document["item"]
        return document


@dataclass(frozen=True, kw_only=True, slots=True)
class Payload:
    """What an event carries: personal data, most often."""

    payload: object  # as it came, as JSON; None once it was erased
    amended: object  # as a fix or a recipe changed it, as JSON; None: nobody did


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestOfSource:
    """The request of a source that an event came in, without its contents."""

    source: str  # its name
    type: str | None  # that the request said; None: it said none
    verified_by: str  # what proved it at the door, such as `hmac-sha256, secret 1`
    kept: bool  # its raw body is kept


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceOfEvent:
    """The place of an event in a trace of the W3C's Trace Context, as its sender said it."""

    trace_id: str  # 32 hex digits
    parent_id: str  # of the operation that sent it, 16 hex digits
    sampled: bool  # whether who sent it may have recorded it
    spans: Mapping[str, str]  # the id that its requests carry as their parent, by delivery's key


@dataclass(frozen=True, kw_only=True, slots=True)
class EventView(EventHead):
    """One event with all that is known of it. Times are ISO 8601 in UTC."""

    due_at: str | None  # when it goes on by itself; None: it is at its end, or waits for a person
    waits_for: WaitsFor | None  # whom it lets go before, as its ordering key says; None: nobody
    followers: int  # how many events wait until it is at its end, as their ordering key says
    attempt: int  # failed tries of the stage that it is in
    replays: int  # how often it was replayed
    held: tuple[Hold, ...]  # its deliveries that wait for a pause, a circuit breaker or a rate
    quarantine: QuarantinedEvent | None  # None: it is not in quarantine
    incidents: tuple[IncidentOfEvent, ...]  # the newest first
    deliveries: tuple[Delivery, ...]  # by destination; none before a route was taken
    history: tuple[AuditRow, ...]  # the oldest first
    request: RequestOfSource | None  # None: a program sent it with a key
    trace: TraceOfEvent | None  # None: its sender said none, or its values are gone
    content: Payload | None  # None: it was not asked for

    def as_json(self) -> dict[str, object]:
        """The event as a document: `payload` and `amended` are there if they were asked for."""
        document = fields_of(self)
        del document["content"]
        return document | (fields_of(self.content) if self.content else {})


def show_event(
    tx: Connection,
    event_id: str,
    *,
    with_payload: bool = False,
    clients: frozenset[str] | None = None,
) -> EventView | None:
    """One event with its quarantine, deliveries and history; None where there is none.

    Neither is there one of others than these `clients`; None: of anybody.
    """
    found = of_clients(_events().where(events.c.id == event_id), events.c.client, clients)
    row = tx.execute(found).one_or_none()
    if row is None:
        return None
    held = (*holds_of(tx, [event_id]).get(event_id, ()), *put_off(tx, event_id))
    made = tuple(_delivery(one) for one in tx.execute(_deliveries_of([event_id])))
    return EventView(
        **_head(row),
        due_at=None if row.due_at == ASLEEP else iso(row.due_at),
        waits_for=waits_for(tx, event_id),
        followers=followers_of(tx, [event_id]).get(event_id, 0),
        attempt=row.attempt,
        replays=row.replays,
        held=held,
        quarantine=next(iter(list_quarantine(tx, Selection(ids=(event_id,)))), None),
        incidents=_incidents_of(tx, row, [one.destination for one in held]),
        deliveries=made,
        history=tuple(list_audit(tx, event_id=event_id, newest_first=False)),
        request=_request(tx, event_id),
        trace=_trace(tx, event_id, made),
        content=_payload(tx, event_id) if with_payload else None,
    )


def _request(tx: Connection, event_id: str) -> RequestOfSource | None:
    table = hook_requests.c
    columns = (table.source, table.type, table.verified_by, table.body.is_not(None).label("kept"))
    row = tx.execute(select(*columns).where(table.event_id == event_id)).one_or_none()
    return None if row is None else RequestOfSource(**{**row._mapping, "kept": bool(row.kept)})


def _trace(tx: Connection, event_id: str, made: Sequence[Delivery]) -> TraceOfEvent | None:
    row = tx.execute(select(traces).where(traces.c.event_id == event_id)).one_or_none()
    trace = None if row is None else read_trace(row.traceparent)
    if trace is None:
        return None
    return TraceOfEvent(
        trace_id=trace.trace_id,
        parent_id=trace.parent_id,
        sampled=trace.sampled,
        spans={one.key: span_of(one.key) for one in made},
    )


def _payload(tx: Connection, event_id: str) -> Payload:
    kept = tx.execute(select(payloads).where(payloads.c.event_id == event_id)).one_or_none()
    return Payload(
        payload=orjson.loads(kept.body) if kept else None,
        amended=orjson.loads(kept.amended) if kept and kept.amended else None,
    )


def _incidents_of(
    tx: Connection, event: AnyRow, held: Sequence[str]
) -> tuple[IncidentOfEvent, ...]:
    """The incidents that the event stands for, stood for, or is held for, the newest first."""
    table = incidents.c
    stays = select(quarantine.c.incident_id).where(quarantine.c.event_id == event.id, HAS_INDEX)
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
    return tuple(
        IncidentOfEvent(id=row.id, title=row.title, state=row.state, reason=row.reason)
        for row in rows
    )


def list_events(tx: Connection, wanted: Wanted | None = None) -> list[EventRow]:
    """Events, the newest first, with which of their deliveries are held, by what and since when."""
    rows = newest(tx, _events(), wanted or Wanted())
    moving = [row.id for row in rows if row.state in STAGE_OF]
    holds = holds_of(tx, moving) if moving else {}
    return [EventRow(**_head(row), held=tuple(holds.get(row.id, ()))) for row in rows]


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


def _head(row: AnyRow) -> dict[str, Any]:
    """The fields of EventHead."""
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
        "accepted_at": iso_time(row.accepted_at),
        "updated_at": iso_time(row.updated_at),
        "erased_at": iso(row.erased_at),
    }


def _deliveries_of(ids: Sequence[str]) -> Select[Any]:
    table = deliveries.c
    return (
        select(deliveries)
        .where(table.event_id.in_(ids))
        .order_by(table.event_id, table.destination, table.item)
    )


def _delivery(row: AnyRow) -> Delivery:
    return Delivery(
        destination=row.destination,
        item=item_of(row.item),
        connector=row.connector,
        action=row.action,
        key=delivery_key(row.event_id, row.name, row.generation),
        state=row.state,
        attempt=row.attempt,
        record_id=row.record_id,
        record_url=row.record_url,
        reason=row.reason,
        error=row.error,
        outcome_unknown=bool(row.unknown),
        after=tuple(orjson.loads(row.comes_after or "[]")),
        held_by=row.held_by,
        due_at=iso(row.due_at),
        updated_at=iso_time(row.updated_at),
        send=orjson.loads(row.send),
        confirm=tuple(orjson.loads(row.confirm)),
    )


def name_workflows(tx: Connection, clients: frozenset[str] | None = None) -> list[tuple[str, str]]:
    """Client and name of every workflow of `clients` that was ever published, in this order."""
    columns = (workflow_versions.c.client, workflow_versions.c.name)
    named = select(*columns).distinct().order_by(*columns)
    rows = tx.execute(of_clients(named, columns[0], clients))
    return [(row.client, row.name) for row in rows]

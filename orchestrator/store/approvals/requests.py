"""Requests as rows: held before anybody decides, and ended by one word each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from orchestrator.domain.access.actor import who
from orchestrator.domain.approvals.requests import MOST_IN_GROUP, Group, RequestState
from orchestrator.domain.lifecycle import Move
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import audit, event_approvals, keys
from orchestrator.store.quarantine.asked import IS_WAITING

_T = event_approvals.c


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRequest:
    """What is, or was, asked about one event. Times are in milliseconds since 1970."""

    id: int
    event_id: str
    client: str
    workflow: str
    workflow_id: int  # of the version that the event runs under
    route: int  # from 1
    state: RequestState
    subject: str  # what an approval covers: 64 hex digits
    salt: str  # of the subject; "" once the event was erased
    connectors: Mapping[str, str | None]  # digests of the definitions, by name
    asked_at: int
    decide_by: int
    decided_at: int | None
    decided_by: str | None  # an actor


def lock_requests(tx: Connection, ids: Collection[str]) -> dict[str, EventRequest]:
    """The newest request of each of these events, held; the events are held before.

    One that is void is not there any more.
    """
    found = select(event_approvals).where(_T.event_id.in_(ids), _T.void_at.is_(None))
    rows = tx.execute(found.order_by(_T.id).with_for_update())
    return {row.event_id: _of(row) for row in rows}


def events_of_group(tx: Connection, group: Group) -> list[str]:
    """The events that wait in a group, the oldest request first."""
    found = select(_T.event_id).where(
        IS_WAITING,
        _T.client == group.client,
        _T.workflow == group.workflow,
        _T.route == group.route,
        _T.id <= group.last,
    )
    return list(tx.execute(found.order_by(_T.id).limit(MOST_IN_GROUP)).scalars())


def last_decided(tx: Connection, group: Group) -> EventRequest | None:
    """The request of a group that ended last."""
    found = select(event_approvals).where(
        _T.client == group.client,
        _T.workflow == group.workflow,
        _T.route == group.route,
        _T.id <= group.last,
        _T.decided_at.is_not(None),
    )
    row = tx.execute(found.order_by(_T.decided_at.desc()).limit(1)).one_or_none()
    return None if row is None else _of(row)


def client_of_request(tx: Connection, event_id: str) -> str | None:
    """The client of an event about which somebody was asked; None where nobody was."""
    return tx.execute(
        select(_T.client).where(_T.event_id == event_id).order_by(_T.id.desc()).limit(1)
    ).scalar_one_or_none()


def due_requests(tx: Connection, *, most: int) -> list[EventRequest]:
    """Requests that nobody answered in time, the oldest first."""
    found = select(event_approvals).where(IS_WAITING, _T.decide_by <= now_ms())
    return [_of(row) for row in tx.execute(found.order_by(_T.id).limit(most))]


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """By which word requests end, and whose it is."""

    state: RequestState
    by: str  # an actor
    person: int | None = None  # its row; None: time did it, or an erasure
    grade: str | None = None  # session or api_key


def end_requests(tx: Connection, requests: Sequence[int], ending: Ending) -> None:
    """Write the last word about requests that are held and wait, by their numbers."""
    tx.execute(
        update(event_approvals)
        .where(_T.id.in_(requests), IS_WAITING)
        .values(
            state=ending.state.value,
            decided_at=now_ms(),
            decided_by=ending.by[:255],
            person_id=ending.person,
            grade=ending.grade,
        )
    )


def amenders_of(tx: Connection, ids: Collection[str]) -> dict[str, frozenset[str]]:
    """Who changed the payload of each of these events, as the audit says; without the way.

    Of a program's key it is also whoever made the key.
    """
    table = audit.c
    rows = tx.execute(
        select(table.event_id, table.actor)
        .where(table.event_id.in_(ids), table.action == Move.AMEND.value)
        .distinct()
    ).all()
    makers = _makers(tx, {row.actor.removeprefix(_KEY) for row in rows if _is_key(row)})
    found: dict[str, set[str]] = {event_id: set() for event_id in ids}
    for row in rows:
        found[row.event_id].add(who(row.actor))
        if _is_key(row) and (maker := makers.get(row.actor.removeprefix(_KEY))):
            found[row.event_id].add(who(maker))
    return {event_id: frozenset(names) for event_id, names in found.items()}


_KEY = "key:"


def _is_key(row: AnyRow) -> bool:
    return str(row.actor).startswith(_KEY)


def _makers(tx: Connection, ids: Collection[str]) -> dict[str, str]:
    if not ids:
        return {}
    rows = tx.execute(select(keys.c.id, keys.c.created_by).where(keys.c.id.in_(ids)))
    return {row.id: row.created_by for row in rows}


def _of(row: Any) -> EventRequest:
    return EventRequest(
        id=row.id,
        event_id=row.event_id,
        client=row.client,
        workflow=row.workflow,
        workflow_id=row.workflow_id,
        route=row.route,
        state=RequestState(row.state),
        subject=row.subject,
        salt=row.salt or "",
        connectors=orjson.loads(row.connectors),
        asked_at=row.asked_at,
        decide_by=row.decide_by,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )

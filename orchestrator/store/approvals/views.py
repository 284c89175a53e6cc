"""Requests as people read them: what waits, until when, and what would be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, select

from orchestrator.domain.approvals.requests import (
    MOST_IN_GROUP,
    Group,
    RequestState,
    group_digest,
)
from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import Move
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.store.approvals.contents import Contents, load_contents
from orchestrator.store.approvals.requests import amenders_of
from orchestrator.store.database.schema import event_approvals, workflow_versions
from orchestrator.store.quarantine.actions import effective_payloads
from orchestrator.store.quarantine.asked import IS_WAITING
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.values import iso, iso_time, of_clients

_T = event_approvals.c


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalRow:
    """A request in a list. Times are ISO 8601 in UTC."""

    event: str  # its id
    client: str
    workflow: str
    version: int  # of the workflow that the event runs under
    route: int  # from 1
    when: str  # the rule of the route
    state: str  # waiting, approved, refused, late or withdrawn
    void: bool  # something else would be sent since then
    approver: str  # whom the workflow names
    asked_at: str
    decide_by: str  # later it is a quarantine
    decided_at: str | None  # or when it ended otherwise
    decided_by: str | None  # an actor
    grade: str | None  # how it is known who that was: session or api_key
    digest: str  # what an approval is of: 64 hex digits


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedDelivery:
    """One delivery that would be made."""

    destination: str
    item: Item  # the key of the item that it is for; None: for the whole event
    connector: str
    action: str
    state: str  # as `DeliveryState`: what was made before is not sent again
    send: Mapping[str, object]  # values of the payload, by the field of the tool
    confirm: tuple[str, ...]  # fields that are compared with the record afterwards
    after: tuple[str, ...]  # the destinations that have to be confirmed before it is sent
    pending: tuple[str, ...]  # fields whose values come from the records of these


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalView(ApprovalRow):
    """A request whole."""

    facts: Mapping[str, object]  # those that the route shows, by name
    deliveries: tuple[AskedDelivery, ...]
    connectors: Mapping[str, str | None]  # digests of the definitions that it would go by
    amended_by: tuple[str, ...]  # who changed the payload, and so may not approve it
    why: str | None  # what was said with the decision


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupRow:
    """The requests of one route that wait, as one thing. Times are ISO 8601 in UTC."""

    group: str  # its token, with which it is approved or refused
    client: str
    workflow: str
    route: int  # from 1
    when: str  # the rule of the route
    approver: str
    events: int  # in it; what is asked later is not in it
    asked_at: str  # of the oldest
    decide_by: str  # of the earliest
    digest: str  # what an approval of the group is of


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupView(GroupRow):
    """A group with what each of its events would send."""

    requests: tuple[ApprovalView, ...]  # the oldest first


def list_approvals(
    tx: Connection,
    *,
    client: str | None = None,
    workflow: str | None = None,
    every: bool = False,
    clients: frozenset[str] | None = None,
    after: int | None = None,
    limit: int = 50,
) -> list[tuple[int, ApprovalRow]]:
    """Requests with their numbers: those that wait, the oldest first; or `every` one."""
    found = of_clients(_rows(), _T.client, clients)
    for column, value in ((_T.client, client), (_T.workflow, workflow)):
        if value is not None:
            found = found.where(column == value)
    if not every:
        found = found.where(IS_WAITING)
    if after is not None:
        found = found.where(_T.id > after)
    rows = tx.execute(found.order_by(_T.id).limit(limit)).all()
    said = _Said()
    return [(row.id, ApprovalRow(**said.head(row))) for row in rows]


def show_approval(
    tx: Connection, event_id: str, clients: frozenset[str] | None = None
) -> ApprovalView | None:
    """The newest request of an event with what would be sent; None where there is none."""
    found = of_clients(_rows().where(_T.event_id == event_id), _T.client, clients)
    row = tx.execute(found.order_by(_T.id.desc()).limit(1)).one_or_none()
    return None if row is None else _views(tx, [row])[0]


def list_groups(
    tx: Connection,
    *,
    client: str | None = None,
    workflow: str | None = None,
    clients: frozenset[str] | None = None,
) -> list[GroupRow]:
    """What waits, by client, workflow and route."""
    names = (_T.client, _T.workflow, _T.route)
    found = of_clients(select(*names, func.max(_T.id)).where(IS_WAITING), _T.client, clients)
    for column, value in ((_T.client, client), (_T.workflow, workflow)):
        if value is not None:
            found = found.where(column == value)
    groups = [
        Group(client=row[0], workflow=row[1], route=row[2], last=row[3])
        for row in tx.execute(found.group_by(*names).order_by(*names))
    ]
    said = _Said()
    return [GroupRow(**said.group(rows)) for one in groups if (rows := _rows_of_group(tx, one))]


def show_group(
    tx: Connection, group: Group, clients: frozenset[str] | None = None
) -> GroupView | None:
    """A group with what each of its events would send; None where nothing waits in it."""
    if clients is not None and group.client not in clients:
        return None
    rows = _rows_of_group(tx, group)
    if not rows:
        return None
    return GroupView(**_Said().group(rows), requests=tuple(_views(tx, rows)))


def _rows() -> Select[Any]:
    versions = workflow_versions.c
    return select(event_approvals, versions.version, versions.definition).join(
        workflow_versions, versions.id == _T.workflow_id
    )


def _rows_of_group(tx: Connection, group: Group) -> Sequence[Any]:
    found = _rows().where(
        IS_WAITING,
        _T.client == group.client,
        _T.workflow == group.workflow,
        _T.route == group.route,
        _T.id <= group.last,
    )
    return tx.execute(found.order_by(_T.id).limit(MOST_IN_GROUP)).all()


class _Said:
    """What definitions say of routes; each is read once."""

    def __init__(self) -> None:
        self._read: dict[int, Any] = {}

    def head(self, row: Any) -> dict[str, Any]:
        """The fields of ApprovalRow."""
        definition = self._definition(row)
        return {
            "event": row.event_id,
            "client": row.client,
            "workflow": row.workflow,
            "version": row.version,
            "route": row.route,
            "when": definition["routes"][row.route - 1]["when"],
            "state": row.state,
            "void": row.void_at is not None,
            "approver": definition["owners"]["approver"],
            "asked_at": iso_time(row.asked_at),
            "decide_by": iso_time(row.decide_by),
            "decided_at": iso(row.decided_at),
            "decided_by": row.decided_by,
            "grade": row.grade,
            "digest": row.subject,
        }

    def group(self, rows: Sequence[Any]) -> dict[str, Any]:
        """The fields of GroupRow."""
        newest = rows[-1]
        definition = self._definition(newest)
        token = Group(
            client=newest.client, workflow=newest.workflow, route=newest.route, last=newest.id
        )
        return {
            "group": str(token),
            "client": newest.client,
            "workflow": newest.workflow,
            "route": newest.route,
            "when": definition["routes"][newest.route - 1]["when"],
            "approver": definition["owners"]["approver"],
            "events": len(rows),
            "asked_at": iso_time(min(row.asked_at for row in rows)),
            "decide_by": iso_time(min(row.decide_by for row in rows)),
            "digest": group_digest((row.event_id, row.subject) for row in rows),
        }

    def _definition(self, row: Any) -> Any:
        if row.workflow_id not in self._read:
            self._read[row.workflow_id] = orjson.loads(row.definition)
        return self._read[row.workflow_id]


def _views(tx: Connection, rows: Sequence[Any]) -> list[ApprovalView]:
    shelf, said = WorkflowShelf(), _Said()
    ids = [row.event_id for row in rows]
    payloads, amenders = effective_payloads(tx, ids), amenders_of(tx, ids)
    contents: dict[str, Contents] = {}
    workflows = {one: shelf.take(tx, one) for one in {row.workflow_id for row in rows}}
    for workflow_id, workflow in workflows.items():
        routes = {row.event_id: row.route for row in rows if row.workflow_id == workflow_id}
        contents |= load_contents(tx, routes, workflow)
    return [
        ApprovalView(
            **said.head(row),
            facts=_facts(workflows[row.workflow_id], row.route, payloads.get(row.event_id)),
            deliveries=tuple(_deliveries(contents[row.event_id])),
            connectors=orjson.loads(row.connectors),
            amended_by=tuple(sorted(amenders[row.event_id])),
            why=_why(tx, row) if row.decided_at is not None else None,
        )
        for row in rows
    ]


def _facts(workflow: CompiledWorkflow, route: int, payload: object) -> Mapping[str, object]:
    """The facts that the route shows; none where the payload was erased."""
    approve = workflow.workflow.routes[route - 1].approve
    if payload is None or approve is None:
        return {}
    found = workflow.facts.read(payload)
    if not isinstance(found, Mapping):
        return {}
    return {name: found[name] for name in approve.show if name in found}


_FIELDS = tuple(one.name for one in fields(AskedDelivery))


def _deliveries(contents: Contents) -> Iterable[AskedDelivery]:
    for one in contents.deliveries:
        yield AskedDelivery(**{name: getattr(one, name) for name in _FIELDS})


def _why(tx: Connection, row: Any) -> str | None:
    """What was said with the decision, as the audit has it."""
    words = (Move.APPROVE.value, "refuse") if row.state != RequestState.LATE else ()
    for one in list_audit(tx, event_id=row.event_id, newest_first=True):
        detail = one.detail or {}
        if one.action in words and detail.get("subject") == row.subject:
            why = detail.get("why")
            return None if why is None else str(why)
    return None

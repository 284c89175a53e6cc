"""Requests as people read them: what waits, until when, and what would be sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import orjson
from sqlalchemy import Connection

from orchestrator.domain.approvals.requests import Group, RequestState
from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import Move
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.store.approvals.contents import Contents, load_contents
from orchestrator.store.approvals.list import (
    ApprovalRow,
    GroupRow,
    Said,
    approval_rows,
    rows_of_group,
)
from orchestrator.store.approvals.requests import amenders_of
from orchestrator.store.database.schema import event_approvals
from orchestrator.store.quarantine.actions import effective_payloads
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.values import of_clients

_T = event_approvals.c


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
class GroupView(GroupRow):
    """A group with what each of its events would send."""

    requests: tuple[ApprovalView, ...]  # the oldest first


def show_approval(
    tx: Connection, event_id: str, clients: frozenset[str] | None = None
) -> ApprovalView | None:
    """The newest request of an event with what would be sent; None where there is none."""
    found = of_clients(approval_rows().where(_T.event_id == event_id), _T.client, clients)
    row = tx.execute(found.order_by(_T.id.desc()).limit(1)).one_or_none()
    return None if row is None else _views(tx, [row])[0]


def show_group(
    tx: Connection, group: Group, clients: frozenset[str] | None = None
) -> GroupView | None:
    """A group with what each of its events would send; None where nothing waits in it."""
    if clients is not None and group.client not in clients:
        return None
    rows = rows_of_group(tx, group)
    if not rows:
        return None
    return GroupView(**_fields(Said().group(rows)), requests=tuple(_views(tx, rows)))


def _views(tx: Connection, rows: Sequence[Any]) -> list[ApprovalView]:
    shelf, said = WorkflowShelf(), Said()
    ids = [row.event_id for row in rows]
    payloads, amenders = effective_payloads(tx, ids), amenders_of(tx, ids)
    contents: dict[str, Contents] = {}
    workflows = {one: shelf.take(tx, one) for one in {row.workflow_id for row in rows}}
    for workflow_id, workflow in workflows.items():
        routes = {row.event_id: row.route for row in rows if row.workflow_id == workflow_id}
        contents |= load_contents(tx, routes, workflow)
    return [
        ApprovalView(
            **_fields(said.head(row)),
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


def _fields(row: ApprovalRow | GroupRow) -> dict[str, Any]:
    return {one.name: getattr(row, one.name) for one in fields(row)}


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

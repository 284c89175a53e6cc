"""Requests for approvals of events in lists: what this needs does not compile a workflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, select

from orchestrator.domain.approvals.requests import MOST_IN_GROUP, Group, group_digest
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import event_approvals, workflow_versions
from orchestrator.store.quarantine.asked import IS_WAITING
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
    digest: str  # what an approval covers: 64 hex digits


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
    found = of_clients(approval_rows(), _T.client, clients)
    for column, value in ((_T.client, client), (_T.workflow, workflow)):
        if value is not None:
            found = found.where(column == value)
    if not every:
        found = found.where(IS_WAITING)
    if after is not None:
        found = found.where(_T.id > after)
    rows = tx.execute(found.order_by(_T.id).limit(limit)).all()
    said = Said()
    return [(row.id, said.head(row)) for row in rows]


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
    said = Said()
    return [said.group(rows) for one in groups if (rows := rows_of_group(tx, one))]


def approval_rows() -> Select[tuple[Any, ...]]:
    """Requests, each beside the version that its event runs under."""
    versions = workflow_versions.c
    return select(event_approvals, versions.version, versions.definition).join(
        workflow_versions, versions.id == _T.workflow_id
    )


def rows_of_group(tx: Connection, group: Group) -> Sequence[AnyRow]:
    """The requests of a group that wait, the oldest first."""
    found = approval_rows().where(
        IS_WAITING,
        _T.client == group.client,
        _T.workflow == group.workflow,
        _T.route == group.route,
        _T.id <= group.last,
    )
    return tx.execute(found.order_by(_T.id).limit(MOST_IN_GROUP)).all()


class Said:
    """What definitions say of routes; each is read once."""

    def __init__(self) -> None:
        self._read: dict[int, Any] = {}

    def head(self, row: AnyRow) -> ApprovalRow:
        """A request as a list has it."""
        definition = self._definition(row)
        return ApprovalRow(
            event=row.event_id,
            client=row.client,
            workflow=row.workflow,
            version=row.version,
            route=row.route,
            when=definition["routes"][row.route - 1]["when"],
            state=row.state,
            void=row.void_at is not None,
            approver=definition["owners"]["approver"],
            asked_at=iso_time(row.asked_at),
            decide_by=iso_time(row.decide_by),
            decided_at=iso(row.decided_at),
            decided_by=row.decided_by,
            grade=row.grade,
            digest=row.subject,
        )

    def group(self, rows: Sequence[AnyRow]) -> GroupRow:
        """The requests of a group as a list has them."""
        newest = rows[-1]
        definition = self._definition(newest)
        token = Group(
            client=newest.client, workflow=newest.workflow, route=newest.route, last=newest.id
        )
        return GroupRow(
            group=str(token),
            client=newest.client,
            workflow=newest.workflow,
            route=newest.route,
            when=definition["routes"][newest.route - 1]["when"],
            approver=definition["owners"]["approver"],
            events=len(rows),
            asked_at=iso_time(min(row.asked_at for row in rows)),
            decide_by=iso_time(min(row.decide_by for row in rows)),
            digest=group_digest((row.event_id, row.subject) for row in rows),
        )

    def _definition(self, row: Any) -> Any:
        if row.workflow_id not in self._read:
            self._read[row.workflow_id] = orjson.loads(row.definition)
        return self._read[row.workflow_id]

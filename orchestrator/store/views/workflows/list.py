"""What people read of workflows in a list: whose they are, and how much is on its way in each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson
from sqlalchemy import Connection, Select, exists, func, select, tuple_, union_all

from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.schema import events, incidents, quarantine, workflow_versions
from orchestrator.store.views.events.held_deliveries import count_held_events
from orchestrator.store.views.values import iso, iso_time, of_clients

Name = tuple[str, str]
"""Client and workflow."""

NEWEST = 20_000  # events of all workflows, among which the last one of each is looked for


@dataclass(frozen=True, kw_only=True, slots=True)
class LastEvent:
    """When a workflow's last event came. Times are ISO 8601 in UTC."""

    at: str | None  # None: it is none of the newest events of the store
    before: str | None  # then: it came before this time; None: there was never one


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowCounts:
    """Events of one workflow that are not at their end, of all of its versions."""

    under_way: int  # that a worker has still to drive on; those that are held are among them
    held: int  # with a delivery that waits at a destination
    quarantined: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowRow:
    """The live version of a workflow, with what is not at its end."""

    client: str
    workflow: str  # its name
    title: str
    version: int
    type: str  # of the trigger that it takes
    owner: str  # an e-mail address, as are the next three
    recovery_lead: str
    approver: str
    backstop: str
    destinations: tuple[tuple[str, str], ...]  # each name, and what it calls: crm.upsert_contact
    deliver_within: str  # a duration, such as 15m
    recover_within: str
    published_at: str  # ISO 8601 in UTC
    published_by: str  # an actor, such as `cli:dana`
    counts: WorkflowCounts
    last_event: LastEvent


def list_workflows(
    tx: Connection,
    *,
    client: str | None = None,
    clients: frozenset[str] | None = None,
    owner: str | None = None,
    after: Name | None = None,
    limit: int = 100,
) -> list[WorkflowRow]:
    """Live workflows by client and name; `owner` is anybody whom the version names in a role."""
    chosen = of_clients(_chosen(client, owner, after), workflow_versions.c.client, clients)
    if owner is None:
        chosen = chosen.limit(limit)
    # A text in a definition may be another thing than an owner, so that is looked at again.
    named = (row for row in tx.execute(chosen) if owner is None or _names(row, owner))
    rows = list(islice(named, limit))
    counts = count_unfinished(tx)
    last = find_last_events(tx, [(row.client, row.name) for row in rows])
    return [_workflow(row, counts, last) for row in rows]


def _chosen(client: str | None, owner: str | None, after: Name | None) -> Select[Any]:
    table = workflow_versions.c
    statement = (
        select(
            table.client,
            table.name,
            table.version,
            table.trigger_type,
            table.definition,
            table.published_at,
            table.published_by,
        )
        .where(table.live)
        .order_by(table.client, table.name)
    )
    if client is not None:
        statement = statement.where(table.client == client)
    if owner is not None:
        as_json = orjson.dumps(owner).decode()
        statement = statement.where(table.definition.contains(as_json, autoescape=True))
    if after is not None:
        statement = statement.where(tuple_(table.client, table.name) > tuple_(*after))
    return statement


def _names(row: AnyRow, owner: str) -> bool:
    return owner in orjson.loads(row.definition)["owners"].values()


def _workflow(
    row: AnyRow, counts: Mapping[Name, WorkflowCounts], last: Mapping[Name, LastEvent]
) -> WorkflowRow:
    said, name = orjson.loads(row.definition), (row.client, row.name)
    return WorkflowRow(
        client=row.client,
        workflow=row.name,
        title=said["title"],
        version=row.version,
        type=row.trigger_type,
        **said["owners"],
        destinations=tuple(
            (name, f"{one['connector']}.{one['action']}")
            for name, one in said["destinations"].items()
        ),
        deliver_within=said["sla"]["deliver_within"],
        recover_within=said["sla"]["recover_within"],
        published_at=iso_time(row.published_at),
        published_by=row.published_by,
        counts=counts.get(name, NOTHING),
        last_event=last[name],
    )


NOTHING = WorkflowCounts(under_way=0, held=0, quarantined=0)


def count_unfinished(tx: Connection) -> dict[Name, WorkflowCounts]:
    """What is not at its end, by client and workflow; who has nothing is left out."""
    under_way, held, standing = _under_way(tx), count_held_events(tx), _standing(tx)
    return {
        name: WorkflowCounts(
            under_way=under_way.get(name, 0),
            held=held.get(name, 0),
            quarantined=standing.get(name, 0),
        )
        for name in {*under_way, *held, *standing}
    }


def _under_way(tx: Connection) -> dict[Name, int]:
    versions = workflow_versions.c
    by_version = (
        select(events.c.workflow_id, func.count().label("events"))
        .where(events.c.due_at.is_not(None))
        .group_by(events.c.workflow_id)  # so that the index alone answers
        .subquery()
    )
    rows = tx.execute(
        select(versions.client, versions.name, func.sum(by_version.c.events))
        .join_from(by_version, workflow_versions, versions.id == by_version.c.workflow_id)
        .group_by(versions.client, versions.name)
    )
    return {(row[0], row[1]): int(row[2]) for row in rows}


def _standing(tx: Connection) -> dict[Name, int]:
    """Events in quarantine: counted by incident, for that an index has."""
    stay = quarantine.c
    by_incident = (
        select(stay.incident_id, func.count().label("events"))
        .where(stay.released_at.is_(None), stay.incident_id.is_not(None))
        .group_by(stay.incident_id)
        .subquery()
    )
    grouped = select(incidents.c.client, incidents.c.workflow, by_incident.c.events).join_from(
        by_incident, incidents, incidents.c.id == by_incident.c.incident_id
    )
    # These came before there were incidents.
    ungrouped = (
        select(stay.client, stay.workflow, func.count())
        .where(stay.released_at.is_(None), stay.incident_id.is_(None))
        .group_by(stay.client, stay.workflow)
    )
    found: dict[Name, int] = {}
    for client, workflow, count in tx.execute(union_all(grouped, ungrouped)):
        found[client, workflow] = found.get((client, workflow), 0) + count
    return found


def find_last_events(
    tx: Connection, names: Iterable[Name], *, newest: int = NEWEST
) -> dict[Name, LastEvent]:
    """When the last event of each of these came, as far as the newest events of the store say.

    There is no index of a workflow's events by time: it would cost every event that is accepted.
    """
    table = events.c
    looked = (
        select(table.client, table.workflow, table.accepted_at)
        .order_by(table.id.desc())
        .limit(newest)
        .subquery()
    )
    seen, at = looked.c, looked.c.accepted_at
    rows = tx.execute(
        select(seen.client, seen.workflow, func.max(at), func.min(at), func.count()).group_by(
            seen.client, seen.workflow
        )
    ).all()
    last = {(row[0], row[1]): row[2] for row in rows}
    is_all = sum(row[4] for row in rows) < newest
    edge = None if is_all else min((row[3] for row in rows), default=None)
    missing = [name for name in names if name not in last]
    older = _with_events(tx, missing) if missing and edge is not None else set()
    return {
        name: LastEvent(at=iso(last.get(name)), before=iso(edge) if name in older else None)
        for name in {*last, *missing}
    }


def _with_events(tx: Connection, names: Iterable[Name]) -> set[Name]:
    """Those of these that ever had an event, by the index of the idempotency keys."""
    versions = workflow_versions.c
    of_it = exists().where(events.c.client == versions.client, events.c.workflow == versions.name)
    rows = tx.execute(
        select(versions.client, versions.name)
        .distinct()
        .where(tuple_(versions.client, versions.name).in_(list(names)), of_it)
    )
    return {(row[0], row[1]) for row in rows}

"""Published versions of workflows as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, select

from orchestrator.store.database.schema import workflow_versions
from orchestrator.store.views.values import iso_time, of_clients


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowVersion:
    """One version, without its definition."""

    client: str
    workflow: str  # its name
    version: int  # counted by client and name, from 1
    live: bool  # new events go through it
    type: str  # of the trigger that it takes, such as `lead.created`
    digest: str  # of its definition: 64 hex digits
    published_at: str  # ISO 8601 in UTC
    published_by: str  # an actor, such as `cli:dana`


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowDefinition(WorkflowVersion):
    """One version whole."""

    definition: dict[str, object]  # the workflow file as it was published, as JSON


MOST_VERSIONS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkflowView:
    """One version of a workflow, and the newest ones beside it."""

    shown: WorkflowDefinition
    versions: tuple[WorkflowVersion, ...]  # the newest first, at most `MOST_VERSIONS`
    older: int  # versions that are not among them


def list_versions(
    tx: Connection,
    *,
    client: str | None = None,
    clients: frozenset[str] | None = None,
    all_versions: bool,
) -> list[WorkflowVersion]:
    """Versions by client, name and number; only live ones unless `all_versions`."""
    chosen = _chosen(select(*_HEAD), client, None, all_versions=all_versions)
    rows = tx.execute(of_clients(chosen, workflow_versions.c.client, clients))
    return [WorkflowVersion(**_head(row)) for row in rows]


def list_definitions(
    tx: Connection,
    *,
    client: str | None = None,
    clients: frozenset[str] | None = None,
    name: str | None = None,
    all_versions: bool,
) -> list[WorkflowDefinition]:
    """The same with their definitions, of all workflows or of those of one name."""
    columns = select(*_HEAD, workflow_versions.c.definition)
    chosen = _chosen(columns, client, name, all_versions=all_versions)
    rows = tx.execute(of_clients(chosen, workflow_versions.c.client, clients))
    return [
        WorkflowDefinition(**_head(row), definition=orjson.loads(row.definition)) for row in rows
    ]


def show_workflow(
    tx: Connection, client: str, name: str, *, version: int | None = None
) -> WorkflowView | None:
    """A version of a workflow, else its live one; None where there is none."""
    table = workflow_versions.c
    same = (table.client == client, table.name == name)
    chosen = table.live if version is None else table.version == version
    row = tx.execute(select(*_HEAD, table.definition).where(*same, chosen)).one_or_none()
    if row is None:
        return None
    newest = select(*_HEAD).where(*same).order_by(table.version.desc()).limit(MOST_VERSIONS)
    versions = tuple(WorkflowVersion(**_head(one)) for one in tx.execute(newest))
    every = tx.execute(select(func.count()).where(*same)).scalar_one()
    return WorkflowView(
        shown=WorkflowDefinition(**_head(row), definition=orjson.loads(row.definition)),
        versions=versions,
        older=every - len(versions),
    )


_HEAD = tuple(
    workflow_versions.c[name]
    for name in (
        *("client", "name", "version", "live", "trigger_type", "digest"),
        *("published_at", "published_by"),
    )
)


def _chosen(
    statement: Select[Any], client: str | None, name: str | None, *, all_versions: bool
) -> Select[Any]:
    table = workflow_versions.c
    statement = statement.order_by(table.client, table.name, table.version)
    if client:
        statement = statement.where(table.client == client)
    if name:
        statement = statement.where(table.name == name)
    return statement if all_versions else statement.where(table.live)


def _head(row: Any) -> dict[str, Any]:
    """The fields of WorkflowVersion."""
    return {
        "client": row.client,
        "workflow": row.name,
        "version": row.version,
        "live": bool(row.live),
        "type": row.trigger_type,
        "digest": row.digest,
        "published_at": iso_time(row.published_at),
        "published_by": row.published_by,
    }

"""Published versions of workflows as people read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Select, select

from orchestrator.store.database.schema import workflow_versions
from orchestrator.store.views.values import iso_time


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


def list_versions(
    tx: Connection, *, client: str | None = None, all_versions: bool
) -> list[WorkflowVersion]:
    """Versions by client, name and number; only live ones unless `all_versions`."""
    rows = tx.execute(_chosen(select(*_HEAD), client, None, all_versions=all_versions))
    return [WorkflowVersion(**_head(row)) for row in rows]


def list_definitions(
    tx: Connection, *, client: str | None = None, name: str | None = None, all_versions: bool
) -> list[WorkflowDefinition]:
    """The same with their definitions, of all workflows or of those of one name."""
    columns = select(*_HEAD, workflow_versions.c.definition)
    rows = tx.execute(_chosen(columns, client, name, all_versions=all_versions))
    return [
        WorkflowDefinition(**_head(row), definition=orjson.loads(row.definition)) for row in rows
    ]


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

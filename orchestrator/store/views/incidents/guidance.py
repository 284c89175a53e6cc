"""What a workflow gives to people who read of its incidents; read without compiling anything."""

from __future__ import annotations

from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, select

from orchestrator.store.database.schema import workflow_versions


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """Of the newest version of a workflow."""

    runbook: str | None  # an address or text
    zone: str | None  # the time zone of its calendar, such as Europe/Berlin


def guidance_of(tx: Connection, client: str, workflow: str) -> Guidance:
    """The guidance of a workflow; empty if it was never published."""
    table = workflow_versions.c
    newest = (
        select(table.definition)
        .where(table.client == client, table.name == workflow, table.trial.is_(None))
        .order_by(table.id.desc())
        .limit(1)
    )
    found = tx.execute(newest).scalar_one_or_none()
    definition = orjson.loads(found) if found else {}
    calendar = definition.get("sla", {}).get("calendar") or {}
    return Guidance(runbook=definition.get("runbook"), zone=calendar.get("zone"))

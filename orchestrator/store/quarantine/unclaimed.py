"""What a source sends and no workflow takes: the version that it is kept under."""

from __future__ import annotations

import orjson
from sqlalchemy import Connection, select

from orchestrator.domain.changes.subject import definition_digest
from orchestrator.domain.sources.source import Source
from orchestrator.domain.sources.unclaimed import unclaimed_workflow
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import workflow_versions
from orchestrator.store.database.upserts import upsert
from orchestrator.store.quarantine.workflows import LiveWorkflow


def unclaimed_version(tx: Connection, source: Source) -> LiveWorkflow:
    """The version under which a source's unclaimed events are kept; made where it is not there.

    It is never live: it takes no trigger, and nobody approves it. When the source's owners change
    it has a next version, so that what is kept keeps the owners that it came with.
    """
    workflow, table = unclaimed_workflow(source), workflow_versions.c
    definition = workflow.definition()
    digest = definition_digest(definition)
    same = (table.client == workflow.client, table.name == workflow.name)
    columns = (table.id, table.version, table.digest)
    last = tx.execute(
        select(*columns).where(*same).order_by(table.version.desc()).limit(1)
    ).one_or_none()
    if last is not None and last.digest == digest:
        return _named(source, last.id, last.version, digest)
    version = 1 if last is None else last.version + 1
    fresh = upsert(tx.dialect.name, workflow_versions).values(
        client=workflow.client,
        name=workflow.name,
        version=version,
        trigger_type=workflow.trigger_type,
        definition=orjson.dumps(definition).decode(),
        digest=digest,
        live=False,
        published_at=now_ms(),
        published_by=source.actor,
    )
    # Another door may make it at the same moment: then it is that one.
    tx.execute(
        fresh.on_conflict_do_nothing(index_elements=[table.client, table.name, table.version])
    )
    made = tx.execute(select(*columns).where(*same, table.version == version)).one()
    return _named(source, made.id, made.version, made.digest)


def _named(source: Source, version_id: int, version: int, digest: str) -> LiveWorkflow:
    workflow = unclaimed_workflow(source)
    return LiveWorkflow(
        id=version_id,
        client=workflow.client,
        name=workflow.name,
        version=version,
        trigger_type=workflow.trigger_type,
        digest=digest,
        ordering_text=None,
    )

"""Publish a workflow: a new immutable version becomes the live one of its name."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import WorkflowConflict
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_client
from orchestrator.store.quarantine.workflows import (
    LiveWorkflow,
    add_version,
    definition_of,
    live_workflow,
    trigger_holder,
)


@dataclass(frozen=True, kw_only=True)
class Published:
    """What publishing did."""

    client: str
    workflow: str
    version: int
    unchanged: bool  # the live version says the same already
    lost_amend: int = 0  # steps of the live version's `amend` that this one has not


def publish_workflow(
    store: Store,
    workflow: Workflow,
    *,
    actor: str,
    dry_run: bool = False,
    instead_of: int | None = None,
) -> Published:
    """Make a checked workflow live. Events on their way stay with the version they began with.

    With `dry_run` nothing changes, and the version is the one that it would get. Raises
    WorkflowConflict where another live workflow takes the same trigger, and where the live version
    is not `instead_of` any more, if that is given.
    """
    digest = strict_json.digest(workflow.definition())
    with store.write() as tx:
        hold_client(tx, workflow.client)
        live = live_workflow(tx, workflow.client, workflow.name)
        if instead_of is not None and (live is None or live.version != instead_of):
            raise WorkflowConflict(
                f"version {instead_of} of {workflow.name!r} is not live any more",
                field="version",
                fix="look at the version that is, and do it again",
            )
        if live is not None and live.digest == digest:
            return _published(workflow, live.version, unchanged=True)
        holder = trigger_holder(tx, workflow.client, workflow.trigger_type)
        if holder not in (None, workflow.name):
            raise WorkflowConflict(
                f"{workflow.trigger_type!r} of client {workflow.client!r} is taken by the live"
                f" workflow {holder!r}",
                field="trigger.type",
                fix=f"choose another type, or publish a version of {holder!r} with another one",
            )
        lost = _lost_steps(tx, live, workflow)
        if dry_run:
            version = live.version + 1 if live else 1
            return _published(workflow, version, unchanged=False, lost=lost)
        version = add_version(tx, workflow, digest=digest, actor=actor)
        audit.record(
            tx,
            actor=actor,
            action="publish",
            client=workflow.client,
            workflow=workflow.name,
            detail={"version": version, "digest": digest},
        )
    return _published(workflow, version, unchanged=False, lost=lost)


def _lost_steps(tx: Tx, live: LiveWorkflow | None, workflow: Workflow) -> int:
    """How many steps that a person published with a recipe the new version does without."""
    if live is None:
        return 0
    before = orjson.loads(definition_of(tx, live.id)).get("amend", [])
    kept = [one.describe() for one in workflow.amend]
    return sum(one not in kept for one in before)


def _published(workflow: Workflow, version: int, *, unchanged: bool, lost: int = 0) -> Published:
    return Published(
        client=workflow.client,
        workflow=workflow.name,
        version=version,
        unchanged=unchanged,
        lost_amend=lost,
    )

"""Published workflows: immutable versions, of which at most one is live for a trigger."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, func, insert, select, update

from orchestrator.domain.errors import NotFound
from orchestrator.domain.workflows.ordering.keys import Ordering
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import workflow_versions

if TYPE_CHECKING:  # what lists versions does not read them
    from orchestrator.domain.workflows.compiled import CompiledWorkflow
    from orchestrator.domain.workflows.workflow import Workflow


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveWorkflow:
    """A live version, without its definition."""

    id: int  # of the version
    client: str
    name: str
    version: int  # counted by client and name, from 1
    trigger_type: str  # what it takes, such as `lead.created`; no other live one of the client does
    digest: str  # of its definition: 64 hex digits
    ordering_text: str | None  # how its events are ordered, as it is stored; None: they are not
    canary_text: str | None = None  # the candidate that decides about some of its events

    @property
    def ordering(self) -> Ordering | None:
        """How its events are ordered."""
        return Ordering.from_text(self.ordering_text) if self.ordering_text else None


LIVE = select(
    workflow_versions.c.id,
    workflow_versions.c.client,
    workflow_versions.c.name,
    workflow_versions.c.version,
    workflow_versions.c.trigger_type,
    workflow_versions.c.digest,
    workflow_versions.c.ordering.label("ordering_text"),
    workflow_versions.c.canary.label("canary_text"),
).where(workflow_versions.c.live)
"""The live versions, a column for each field of `LiveWorkflow`."""


def live_workflows(tx: Connection) -> dict[tuple[str, str], LiveWorkflow]:
    """Every live workflow by (client, trigger type)."""
    found = [LiveWorkflow(**row._mapping) for row in tx.execute(LIVE)]
    return {(one.client, one.trigger_type): one for one in found}


def has_workflows(tx: Connection, client: str) -> bool:
    """Whether a client has, or ever had, a workflow."""
    found = select(workflow_versions.c.id).where(workflow_versions.c.client == client)
    return tx.execute(found.limit(1)).first() is not None


def live_workflow(tx: Connection, client: str, name: str) -> LiveWorkflow | None:
    """The live version of a workflow, or None."""
    table = workflow_versions.c
    row = tx.execute(LIVE.where(table.client == client, table.name == name)).one_or_none()
    return LiveWorkflow(**row._mapping) if row else None


def require_live(tx: Connection, client: str, name: str) -> LiveWorkflow:
    """The live version of a workflow. Raises NotFound where there is none."""
    live = live_workflow(tx, client, name)
    if live is None:
        raise NotFound(
            f"workflow {name!r} of client {client!r} has no live version",
            field="workflow",
            fix="publish it with `meshline workflow publish FILE`",
        )
    return live


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptVersion:
    """A version that is or was live, or that a rollout tries or tried."""

    id: int
    version: int
    definition: str  # JSON
    digest: str
    ordering_text: str | None
    is_candidate: bool  # it was never live


def kept_version(tx: Connection, client: str, name: str, version: int) -> KeptVersion | None:
    """A version of a workflow by its number; also a candidate, which may never be live."""
    table = workflow_versions.c
    columns = (table.id, table.version, table.definition, table.digest, table.ordering, table.trial)
    found = select(*columns).where(
        table.client == client,
        table.name == name,
        table.version == version,
        # What a source keeps its unclaimed events under was never live, and never is to be.
        ~table.published_by.startswith("source:"),
    )
    row = tx.execute(found).one_or_none()
    return (
        None
        if row is None
        else KeptVersion(
            id=row.id,
            version=row.version,
            definition=row.definition,
            digest=row.digest,
            ordering_text=row.ordering,
            is_candidate=row.trial is not None,
        )
    )


def version_of(tx: Connection, workflow_id: int) -> int:
    """The number of a version."""
    table = workflow_versions.c
    return int(tx.execute(select(table.version).where(table.id == workflow_id)).scalar_one())


def definition_of(tx: Connection, workflow_id: int) -> str:
    """A version's definition, as JSON text."""
    table = workflow_versions.c
    return str(tx.execute(select(table.definition).where(table.id == workflow_id)).scalar_one())


def definition_of_version(tx: Connection, client: str, name: str, version: int) -> str | None:
    """The same by its number; None where there is no such version."""
    table = workflow_versions.c
    found = select(table.definition).where(
        table.client == client, table.name == name, table.version == version
    )
    return tx.execute(found).scalar_one_or_none()


def trigger_holder(tx: Connection, client: str, trigger_type: str) -> str | None:
    """The name of the live workflow that takes a trigger, or None."""
    table = workflow_versions.c
    return tx.execute(
        select(table.name).where(
            table.client == client, table.trigger_type == trigger_type, table.live
        )
    ).scalar_one_or_none()


def connectors_of(tx: Connection, workflow_id: int) -> dict[str, str]:
    """The connector definitions that were approved with a version, by name; none: any will do."""
    table = workflow_versions.c
    text = tx.execute(select(table.connectors).where(table.id == workflow_id)).scalar_one()
    return {} if text is None else orjson.loads(text)


def live_connectors(tx: Connection, client: str, name: str) -> dict[str, str]:
    """The same of the live version of a workflow; none where no version is live."""
    table = workflow_versions.c
    same = (table.client == client, table.name == name, table.live)
    text = tx.execute(select(table.connectors).where(*same)).scalar_one_or_none()
    return {} if text is None else orjson.loads(text)


def approved_definitions(tx: Connection) -> dict[tuple[str, str], dict[str, str]]:
    """The same by client and workflow, of all live versions that have some."""
    table = workflow_versions.c
    found = select(table.client, table.name, table.connectors)
    rows = tx.execute(found.where(table.live, table.connectors.is_not(None)))
    return {(row.client, row.name): orjson.loads(row.connectors) for row in rows}


def make_live(
    tx: Connection,
    workflow: Workflow,
    *,
    digest: str,
    actor: str,
    change: int,
    connectors: str | None,
) -> int:
    """Make `workflow` the live version of its name; the version's number.

    Only `operations/changes/go_live.py` calls it, and `end_live`: it has checked who said yes.
    """
    end_live(tx, workflow.client, workflow.name)
    return _add(
        tx, workflow, digest=digest, actor=actor, change=change, connectors=connectors, live=True
    )[1]


def add_candidate(
    tx: Connection,
    workflow: Workflow,
    *,
    digest: str,
    actor: str,
    change: int,
    connectors: str | None,
) -> tuple[int, int]:
    """Keep `workflow` as a version that is not live: the id of its row, and its number.

    It decides about the events that a canary gives it. Only `operations/changes/go_live.py` calls
    it, as `make_live`.
    """
    return _add(
        tx, workflow, digest=digest, actor=actor, change=change, connectors=connectors, live=False
    )


def promote_candidate(tx: Connection, client: str, name: str, workflow_id: int) -> int:
    """Make a candidate whose rollout has passed the live version; its number.

    Only `operations/changes/go_live.py` calls it, as `make_live`.
    """
    table = workflow_versions.c
    end_live(tx, client, name)
    mine = (table.id == workflow_id, table.client == client, table.name == name)
    running = (*mine, table.trial == TrialState.RUNNING.value)
    values = {"live": True, "trial": None, "published_at": now_ms()}
    done = tx.execute(
        update(workflow_versions).where(*running).values(values).returning(table.version)
    )
    return int(done.scalar_one())


class TrialState(StrEnum):
    """The states of a version that was never live."""

    RUNNING = "running"
    STOPPED = "stopped"  # it went back; what it had routed goes on with it


def _add(
    tx: Connection,
    workflow: Workflow,
    *,
    digest: str,
    actor: str,
    change: int,
    connectors: str | None,
    live: bool,
) -> tuple[int, int]:
    table = workflow_versions.c
    same = (table.client == workflow.client, table.name == workflow.name)
    last = tx.execute(select(func.max(table.version)).where(*same)).scalar_one()
    version = (last or 0) + 1
    added = insert(workflow_versions).values(
        client=workflow.client,
        name=workflow.name,
        version=version,
        trigger_type=workflow.trigger_type,
        definition=orjson.dumps(workflow.definition()).decode(),
        digest=digest,
        live=live,
        trial=None if live else TrialState.RUNNING.value,
        published_at=now_ms(),
        published_by=actor,
        ordering=workflow.ordering.as_text() if workflow.ordering else None,
        change_id=change,
        connectors=connectors,
    )
    return int(tx.execute(added.returning(table.id)).scalar_one()), version


def make_live_again(tx: Connection, client: str, name: str, version: int) -> bool:
    """Make a version live that was so before; False where there is none, or it is live.

    Only `operations/changes/go_live.py` calls it, as `make_live`.
    """
    table = workflow_versions.c
    end_live(tx, client, name)
    same = (table.client == client, table.name == name, table.version == version)
    done = tx.execute(update(workflow_versions).where(*same).values(live=True, trial=None))
    return done.rowcount == 1


def end_live(tx: Connection, client: str, name: str) -> None:
    """Let no version of a workflow be live; events on their way go on with theirs."""
    table = workflow_versions.c
    same = (table.client == client, table.name == name, table.live)
    tx.execute(update(workflow_versions).where(*same).values(live=False, canary=None))


class WorkflowShelf:
    """Compiled workflows by version id; a version never changes, so it is compiled once."""

    def __init__(self) -> None:
        self._compiled: dict[int, CompiledWorkflow] = {}
        self._lock = threading.Lock()

    def take(self, tx: Connection, workflow_id: int) -> CompiledWorkflow:
        """The compiled version; read from the store where it is not at hand."""
        found = self._compiled.get(workflow_id)
        if found is None:
            definition, connectors = _as_published(tx, workflow_id)
            from orchestrator.domain.workflows.compiled import compile_workflow
            from orchestrator.domain.workflows.workflow import Workflow

            compiled = compile_workflow(Workflow.from_published(definition))
            found = replace(compiled, connectors=connectors)
            with self._lock:
                self._compiled[workflow_id] = found
        return found


def _as_published(tx: Connection, workflow_id: int) -> tuple[dict[str, Any], dict[str, str]]:
    """A version's definition, and the connector definitions that were approved with it."""
    table = workflow_versions.c
    found = select(table.definition, table.connectors).where(table.id == workflow_id)
    row = tx.execute(found).one()
    connectors = {} if row.connectors is None else orjson.loads(row.connectors)
    return orjson.loads(row.definition), connectors


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """Who published a version, and when."""

    published_by: str  # an actor, such as `cli:dana`
    published_at: int  # in milliseconds since 1970


def publication(tx: Connection, workflow_id: int) -> Publication:
    """The publication of a version by its id."""
    table = workflow_versions.c
    found = select(table.published_by, table.published_at).where(table.id == workflow_id)
    by, at = tx.execute(found).one()
    return Publication(published_by=by, published_at=at)

"""Compare a workflow's file with the version that is live; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from orchestrator.domain.changes.differences import Difference, differences
from orchestrator.domain.changes.gates.evidence import ContractTrial
from orchestrator.domain.changes.words.difference import difference_in_words
from orchestrator.domain.changes.words.wording import Wording
from orchestrator.domain.errors import NotFound
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.try_contract import DAYS, MOST_EVENTS, try_contract
from orchestrator.store.changes.recent_payloads import recent_events
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.workflows import definition_of, live_workflow


@dataclass(frozen=True, kw_only=True, slots=True)
class FileDifference:
    """How a file differs from what is live."""

    client: str
    workflow: str
    live_version: int | None  # None: no version is live
    same: bool  # the file says what the live version says
    words: tuple[Wording, ...]  # in sentences
    differences: tuple[Difference, ...]  # place by place
    contract: ContractTrial | None  # None: no version is live, or the file says the same


def compare_with_live(tx: Tx, workflow: Workflow, clients: frozenset[str] | None) -> FileDifference:
    """Compare a checked workflow of one of these clients; None: of any. Raises NotFound."""
    if clients is not None and workflow.client not in clients:
        raise NotFound(
            f"there is no client {workflow.client!r}",
            field="client",
            fix="ask an admin for a role, or name another client in the file",
        )
    live = live_workflow(tx, workflow.client, workflow.name)
    after = workflow.definition()
    before = {} if live is None else orjson.loads(definition_of(tx, live.id))
    places = tuple(differences(before, after))
    base = None if live is None else Workflow.from_published(before)
    trial = None
    if base is not None and places:
        recent = recent_events(tx, workflow.client, workflow.name, days=DAYS, most=MOST_EVENTS)
        trial = try_contract(tx, base, workflow, recent)
    return FileDifference(
        client=workflow.client,
        workflow=workflow.name,
        live_version=None if live is None else live.version,
        same=not places,
        words=difference_in_words(base, workflow),
        differences=places,
        contract=trial,
    )

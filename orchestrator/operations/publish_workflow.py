"""Publish a workflow: propose its next version, which goes live where nobody has to approve it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.gates.evidence import Commit, Evidence, recorded
from orchestrator.domain.changes.rollout import Rollout
from orchestrator.domain.changes.states import ROLLING, ChangeKind
from orchestrator.domain.changes.timing import NOW, time_to_go_live
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import WorkflowConflict
from orchestrator.domain.whys import optional_why
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.access.allow import allow
from orchestrator.operations.changes.gates.gather import Gathered, Rates, gather_evidence
from orchestrator.operations.changes.go_live import check_trigger
from orchestrator.operations.changes.hold import hold_governance
from orchestrator.operations.changes.propose import Proposal, Proposed, propose
from orchestrator.operations.changes.required import needs_approval
from orchestrator.operations.changes.rollout.begin import check_can_roll
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.workflows import (
    LiveWorkflow,
    connectors_of,
    definition_of,
    live_workflow,
)
from orchestrator.store.views.values import now_of


@dataclass(frozen=True, kw_only=True)
class Published:
    """What publishing did, or would do."""

    client: str
    workflow: str
    version: int | None  # that is or would be live; None: it is approved or rolled out first
    unchanged: bool  # the live version says the same already
    lost_amend: int = 0  # steps of the live version's `amend` that this one has not
    state: str = "live"  # or proposed: it waits for an approval; shadow or canary: see its rollout
    change: str | None = None  # the token of the change; None: there is none


def publish_workflow(  # noqa: PLR0913 - each is one thing that a proposal says
    store: Store,
    workflow: Workflow,
    *,
    actor: Actor,
    dry_run: bool = False,
    instead_of: int | None = None,
    kind: ChangeKind = ChangeKind.PUBLISH,
    why: str | None = None,
    at: str | None = None,
    change: str | None = None,
    connectors: Mapping[str, str] | None = None,
    commit: Commit | None = None,
    rates: Rates | None = None,
    rollout: Rollout | None = None,
) -> Published:
    """Propose a checked workflow. Events on their way stay with the version they began with.

    Where the client's changes need no approval it is live at once; else it is proposed, and goes
    live at the time `at` (`2h`, ISO 8601 with its zone, or `now`) at the earliest. `change` is the
    token of a proposal that it takes the place of. `connectors` are digests of the definitions that
    are to be approved with it, by name; without them those of the live version are. `commit` is
    where it comes from, as whoever proposes says; `rates` are those of its connectors. With a
    `rollout` it decides about few events first. With `dry_run` nothing changes. Raises NotFound,
    Forbidden, Refused, WorkflowConflict where another live workflow takes the same trigger, and
    where the live version is not `instead_of` any more, if that is given.
    """
    reason = optional_why(why)
    while True:
        gathered = None if dry_run else _gathered(store, workflow, actor, connectors, rates)
        with store.write() as tx:
            allow(tx, actor, Act.PUBLISH_WORKFLOW, [workflow.client])
            hold_governance(tx, workflow.client)
            live = live_workflow(tx, workflow.client, workflow.name)
            _check_live(live, workflow, instead_of)
            defined = _definitions_used(tx, live, workflow, connectors)
            if _says_the_same(tx, live, workflow, defined):
                return _published(workflow, live.version if live else None, unchanged=True)
            check_trigger(tx, workflow)
            check_can_roll(workflow, live, rollout)
            lost, added = _differing_steps(tx, live, workflow)
            if dry_run:
                return _would_be(tx, workflow, live, rollout, lost)
            if gathered is None or not gathered.is_upon(live):
                continue  # another one went live meanwhile; nothing is gathered while it is held
            proposal = Proposal(
                client=workflow.client,
                workflow=workflow.name,
                kind=kind,
                definition=workflow.definition(),
                digest=strict_json.digest(workflow.definition()),
                steps=added,
                why=reason,
                go_live_at=None if at in (None, NOW) else time_to_go_live(at, now_of(tx)),
                says_when=at is not None,
                change=change,
                connectors=defined,
                evidence=(*gathered.pieces, *recorded(Evidence(commit=commit))),
                rollout=rollout,
            )
            done = propose(tx, proposal, live, actor)
            return _proposed(workflow, done, lost)


def _gathered(
    store: Store,
    workflow: Workflow,
    actor: Actor,
    connectors: Mapping[str, str] | None,
    rates: Rates | None,
) -> Gathered | None:
    """The evidence, gathered before anything is held; None where nothing will be proposed."""
    with store.read() as tx:
        allow(tx, actor, Act.PUBLISH_WORKFLOW, [workflow.client])
        live = live_workflow(tx, workflow.client, workflow.name)
        if _says_the_same(tx, live, workflow, _definitions_used(tx, live, workflow, connectors)):
            return None
        return gather_evidence(tx, workflow, live, rates)


def _says_the_same(
    tx: Tx, live: LiveWorkflow | None, workflow: Workflow, defined: Mapping[str, str]
) -> bool:
    """Whether what is live says so already, with the same connector definitions."""
    if live is None or live.digest != strict_json.digest(workflow.definition()):
        return False
    return not _redefined(tx, live, defined)


def _definitions_used(
    tx: Tx, live: LiveWorkflow | None, workflow: Workflow, known: Mapping[str, str] | None
) -> Mapping[str, str]:
    """Of the known definitions those that this workflow's destinations use, with their digests."""
    if known is None:
        known = {} if live is None else connectors_of(tx, live.id)
    used = {one.connector for one in workflow.destinations.values()}
    return {name: digest for name, digest in known.items() if name in used}


def _redefined(tx: Tx, live: LiveWorkflow, defined: Mapping[str, str]) -> bool:
    """Whether other connector definitions were approved with the live version."""
    approved = connectors_of(tx, live.id)
    return bool(approved) and approved != defined


def _check_live(live: LiveWorkflow | None, workflow: Workflow, version: int | None) -> None:
    if version is not None and (live is None or live.version != version):
        raise WorkflowConflict(
            f"version {version} of {workflow.name!r} is not live any more",
            field="version",
            fix="look at the version that is, and do it again",
        )


def _differing_steps(
    tx: Tx, live: LiveWorkflow | None, workflow: Workflow
) -> tuple[int, list[object]]:
    """How many steps of `amend` the new version does without, and those that it adds."""
    kept: list[object] = [one.describe() for one in workflow.amend]
    if live is None:
        return 0, kept
    before = orjson.loads(definition_of(tx, live.id)).get("amend", [])
    return sum(one not in kept for one in before), [one for one in kept if one not in before]


def _would_be(
    tx: Tx, workflow: Workflow, live: LiveWorkflow | None, rollout: Rollout | None, lost: int
) -> Published:
    """What publishing would do: it is proposed, begins with its first step, or is live."""
    if needs_approval(tx, workflow.client):
        return _published(workflow, None, unchanged=False, lost=lost)
    if rollout is not None:
        found = _published(workflow, None, unchanged=False, lost=lost)
        return replace(found, state=rollout.steps()[0].mode.value)
    return _published(workflow, live.version + 1 if live else 1, unchanged=False, lost=lost)


def _proposed(workflow: Workflow, done: Proposed, lost: int) -> Published:
    found = _published(workflow, done.version, unchanged=False, lost=lost, change=done.change)
    return replace(found, state=done.state.value) if done.state in ROLLING else found


def _published(
    workflow: Workflow,
    version: int | None,
    *,
    unchanged: bool,
    lost: int = 0,
    change: str | None = None,
) -> Published:
    return Published(
        client=workflow.client,
        workflow=workflow.name,
        version=version,
        unchanged=unchanged,
        lost_amend=lost,
        state="proposed" if version is None else "live",
        change=change,
    )

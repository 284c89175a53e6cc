"""Propose a version of a workflow; where nobody has to approve it, it is live at once."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from orchestrator.domain.access.actor import Actor, Proof
from orchestrator.domain.changes.gates.evidence import Recorded
from orchestrator.domain.changes.rollout import Rollout
from orchestrator.domain.changes.states import GRACE_MS, ChangeKind, ChangeMove, ChangeState
from orchestrator.domain.changes.subject import Subject, definition_digest
from orchestrator.domain.errors import Refused
from orchestrator.operations.access.allow import check_proven
from orchestrator.operations.changes.go_live import go_live
from orchestrator.operations.changes.hold import no_change
from orchestrator.operations.changes.required import keep_required
from orchestrator.operations.changes.tell import tell_asked
from orchestrator.store.changes.authors import Part, add_author, add_authors_of_steps, share_authors
from orchestrator.store.changes.changes import (
    Edited,
    LockedChange,
    NewChange,
    add_change,
    add_why,
    count_open,
    edit_change,
    lock_asked_change,
    lock_change,
    move_change,
    same_open,
)
from orchestrator.store.changes.evidence import keep_evidence
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.workflows import LiveWorkflow
from orchestrator.store.views.values import now_of

MOST_OPEN = 50
"""Changes of one workflow that may be open at once: each keeps a whole definition."""

EXPIRES_SECONDS = 14 * 86_400.0
"""How long a proposal waits for a decision."""


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What somebody proposes for one workflow."""

    client: str
    workflow: str
    kind: ChangeKind
    definition: Mapping[str, object]  # of a retirement, of the live version
    digest: str  # of the definition, as versions have it
    steps: Collection[object] = ()  # of `amend`, that the live version has not
    why: str | None = None
    go_live_at: int | None = None  # in milliseconds since 1970; None: once it is approved
    says_when: bool = False  # else an edit keeps the time that the change has
    change: str | None = None  # the token of the change that it edits
    connectors: Mapping[str, str] = field(default_factory=dict)  # digests of their definitions
    evidence: Sequence[Recorded] = ()  # what was found out about it
    rollout: Rollout | None = None  # the steps to being live; None: for all events at once


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """What became of a proposal."""

    change: str  # its token
    state: ChangeState
    version: int | None  # that is live by it; None: not yet, or none at all


def propose(tx: Tx, proposal: Proposal, live: LiveWorkflow | None, actor: Actor) -> Proposed:
    """Keep a proposal upon what is live, and let it go live where it needs no approval.

    The client has to be held, see `hold_governance`, and the actor permitted. An open change that
    says the same is answered instead of a second one. Raises as `go_live`, Refused.
    """
    base = None if live is None else live.version
    required = keep_required(tx, proposal.client, actor)
    if required and actor.proof is not Proof.PROCESS:
        # Else somebody would propose in another's name, and approve it by their own.
        check_proven(actor, "propose what somebody has to approve")
    _check_time(proposal, required=required)
    before = lock_asked_change(
        tx,
        proposal.client,
        proposal.workflow,
        digest=proposal.digest,
        base_version=base,
        connectors=_connectors(proposal),
        rollout=_rollout(proposal),
    )
    if before is not None:
        if proposal.change is None and not proposal.says_when:
            add_author(tx, before.id, actor, Part.PROPOSED)  # whoever says the same approves it not
            share_authors(tx, before.id, same_open(tx, before))  # nor another one that says it
            if proposal.why is not None:
                add_why(tx, before, proposal.why, actor=actor.name)
            return Proposed(change=before.token, state=before.state, version=None)
        proposal = replace(proposal, change=proposal.change or before.token)
    change = _kept(tx, proposal, base, actor)
    keep_evidence(tx, change, proposal.evidence, by=actor.name)
    add_authors_of_steps(tx, change.id, change.client, change.workflow, proposal.steps)
    share_authors(tx, change.id, same_open(tx, change))
    if required:
        detail = {"subject": change.subject}
        state = move_change(tx, change, ChangeMove.ASK, actor=actor.name, detail=detail)
        tell_asked(tx, change)
        return Proposed(change=change.token, state=state, version=None)
    version = go_live(tx, change, actor)
    return Proposed(change=change.token, state=_locked(tx, change.token).state, version=version)


def _kept(tx: Tx, proposal: Proposal, base: int | None, actor: Actor) -> LockedChange:
    """The draft, new or in its next round, with its author."""
    if proposal.change is None:
        _check_room(tx, proposal)
        token = secrets.token_hex(6)
        subject = _subject(proposal, base, 1)
        new = NewChange(
            token=token,
            client=proposal.client,
            workflow=proposal.workflow,
            kind=proposal.kind,
            base_version=base,
            definition=_text(proposal),
            digest=proposal.digest,
            subject=subject.digest(),
            why=proposal.why,
            expires_at=_expiry(tx, proposal),
            go_live_at=proposal.go_live_at,
            connectors=_connectors(proposal),
            evidence=_evidence(proposal),
            rollout=_rollout(proposal),
        )
        add_author(tx, add_change(tx, new, actor=actor.name), actor, Part.PROPOSED)
        return _locked(tx, token)
    return _edited(tx, proposal, proposal.change, base, actor)


def _edited(tx: Tx, proposal: Proposal, token: str, base: int | None, actor: Actor) -> LockedChange:
    """The next round; what it does not name, such as a time or a rollout, stays as it was."""
    before = _locked(tx, token)
    _check_same_workflow(before, proposal)
    if not proposal.says_when:
        proposal = replace(proposal, go_live_at=before.go_live_at)
    if proposal.rollout is None and before.rollout is not None:
        proposal = replace(proposal, rollout=Rollout.from_text(before.rollout))
    edited = Edited(
        base_version=base,
        definition=_text(proposal),
        digest=proposal.digest,
        subject=_subject(proposal, base, before.round + 1).digest(),
        why=proposal.why or before.why,
        expires_at=_expiry(tx, proposal),
        go_live_at=proposal.go_live_at,
        connectors=_connectors(proposal),
        evidence=_evidence(proposal),
        rollout=_rollout(proposal),
    )
    edit_change(tx, before, edited, actor=actor.name)
    add_author(tx, before.id, actor, Part.EDITED)
    return _locked(tx, before.token)


def _locked(tx: Tx, token: str) -> LockedChange:
    found = lock_change(tx, token)
    if found is None:
        raise no_change(token)
    return found


def _check_room(tx: Tx, proposal: Proposal) -> None:
    if count_open(tx, proposal.client, proposal.workflow) >= MOST_OPEN:
        raise Refused(
            f"{MOST_OPEN} changes of {proposal.workflow!r} are open already",
            field="change",
            fix="withdraw some of them, or edit one; see `meshline change list`",
        )


def _check_same_workflow(change: LockedChange, proposal: Proposal) -> None:
    """Raises NotFound, so that a change of another client is not told of."""
    if change.client != proposal.client:
        raise no_change(change.token)
    if change.workflow != proposal.workflow or change.kind is not proposal.kind:
        raise Refused(
            f"change {change.token} is to {change.kind} {change.workflow!r}",
            field="change",
            fix="propose this as a change of its own",
        )


def _check_time(proposal: Proposal, *, required: bool) -> None:
    if proposal.go_live_at is None:
        return
    if not required:
        raise Refused(
            "changes of this client need no approval yet, so this one would not wait for its time",
            field="at",
            fix="leave the time out, or publish it then",
        )


def _expiry(tx: Tx, proposal: Proposal) -> int:
    """When nobody decided in time: never before the time at which it is to go live."""
    decided = now_of(tx) + int(EXPIRES_SECONDS * 1000)
    return decided if proposal.go_live_at is None else max(decided, proposal.go_live_at + GRACE_MS)


def _text(proposal: Proposal) -> str:
    return orjson.dumps(proposal.definition).decode()


def _connectors(proposal: Proposal) -> str | None:
    """As rows keep them: the same ones are the same text."""
    kept = orjson.dumps(proposal.connectors, option=orjson.OPT_SORT_KEYS)
    return kept.decode() if proposal.connectors else None


def _rollout(proposal: Proposal) -> str | None:
    return None if proposal.rollout is None else proposal.rollout.text()


def _digests(proposal: Proposal) -> dict[str, str]:
    """Of the evidence, by kind."""
    return {one.kind.value: one.digest for one in proposal.evidence}


def _evidence(proposal: Proposal) -> str | None:
    digests = _digests(proposal)
    return orjson.dumps(digests, option=orjson.OPT_SORT_KEYS).decode() if digests else None


def _subject(proposal: Proposal, base: int | None, round_: int) -> Subject:
    return Subject(
        client=proposal.client,
        workflow=proposal.workflow,
        kind=proposal.kind.value,
        definition=definition_digest(proposal.definition),
        base=base,
        round=round_,
        go_live_at=proposal.go_live_at,
        connectors=proposal.connectors,
        evidence=_digests(proposal),
        rollout=_rollout(proposal),
    )

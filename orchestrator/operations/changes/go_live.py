"""Make a change's version live: the only way there is, with every check in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from functools import partial

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.changes.deciding import Decision, check_decider
from orchestrator.domain.changes.states import ROLLING, ChangeKind, ChangeMove, ChangeState
from orchestrator.domain.changes.subject import Subject, definition_digest
from orchestrator.domain.commitments import Detail
from orchestrator.domain.errors import Forbidden, NotFound, Refused, WorkflowConflict
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.freeze import check_not_frozen
from orchestrator.operations.changes.gates.judge import check_gates
from orchestrator.operations.changes.hold import asked_of
from orchestrator.operations.changes.required import keep_required
from orchestrator.operations.changes.rollout.begin import (
    Candidate,
    abandon_rollout,
    begin_rollout,
    finish_rollout,
)
from orchestrator.operations.changes.rollout.waiting import rollout_before
from orchestrator.operations.changes.signing.signatures import check_still_signed
from orchestrator.operations.changes.tell import tell_authors, tell_owners
from orchestrator.store.changes.approvers import decider_of
from orchestrator.store.changes.changes import (
    LockedChange,
    change_of_live,
    lock_others,
    move_change,
)
from orchestrator.store.changes.decisions import Decided, list_decisions
from orchestrator.store.clocks.alerts import AlertKind
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Tx
from orchestrator.store.destinations.definition_blocks import end_definition_blocks
from orchestrator.store.quarantine.workflows import (
    add_candidate,
    end_live,
    live_workflow,
    make_live,
    make_live_again,
    promote_candidate,
    trigger_holder,
)


class Way(StrEnum):
    """How a change went live."""

    APPROVED = "approved"
    UNAPPROVED = "unapproved"  # its client's changes needed no approval yet
    BREAK_GLASS = "break_glass"  # the backstop answers for it
    ROLLBACK = "rollback"  # it was live before, so it needs none


def go_live(tx: Tx, change: LockedChange, actor: Actor, *, glass: str | None = None) -> int | None:
    """Make it live, and answer the version's number; None for a retirement.

    A change that names the steps of a rollout begins with the first one, which is None too; it goes
    live by a second call, after the last one. The client's roles, versions and this change have to
    be held. With `glass`, the backstop's reason, nobody has to have approved it, and it takes no
    steps. Raises Refused where its approval does not hold (any more), a gate that blocks fails, its
    client is frozen, or another version is rolled out; WorkflowConflict where the base is not live
    or the trigger is taken.
    """
    _check_base(tx, change)
    required = keep_required(tx, change.client, actor)
    approval = None
    if glass is None:
        check_not_frozen(tx, change)
        _check_alone(tx, change)
        approval = check_approved(tx, change) if required else None
    if change.kind is ChangeKind.RETIRE:
        version = None
        end_live(tx, change.client, change.workflow)
    else:
        workflow = _workflow_of(change)
        rolls = change.state in ROLLING
        if required and glass is None and not rolls:  # what the gates ask for, the steps have shown
            check_gates(tx, change)
        check_trigger(tx, workflow)
        # Where nobody approves, nobody approved a definition either.
        connectors = change.connectors if required else None
        if glass is None and change.rollout is not None and not rolls:
            begin_rollout(tx, change, _candidate(tx, change, workflow, connectors), actor)
            return None
        version = _put_live(tx, change, workflow, connectors, rolls=rolls)
        end_definition_blocks(
            tx, change.client, change.workflow, workflow.destinations, actor=actor.name
        )
    _overtake(tx, change, actor)
    if required:
        tell_authors(tx, change, AlertKind.LIVE, actor=actor)
    _record(tx, change, actor, version, *_way(approval, glass))
    return version


def _put_live(
    tx: Tx, change: LockedChange, workflow: Workflow, connectors: str | None, *, rolls: bool
) -> int:
    """A new version, or the candidate that was rolled out; its number."""
    if rolls:
        candidate = finish_rollout(tx, change)
        return promote_candidate(tx, change.client, change.workflow, candidate)
    return make_live(
        tx,
        workflow,
        digest=change.digest,
        actor=change.proposed_by,
        change=change.id,
        connectors=connectors,
    )


def _candidate(
    tx: Tx, change: LockedChange, workflow: Workflow, connectors: str | None
) -> Candidate:
    """Its version, which was checked as one that goes live, and is not live yet."""
    row, version = add_candidate(
        tx,
        workflow,
        digest=change.digest,
        actor=change.proposed_by,
        change=change.id,
        connectors=connectors,
    )
    return Candidate(row=row, version=version, ordering=workflow.ordering)


def _check_alone(tx: Tx, change: LockedChange) -> None:
    """Raises Refused where a version of another change is rolled out."""
    other = rollout_before(tx, change)
    if other is not None:
        raise Refused(
            f"change {other} of {change.workflow!r} is rolled out, and two versions are not tried"
            " at once",
            field="change",
            fix=f"wait for its end, or stop it with `meshline change stop {other}`; see"
            f" `meshline change rollout {other}`",
        )


def _way(approval: Decided | None, glass: str | None) -> tuple[Way, Detail]:
    """How it goes live, and what the audit says of that beside it."""
    if glass is not None:
        return Way.BREAK_GLASS, {"why": glass}
    if approval is None:
        return Way.UNAPPROVED, {}
    return Way.APPROVED, {"approved_by": approval.by}


def go_live_again(tx: Tx, change: LockedChange, version: int, actor: Actor) -> None:
    """Make an earlier version live again, by a rollback: it takes no approval, for it was live.

    The client's roles, versions and this change have to be held. Raises WorkflowConflict where the
    base is not live or the trigger is taken, NotFound where there is no such version.
    """
    _check_base(tx, change)
    keep_required(tx, change.client, actor)
    # It was right by the rules of its time, and its events are decided about by it as it is.
    workflow = Workflow.from_published(orjson.loads(change.definition))
    check_trigger(tx, workflow)
    bad = change_of_live(tx, change.client, change.workflow)
    if not make_live_again(tx, change.client, change.workflow, version):
        raise NotFound(
            f"{change.workflow!r} of client {change.client!r} never had a version {version}",
            field="to",
            fix="see `meshline workflow list --all-versions`",
        )
    end_definition_blocks(
        tx, change.client, change.workflow, workflow.destinations, actor=actor.name
    )
    _overtake(tx, change, actor)
    if bad is not None and bad.state is ChangeState.LIVE:
        told = {"by": change.token, "why": change.why}
        move_change(tx, bad, ChangeMove.ROLL_BACK, actor=actor.name, detail=told)
        tell_authors(tx, bad, AlertKind.LIVE, actor=actor, news=f"rolled back: {change.why}")
    tell_owners(tx, change, AlertKind.LIVE, actor=actor, news=f"rolled back: {change.why}")
    _record(tx, change, actor, version, Way.ROLLBACK, {})


def _overtake(tx: Tx, change: LockedChange, actor: Actor) -> None:
    """The other open changes of the workflow are upon a version that is not live any more."""
    for other in lock_others(tx, change):
        detail = {"by": change.token}
        if other.state in ROLLING:
            abandon_rollout(tx, other, f"another version went live, by change {change.token}")
        move_change(tx, other, ChangeMove.OVERTAKE, actor=actor.name, detail=detail)
        tell_authors(tx, other, AlertKind.STALE, actor=actor, news=f"change {change.token}")


def check_approved(tx: Tx, change: LockedChange) -> Decided:
    """The approval of this round by somebody who may still give it. Raises Refused."""
    given = [one for one in list_decisions(tx, change.id) if one.round == change.round]
    if not given or given[-1].decision is not Decision.APPROVE:
        raise Refused(
            f"nobody approved change {change.token}",
            field="change",
            fix=f"`meshline change approve {change.token}`, by an approver who did not write it",
        )
    approval = given[-1]
    if approval.subject != subject_of(change).digest():
        raise Refused(
            "what was approved is not what would go live",
            field="change",
            fix="propose it again, and have that approved",
        )
    try:
        me, asked = decider_of(tx, change.client, approval.person), asked_of(tx, change)
        if approval.stands_in_for is not None and approval.stands_in_for == asked.named:
            asked = replace(asked, stand_in=me.mail)  # as it was when they decided
        check_decider(me, asked)
    except Forbidden as error:
        raise Refused(
            f"the approval by {approval.by} does not count any more: {error.detail}",
            field="change",
            fix="propose it again, and have that approved",
        ) from None
    check_still_signed(tx, change, approval)
    return approval


def check_trigger(tx: Tx, workflow: Workflow) -> None:
    """Raises WorkflowConflict where another live workflow takes the same trigger."""
    holder = trigger_holder(tx, workflow.client, workflow.trigger_type)
    if holder not in (None, workflow.name):
        raise WorkflowConflict(
            f"{workflow.trigger_type!r} of client {workflow.client!r} is taken by the live"
            f" workflow {holder!r}",
            field="trigger.type",
            fix=f"choose another type, or publish a version of {holder!r} with another one",
        )


def _workflow_of(change: LockedChange) -> Workflow:
    """What would go live. Raises Refused where a rule is stricter since it was proposed."""
    try:
        return Workflow.from_definition(orjson.loads(change.definition))
    except ValueError:
        raise Refused(
            f"the file of change {change.token} is not right any more",
            field="change",
            fix="see what `meshline workflow check` says of it, and propose it again",
        ) from None


def subject_of(change: LockedChange) -> Subject:
    """What an approval of this change, as its row is now, is of."""
    definition: Mapping[str, object] = orjson.loads(change.definition)
    return Subject(
        client=change.client,
        workflow=change.workflow,
        kind=change.kind.value,
        definition=definition_digest(definition),
        base=change.base_version,
        round=change.round,
        go_live_at=change.go_live_at,
        connectors={} if change.connectors is None else orjson.loads(change.connectors),
        evidence={} if change.evidence is None else orjson.loads(change.evidence),
        rollout=change.rollout,
    )


def _check_base(tx: Tx, change: LockedChange) -> None:
    live = live_workflow(tx, change.client, change.workflow)
    if (None if live is None else live.version) != change.base_version:
        raise WorkflowConflict(
            f"version {change.base_version} of {change.workflow!r} is not live any more",
            field="version",
            fix="look at the version that is, and propose it again",
        )


def _record(
    tx: Tx,
    change: LockedChange,
    actor: Actor,
    version: int | None,
    way: Way,
    more: Detail,
) -> None:
    """The change's own row, and beside it that of the workflow's history."""
    told = {"version": version, "way": way.value, "subject": change.subject, **more}
    live = (version, way.value)
    move = ChangeMove.BREAK_GLASS if way is Way.BREAK_GLASS else ChangeMove.GO_LIVE
    move_change(tx, change, move, actor=actor.name, detail=told, live=live)
    if change.kind is ChangeKind.RETIRE:
        told = {"version": change.base_version, "change": change.token}
        audit.record(
            tx,
            actor=change.proposed_by,
            action="retire",
            client=change.client,
            workflow=change.workflow,
            detail=told,
        )
        return
    told = {"version": version, "digest": change.digest, "change": change.token}
    told_of = partial(
        audit.record,
        tx,
        actor=change.proposed_by,
        client=change.client,
        workflow=change.workflow,
        detail=told,
    )
    if way is Way.ROLLBACK:
        told_of(action="rollback")
    else:
        told_of(action="publish")

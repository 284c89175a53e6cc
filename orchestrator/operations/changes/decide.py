"""Say yes or no to a change, or ask for another one. After a yes it goes live, at its time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor, Proof, who
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.deciding import Decision, Grade, check_decider, stands_in_for
from orchestrator.domain.changes.statement import Signed
from orchestrator.domain.changes.states import ChangeMove, ChangeState
from orchestrator.domain.commitments import Detail
from orchestrator.domain.errors import Forbidden, IllegalMove, Refused
from orchestrator.domain.whys import needed_why, optional_why
from orchestrator.operations.changes.freeze import wait_for_thaw
from orchestrator.operations.changes.gates.judge import check_gates
from orchestrator.operations.changes.go_live import go_live
from orchestrator.operations.changes.hold import asked_of, check_seen, held_again, held_change
from orchestrator.operations.changes.rollout.waiting import wait_for_rollout
from orchestrator.operations.changes.show import Settled, settled
from orchestrator.operations.changes.signing.signatures import Checked, check_signature, unsigned
from orchestrator.operations.changes.tell import tell_authors
from orchestrator.store.changes.approvers import decider_of
from orchestrator.store.changes.changes import LockedChange, move_change
from orchestrator.store.changes.decisions import add_decision
from orchestrator.store.changes.signatures import add_signature
from orchestrator.store.clocks.alerts import AlertKind
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.views.values import iso_time, now_of
from orchestrator.variables import signatures_are_required


def decide_change(
    store: Store,
    token: str,
    decision: Decision,
    *,
    actor: Actor,
    why: str | None = None,
    seen: Collection[str] = (),
    signed: Signed | None = None,
) -> Settled:
    """Decide about what the change's digest is of; approved, it goes live unless it has a time.

    `seen` are digests, one of which it has to have still; without one it is not compared. Whoever
    does not approve says why. Raises NotFound, Forbidden for whose word does not count,
    ChangedSinceSeen, IllegalMove with who decided before, Refused also for a signature that does
    not hold or is missing, WorkflowConflict.
    """
    with store.write() as tx:
        return decide_in(tx, token, decision, actor=actor, why=why, seen=seen, signed=signed)


def decide_in(
    tx: Tx,
    token: str,
    decision: Decision,
    *,
    actor: Actor,
    why: str | None = None,
    seen: Collection[str] = (),
    told: Detail | None = None,
    signed: Signed | None = None,
) -> Settled:
    """The same in a transaction of the caller's; `told` is what else the audit says of it."""
    reason = optional_why(why) if decision is Decision.APPROVE else needed_why(why or "", _NO)
    change = held_change(tx, token, actor, Act.DECIDE_CHANGE)
    _check_awaits(tx, change)
    _check_looked(change, decision, seen)
    _decide(tx, change, decision, actor, Said(why=reason, told=told or {}, signed=signed))
    change = held_again(tx, change)
    if change.state is ChangeState.APPROVED and not _waits(tx, change):
        go_live(tx, change, actor)
    return settled(tx, token)


def _check_looked(change: LockedChange, decision: Decision, seen: Collection[str]) -> None:
    """Raises Refused for an approval of what was edited and is not named by its digest.

    In its first round a change has been one thing only, and its token names it.
    """
    check_seen(change, seen)
    if decision is Decision.APPROVE and not seen and change.round > 1:
        raise Refused(
            f"change {change.token} was edited: its round {change.round} is by"
            f" {who(change.changed_by)}, of {iso_time(change.changed_at)}",
            field="digest",
            fix=f"look at it, and approve with --digest {change.subject}, or over HTTP If-Match",
        )


def _waits(tx: Tx, change: LockedChange) -> bool:
    """Whether it goes live later: at its time, after a freeze, or after another rollout."""
    if wait_for_thaw(tx, change) or (change.go_live_at or 0) > now_of(tx):
        return True
    return wait_for_rollout(tx, change)


_NO = "whoever does not approve"


def _check_awaits(tx: Tx, change: LockedChange) -> None:
    """Raises IllegalMove where nothing is asked of anybody, with who did what when."""
    if change.state is not ChangeState.AWAITING_APPROVAL:
        raise IllegalMove(
            f"change {change.token} awaits no approval: it is {change.state.replace('_', ' ')}"
            f" since {iso_time(change.changed_at)}, by {who(change.changed_by)}",
            field="state",
            fix=f"see `meshline change show {change.token}`",
        )
    if change.expires_at <= now_of(tx):
        raise IllegalMove(
            f"change {change.token} expired at {iso_time(change.expires_at)}",
            field="state",
            fix="propose it again",
        )


@dataclass(frozen=True, kw_only=True)
class Said:
    """What comes with a decision."""

    why: str | None
    told: Detail  # what else the audit says of it
    signed: Signed | None


def _decide(tx: Tx, change: LockedChange, decision: Decision, actor: Actor, said: Said) -> None:
    if actor.person is None:
        # Before there are people nobody is an approver, and a program never decides.
        raise Forbidden(
            "only a person decides about a change",
            field="actor",
            fix="log in with `meshline login`",
        )
    me, asked = decider_of(tx, change.client, actor.person), asked_of(tx, change)
    check_decider(me, asked)
    instead = stands_in_for(me.mail, asked)
    if decision is Decision.APPROVE:  # also of one that goes live later: then they are asked again
        check_gates(tx, change)
    signature = _signature(tx, change, decision, actor.person, said.signed)
    grade = _grade(actor, signature)
    number = add_decision(
        tx,
        change,
        decision,
        person=actor.person,
        by=actor.name,
        grade=grade,
        why=said.why,
        stands_in_for=instead,
    )
    if signature is not None:
        add_signature(tx, number, key=signature.key, signed=signature.signed)
    detail: dict[str, object] = {
        "subject": change.subject,
        "grade": grade.value,
        "why": said.why,
        "for": instead,
    }
    detail |= said.told
    move_change(tx, change, _MOVES[decision], actor=actor.name, detail=detail)
    if decision in _TOLD:
        tell_authors(tx, change, _TOLD[decision], actor=actor, news=said.why)


def _grade(actor: Actor, signature: Checked | None) -> Grade:
    if signature is not None:
        return Grade.KEY
    return Grade.API_KEY if actor.proof is Proof.KEY else Grade.SESSION


def _signature(
    tx: Tx, change: LockedChange, decision: Decision, person: int, signed: Signed | None
) -> Checked | None:
    if signed is not None:
        return check_signature(tx, change, decision, person, signed)
    if decision is Decision.APPROVE and signatures_are_required():
        raise unsigned(change.token)
    return None


_TOLD = {
    Decision.REQUEST_CHANGES: AlertKind.REQUESTED_CHANGES,
    Decision.REJECT: AlertKind.REJECTED,
}
_MOVES = {
    Decision.APPROVE: ChangeMove.APPROVE,
    Decision.REQUEST_CHANGES: ChangeMove.REQUEST_CHANGES,
    Decision.REJECT: ChangeMove.REJECT,
}

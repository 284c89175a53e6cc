"""Waive a gate that fails: for the approver, with a reason and an end."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.domain.access.actor import Actor, Proof
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.deciding import Grade, check_decider
from orchestrator.domain.changes.gates.gate import GateState, JudgedGate
from orchestrator.domain.changes.states import OPEN
from orchestrator.domain.changes.timing import time_ahead
from orchestrator.domain.errors import Forbidden, IllegalMove, NotFound, Refused
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.whys import needed_why
from orchestrator.operations.changes.gates.judge import judged_gates
from orchestrator.operations.changes.hold import asked_of, check_seen, held_change
from orchestrator.store.changes.approvers import decider_of
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.changes.evidence import subject_of_locked
from orchestrator.store.changes.waivers import add_waiver
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.views.values import now_of


def waive_gate(
    store: Store,
    token: str,
    gate: str,
    *,
    actor: Actor,
    why: str,
    until: str,
    seen: Collection[str] = (),
) -> JudgedGate:
    """Let a gate of an open change fail until a time; the gate as it is then.

    It holds for this round: an edit takes it away. Whose word counts is as for an approval. `seen`
    are digests, one of which the change has to have still. Raises NotFound, Forbidden, Refused,
    IllegalMove, ChangedSinceSeen.
    """
    reason = needed_why(why, "whoever waives a gate")
    with store.write() as tx:
        change = held_change(tx, token, actor, Act.WAIVE_GATE)
        check_seen(change, seen)
        if actor.person is None:
            raise Forbidden(
                "only a person waives a gate",
                field="actor",
                fix="log in with `meshline login`",
            )
        check_decider(decider_of(tx, change.client, actor.person), asked_of(tx, change))
        _check_open(change)
        _check_fails(_judged(tx, change, gate))
        add_waiver(
            tx,
            change,
            gate,
            person=actor.person,
            by=actor.name,
            grade=Grade.API_KEY if actor.proof is Proof.KEY else Grade.SESSION,
            why=reason,
            until=time_ahead(until, now_of(tx), field="until"),
        )
        return _judged(tx, change, gate)


def _judged(tx: Tx, change: LockedChange, gate: str) -> JudgedGate:
    gates = {one.gate: one for one in judged_gates(tx, subject_of_locked(change))}
    if gate not in gates:
        fix = did_you_mean(gate, list(gates))
        raise NotFound(f"change {change.token} has no gate {gate!r}", field="gate", fix=fix)
    return gates[gate]


def _check_open(change: LockedChange) -> None:
    if change.state not in OPEN:
        raise IllegalMove(
            f"change {change.token} is {change.state.replace('_', ' ')}: nothing is to be waived",
            field="state",
            fix=f"see `meshline change show {change.token}`",
        )


def _check_fails(gate: JudgedGate) -> None:
    if not gate.waivable:
        raise Refused(
            f"the gate `{gate.gate}` cannot be waived: the house's rule says so",
            field="gate",
            fix="change what is proposed, or the rule in the file of gates",
        )
    if gate.state not in (GateState.FAIL, GateState.WAIVED):
        raise Refused(
            f"the gate `{gate.gate}` does not fail: {gate.evidence}",
            field="gate",
            fix="only a gate that fails is waived",
        )

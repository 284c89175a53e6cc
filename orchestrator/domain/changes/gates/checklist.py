"""The rollout checklist of eight questions: the same gates, beside what the file says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.changes.gates.gate import GateName, GateState, JudgedGate
from orchestrator.domain.workflows.workflow import Workflow


@dataclass(frozen=True, kw_only=True, slots=True)
class ChecklistItem:
    """One question of a rollout."""

    item: str  # such as "trigger"
    answer: str  # what the file says
    gates: tuple[str, ...]  # that prove it
    state: str  # the worst state of these: fail, cannot_tell, waived or pass


_WORST = (GateState.FAIL, GateState.CANNOT_TELL, GateState.WAIVED, GateState.PASS)


def checklist(workflow: Workflow, gates: Sequence[JudgedGate]) -> tuple[ChecklistItem, ...]:
    """Trigger, owner, source of truth, routing rule, failure mode, QA signal, metric, recovery."""
    sla, owners = workflow.sla, workflow.owners
    rate = sla.success_rate
    promise = f", {rate.at_least} of events within {rate.over}" if rate else ""
    connectors = dict.fromkeys(one.connector for one in workflow.destinations.values())
    read_back = sum(bool(one.confirm) for one in workflow.destinations.values())
    of = f"{read_back} of {len(workflow.destinations)}"
    answers: tuple[tuple[str, str, tuple[GateName, ...]], ...] = (
        ("trigger", workflow.trigger_type, (GateName.CONTRACT,)),
        ("owner", owners.owner, (GateName.OWNERS,)),
        ("source of truth", ", ".join(connectors), (GateName.LOGINS,)),
        ("routing rule", f"{len(workflow.routes)} routes, the first that holds", (GateName.CASES,)),
        (
            "failure mode",
            f"quarantine, owned by {owners.recovery_lead}; on_failure: {workflow.on_failure}",
            (GateName.QUARANTINE,),
        ),
        ("QA signal", f"{of} destinations are read back and compared", (GateName.AUDIT,)),
        ("reporting metric", f"delivered within {sla.deliver_within}{promise}", (GateName.CLOCKS,)),
        (
            "recovery path",
            f"within {sla.recover_within}; {workflow.runbook or 'no runbook'}",
            (GateName.WAY_BACK, GateName.DRILL),
        ),
    )
    return tuple(
        ChecklistItem(item=item, answer=answer, gates=tuple(names), state=_worst(gates, names))
        for item, answer, names in answers
    )


def _worst(gates: Sequence[JudgedGate], names: Sequence[GateName]) -> str:
    states = {one.state for one in gates if one.gate in names}
    return next((one.value for one in _WORST if one.value in states), GateState.CANNOT_TELL.value)

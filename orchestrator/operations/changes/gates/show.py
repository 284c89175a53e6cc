"""Look at the gates of a change: each with its evidence, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from orchestrator.domain.changes.gates.checklist import ChecklistItem, checklist
from orchestrator.domain.changes.gates.gate import JudgedGate
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.gates.judge import judged_gates
from orchestrator.operations.changes.hold import no_change
from orchestrator.store.changes.evidence import gate_subject
from orchestrator.store.database.engine import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedChange:
    """The gates of a change as they are now."""

    change: str  # its token
    client: str
    workflow: str
    state: str  # a ChangeState
    round: int  # that they are about
    stops: bool  # a gate that blocks fails: nobody can approve it
    gates: tuple[JudgedGate, ...]  # none of a retirement or a rollback
    checklist: tuple[ChecklistItem, ...]  # the same in eight questions


def check_change(tx: Tx, token: str, clients: frozenset[str] | None) -> CheckedChange:
    """The gates of a change of one of these clients; None: of any. Raises NotFound, Refused."""
    found = gate_subject(tx, token)
    if found is None or (clients is not None and found.client not in clients):
        raise no_change(token)
    gates = judged_gates(tx, found)
    workflow = Workflow.from_published(orjson.loads(found.definition))
    return CheckedChange(
        change=found.token,
        client=found.client,
        workflow=found.workflow,
        state=found.state,
        round=found.round,
        stops=any(one.stops for one in gates),
        gates=gates,
        checklist=checklist(workflow, gates) if gates else (),
    )

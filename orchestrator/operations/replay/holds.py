"""What would hold deliveries of a replay plan if it ran now."""

from __future__ import annotations

from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.breakers import action_breaker, destination_circuit
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plans import StoredPlan
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.destinations.list import blocked_circuits

_NOT_SENT = ("done", "drop")


def holds_of_plan(tx: Tx, plan: StoredPlan) -> list[Blocker]:
    """The pauses and open circuit breakers on the way of what the plan sends, by name."""
    blocked = blocked_circuits(tx)
    if not blocked:
        return []
    names = {name for word, of in plan.effects.items() if word not in _NOT_SENT for name in of}
    shelf, passed = WorkflowShelf(), set[str]()
    for one in plan.workflows:
        for name, to in shelf.take(tx, one.id).workflow.destinations.items():
            if name in names:
                passed.add(destination_circuit(one.client, one.workflow, name))
                passed |= {to.connector, action_breaker(to.connector, to.action)}
    return [one for one in blocked if one.name in passed]

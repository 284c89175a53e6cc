"""The second stage: where does the event go, and with what?"""

from __future__ import annotations

from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.workflows.compiled import CompiledWorkflow


def route(payload: object, workflow: CompiledWorkflow) -> Routed | Rejected:
    """The first route that holds with its deliveries planned, or why there is none.

    The payload is one that the workflow's contract takes.
    """
    facts = workflow.facts.read(payload)
    if isinstance(facts, Rejected):
        return facts
    index = workflow.decide(facts)
    if isinstance(index, Rejected):
        return index
    deliveries = []
    for destination in workflow.routes[index]:
        planned = destination.plan(facts)
        if isinstance(planned, Rejected):
            return planned
        deliveries.append(planned)
    return Routed(route=index, deliveries=tuple(deliveries))

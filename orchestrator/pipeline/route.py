"""The second stage: where does the event go, and with what?"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.event import Item, MadeRecord, PlannedDelivery
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.sending.records import NO_RECORDS, Records


def route(
    payload: object, workflow: CompiledWorkflow, records: Records = NO_RECORDS
) -> Routed | Rejected:
    """The first route that holds with its deliveries planned, or why there is none.

    The payload is one that the workflow's contract takes. A trial may have records at hand that
    destinations will make; an event has none.
    """
    facts = workflow.facts.read(payload)
    if isinstance(facts, Rejected):
        return facts
    index = workflow.decide(facts)
    if isinstance(index, Rejected):
        return index
    deliveries: list[PlannedDelivery] = []
    for destination in workflow.routes[index]:
        planned = destination.plan_all(facts, payload, records)
        if isinstance(planned, Rejected):
            return planned
        deliveries += planned
    defaulted = tuple(f"{one.destination}.{name}" for one in deliveries for name in one.defaulted)
    return Routed(route=index, deliveries=tuple(deliveries), defaulted=defaulted)


def plan_after(
    payload: object, workflow: CompiledWorkflow, destination: str, records: Records
) -> Mapping[Item, PlannedDelivery] | Rejected:
    """What a destination is sent, now that the records of those before it are known, by item.

    The payload is the one that was routed, and so are its facts.
    """
    facts = workflow.facts.read(payload)
    if isinstance(facts, Rejected):
        return facts
    compiled = workflow.destination(destination)
    # It no longer waits: of what is not known now, nothing will be.
    known = {**dict.fromkeys(compiled.after, MadeRecord()), **records}
    planned = compiled.plan_all(facts, payload, known)
    return planned if isinstance(planned, Rejected) else {one.item: one for one in planned}

"""Events that got as far as a destination: their delivery is held there, or fails."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.engine import Store
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.deliveries import NotMade, save_not_made, take_deliveries
from orchestrator.store.drive.stages import hand_back
from orchestrator.store.quarantine.actions import quarantine_events
from tests.leads import (
    LIMITS,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead_workflow,
    publish_leads,
)


def held(store: Store, count: int, circuit: str = "fake", **fields: str) -> list[str]:
    """Events whose deliveries all wait at the circuit."""
    publish_leads(store)
    ids = accept_leads(store, count, **fields)
    for group in claim_groups(store, replace(LIMITS, groups_in_flight=100)):
        drive_to_routed(store, group)
        with store.write() as tx:
            hold_deliveries(
                tx,
                group.ids,
                ["crm", "desk"],
                workflow=lead_workflow(),
                epoch=group.epoch,
                circuit=circuit,
                reason="paused",
                actor="worker:dispatch",
            )
            hand_back(tx, group.ids, group.epoch)
    return sorted(ids)


def paused(store: Store, name: str = "fake") -> None:
    with store.write() as tx:
        pause_circuit(tx, name, why="a migration", actor="cli:tester")


def fail(store: Store, said: str, *, destination: str = "crm", stop: bool = False) -> str:
    """One event whose delivery fails: for now, or so that it is in quarantine; its id."""
    (event_id,) = accept_leads(store, 1, tier="enterprise")
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    state = DeliveryState.FAILED if stop else DeliveryState.PENDING
    with store.write() as tx:
        take_deliveries(tx, [event_id], epoch=group.epoch, run_id="run", run_seconds=30)
        failed = NotMade(
            event_id=event_id,
            name=destination,
            state=state,
            after_ms=60_000,
            unknown=False,
            reason=Reason.DESTINATION_REFUSED,
            error=said,
        )
        save_not_made(tx, "run", [failed])
        if stop:
            quarantine_events(
                tx,
                [event_id],
                source=State.ROUTED,
                workflow=lead_workflow(),
                reason=Reason.DESTINATION_REFUSED,
                detail=said,
                actor="worker:dispatch",
                epoch=group.epoch,
                destination=destination,
            )
    return event_id

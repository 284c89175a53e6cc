"""Deliveries that are held back."""

from __future__ import annotations

from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.store.database.engine import Store
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.stages import hand_back
from tests.leads import accept_leads, claim_groups, drive_to_routed, lead_workflow, publish_leads


def hold(store: Store) -> str:
    """One event that waits at the crm, which is paused; the connector is broken too."""
    publish_leads(store)
    (event_id,) = accept_leads(store, 1)
    hold_due(store)
    return event_id


def hold_due(store: Store) -> None:
    """What is due waits at the crm in the same way."""
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    with store.write() as tx:
        pause_circuit(tx, "acme/leads/crm", why="<b>a migration</b>", actor="cli:tester")
        note_failures(
            tx, "fake", ["an-event"], error="HTTP 503", policy=policy, actor="worker:dispatch"
        )
        hold_deliveries(
            tx,
            list(group.ids),
            ["crm"],
            workflow=lead_workflow(),
            epoch=group.epoch,
            circuit="acme/leads/crm",
            reason="paused",
            actor="worker:dispatch",
        )
        hand_back(tx, list(group.ids), group.epoch)

"""Leads that are in quarantine, so that a keeper has something to do."""

from __future__ import annotations

from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.actions import quarantine_events
from tests.leads import TEXT, accept_leads, lead_workflow, publish_leads


def stopped_leads(store: Store, count: int, text: str = TEXT) -> list[str]:
    publish_leads(store, text)
    ids = accept_leads(store, count)
    with store.write() as tx:
        quarantine_events(
            tx,
            ids,
            source=State.ACCEPTED,
            workflow=lead_workflow(text),
            reason=Reason.CONTRACT_VIOLATION,
            detail="no",
            actor="worker",
        )
    return ids

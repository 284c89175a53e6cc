"""Leads that wait in quarantine, and a replay plan under the change that would heal them."""

from __future__ import annotations

from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.replay.plan import ReplayPlan, plan_replay
from orchestrator.store.database.engine import Store
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import CATALOG, TEXT, renamed_lead
from tests.store.changes.governed import author

AMENDED = f"{TEXT}amend: [{{rename: customer_tier, to: tier}}]\n"


def stalled(store: Store, count: int = 3) -> None:
    """Leads of a form that calls their tier otherwise: they are in quarantine."""
    accept_batch(store, [renamed_lead(number) for number in range(count)], actor="key:form")
    validate_leads(store)


def planned(store: Store, token: str) -> ReplayPlan:
    """A plan of the author's under a change."""
    every = Selection(workflow="leads")
    return plan_replay(store, every, catalog=CATALOG, actor=author(store), change=token)

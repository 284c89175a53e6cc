"""A replay plan over leads whose form called their tier otherwise, and that a recipe mended."""

from __future__ import annotations

from orchestrator.domain.access.actor import login
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.repair.amend import mend_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.database.engine import Store
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import CATALOG, publish_leads, renamed_lead

RECIPE = recipe_of([{"rename": "customer_tier", "to": "tier"}])


def frozen(store: Store, count: int) -> str:
    """The token of a plan over so many mended leads."""
    publish_leads(store)
    leads = [renamed_lead(number) for number in range(count)]
    accept_batch(store, leads, actor="key:test")
    validate_leads(store)
    every = Selection(workflow="leads")
    mend_events(store, every, RECIPE, actor=login("cli:ada"))
    return plan_replay(store, every, catalog=CATALOG, actor=login("cli:ada")).token

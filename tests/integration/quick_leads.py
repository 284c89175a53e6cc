"""The workflow that is run with real processes: leads for a sandbox, retried within seconds."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.changes.rollout import Rollout
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.schema import events
from tests.integration.system import System
from tests.leads import TEXT

EXAMPLES = Path(__file__).parents[2] / "workflows" / "connectors"

WORKFLOW = (
    TEXT[: TEXT.index("destinations:")]
    + """\
destinations:
  crm: {connector: crm, action: upsert_contact, send: {email: email, tier: tier}, confirm: [tier]}
  desk: {connector: helpdesk, action: create_ticket,
         send: {title: '"Onboard " + email', queue: '"desk"'}, confirm: [title, queue]}
retries: {limit: 8, first: 500ms, factor: 2, ceiling: 5s}
sla: {deliver_within: 15m, recover_within: 72h}
"""
)

HOURS = {
    "MESHLINE_DISPATCH_BUDGET_SECONDS": "20",
    "MESHLINE_TASK_TIME_LIMIT_SECONDS": "600",
    "MESHLINE_VISIBILITY_TIMEOUT_SECONDS": "3600",
    "MESHLINE_LEASE_SECONDS": "7200",
    "MESHLINE_STOP_SECONDS": "30",
}
"""Clocks of which none runs out in a test: what waited for one would never arrive."""


def take_quick_connectors(folder: Path) -> None:
    """Write the examples of connectors into a folder, with a short timeout."""
    for example in EXAMPLES.glob("*.yaml"):
        quick = example.read_text().replace("timeout: 5s", "timeout: 2s")
        (folder / example.name).write_text(quick)


def publish(system: System) -> None:
    """Publish WORKFLOW."""
    connectors = catalog(load_connectors(EXAMPLES))
    workflow = parse_workflow(WORKFLOW, name="leads.yaml", folder=None, catalog=connectors)
    publish_workflow(system.store, workflow, actor=login("cli:tester"))


def own_catalog(system: System) -> Catalog:
    """The connectors of the folder that the system's processes read."""
    return catalog(load_connectors(Path(system.environment["MESHLINE_CONNECTORS"])))


def publish_text(system: System, text: str, *, rollout: Rollout | None = None) -> str:
    """Publish the text of a workflow file; the token of its change."""
    workflow = parse_workflow(text, name="leads.yaml", folder=None, catalog=own_catalog(system))
    done = publish_workflow(system.store, workflow, actor=login("cli:tester"), rollout=rollout)
    return done.change or ""


def delivered(system: System, workflow: str) -> int:
    """How many events of a workflow are delivered."""
    there = select(func.count()).where(events.c.workflow == workflow, events.c.state == "delivered")
    with system.store.read() as tx:
        return int(tx.execute(there).scalar_one())

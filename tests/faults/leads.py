"""The events of a run. All of an event follows from its number, so that the oracle can say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from connectors.registry import catalog, load_connectors
from meshline import Event
from orchestrator.domain.access.actor import login
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from tests.leads import TEXT

EXAMPLES = Path(__file__).parents[2] / "workflows" / "connectors"
CONTACTS, TICKETS = "crm/contacts", "helpdesk/tickets"

WORKFLOW = (
    TEXT[: TEXT.index("destinations:")]
    + """\
destinations:
  crm: {connector: crm, action: upsert_contact, send: {email: email, tier: tier},
        confirm: [email, tier]}
  desk: {connector: helpdesk, action: create_ticket,
         send: {title: '"Onboard " + email', queue: '"desk"'}, confirm: [title, queue]}
retries: {limit: 100, first: 500ms, factor: 2, ceiling: 4s}
sla: {deliver_within: 15m, recover_within: 72h}
"""
)
"""Retries enough for every fault of a run: what gives up here has found no end by itself."""

_INVALID_ONE_IN = 31
_SETTLES = "3s"  # longer than the sandbox's slowest answer after its caller has gone


@dataclass(frozen=True, kw_only=True)
class Lead:
    """What becomes of the event with this number, if nothing is lost."""

    number: int

    @property
    def key(self) -> str:
        """Its idempotency key."""
        return f"lead-{self.number}"

    @property
    def email(self) -> str:
        """What its contact is called."""
        return f"lead-{self.number}@example.com"

    @property
    def invalid(self) -> bool:
        """Whether it breaks its contract, and must be in quarantine for that."""
        return self.number % _INVALID_ONE_IN == 7

    @property
    def enterprise(self) -> bool:
        """Whether it goes to the desk too, and not only to the CRM."""
        return self.number % 2 == 0

    @property
    def event(self) -> Event:
        """The event as a producer sends it."""
        tier = "enterprise" if self.enterprise else "pro"
        data = {"email": self.email, ("customer_tier" if self.invalid else "tier"): tier}
        return Event("lead.created", data, client="acme", idempotency_key=self.key)

    def records(self, event_id: str) -> dict[tuple[str, str], str]:
        """What must be in the ledger: the text that names it, by collection and key."""
        if self.invalid:
            return {}
        found = {(CONTACTS, f"{event_id}.crm"): self.email}
        if self.enterprise:
            found[TICKETS, f"{event_id}.desk"] = f"Onboard {self.email}"
        return found


_BREAKER = "breaker: {failures: 10, cooldown: 1s}"


def write_connectors(folder: Path) -> None:
    """The example's connectors, quicker to lose patience."""
    folder.mkdir(parents=True)
    for example in EXAMPLES.glob("*.yaml"):
        quick = f"timeout: 2s\n    settle: {_SETTLES}"
        text = example.read_text().replace("timeout: 5s", quick)
        (folder / example.name).write_text(text.replace("actions:", f"{_BREAKER}\nactions:", 1))


def publish(store: Store) -> None:
    """Make the workflow live."""
    connectors = catalog(load_connectors(EXAMPLES))
    workflow = parse_workflow(WORKFLOW, name="leads.yaml", folder=None, catalog=connectors)
    publish_workflow(store, workflow, actor=login("cli:chaos"))

"""`meshline demo`: a form renames a field, nothing is guessed; one recipe and one plan heal it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.registry import catalog, load_connectors
from meshline import Event, Producer
from orchestrator.domain.access.actor import process
from orchestrator.domain.errors import MeshlineError
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.domain.recipes.options import steps_of_options
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.embedded.home import empty_home
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.services import Services
from orchestrator.embedded.up import EXAMPLE
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.repair.amend import mend_events
from orchestrator.operations.repair.diagnose import diagnose
from orchestrator.operations.repair.publish_amendment import publish_amendment
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.sandbox.desk import (
    command_for_desk,
    demo_settings,
    open_desk,
    start_services,
)
from orchestrator.sandbox.ledger import read_ledger
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.views.events.counts import count_states
from orchestrator.store.views.quarantine.list import list_quarantine
from orchestrator.store.views.quarantine.selection import Selection

_PATIENCE = 120.0  # seconds for one step
_QUEUES = {"enterprise": "senior", "pro": "desk", "starter": "desk"}  # where each tier belongs
_ACTOR = process("cli:demo")


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What the demo counted; the sandbox's own records decide on the last two."""

    sent: int
    confirmed: int
    quarantined: int
    healed: int
    lost: int  # leads whose contact or ticket is not there
    misrouted: int  # leads with a ticket in another desk, or with more records than one

    @property
    def right(self) -> bool:
        """Whether every lead is where it belongs."""
        return self.lost == self.misrouted == 0 and self.sent == self.confirmed

    def __str__(self) -> str:
        return (
            f"demo: sent {self.sent} confirmed {self.confirmed} quarantined {self.quarantined}"
            f" healed {self.healed} lost {self.lost} misrouted {self.misrouted}"
        )


def run_demo(*, leads: int, then_desk: bool) -> int:
    """Play the case with `leads` before the form changes and half as many after.

    The story stays in its home until the next one. With `then_desk` the desk is open on it until
    Ctrl-C; without, the last line says which command opens it. Answers 0 where every count is
    right, 1 where one is off.

    Raises MeshlineError where something does not start or takes too long.
    """
    console = Console(highlight=False)
    config = demo_settings()
    empty_home(config.home)
    with Supervisor(config.home) as supervisor:
        services = start_services(console, supervisor, config)
        tally = _Play(console, config, services).perform(leads)
        if then_desk:
            _tell(console, tally)
            open_desk(services)
    if not then_desk:
        _tell(console, tally)
        print(f"to look at the story in a browser: {command_for_desk()}")
    return 0 if tally.right else 1


def _tell(console: Console, tally: Tally) -> None:
    console.print(_table(tally))
    print(tally, flush=True)


class _Play:
    """The case, act by act."""

    def __init__(self, console: Console, config: Settings, services: Services) -> None:
        self._console = console
        self._config = config
        self._services = services
        self._store: Store = open_store(config.store_url)

    def perform(self, leads: int) -> Tally:
        workflow = self._publish()
        key = create_key(self._store, clients=[workflow.client], label="the form", actor=_ACTOR)
        before, after = leads, max(1, leads // 2)
        with Producer(self._services.addresses["door"], key=key) as producer:
            self._console.rule(f"{before} leads arrive from the form")
            self._emit(producer, [_lead(number, "tier") for number in range(before)])
            self._wait("confirmed", "delivered", before)
            self._console.rule("the form renames tier to customer_tier")
            renamed = [_lead(before + number, "customer_tier") for number in range(after)]
            self._emit(producer, renamed)
            self._wait("quarantined", "quarantined", after)
            self._show_cause()
            quarantined = self._count("quarantined")
            healed = self._heal(workflow)
            self._wait("confirmed", "delivered", before + after)
            self._console.rule("the next lead has the new name, and passes")
            self._emit(producer, [_lead(before + after, "customer_tier")])
            self._wait("confirmed", "delivered", before + after + 1)
        return self._compare(before + after + 1, quarantined, healed)

    def _publish(self) -> Workflow:
        connectors = catalog(load_connectors(self._config.connectors))
        workflow = read_workflow(EXAMPLE / "lead-routing.yaml", connectors)
        published = publish_workflow(self._store, workflow, actor=_ACTOR)
        self._console.print(
            f"  workflow           {workflow.name} version {published.version}:"
            f" recovery lead {workflow.owners.recovery_lead}"
        )
        return workflow

    def _emit(self, producer: Producer, leads: Sequence[Event]) -> None:
        half = len(leads) // 2
        for lead in leads[:half]:
            producer.emit(lead.type, lead.data, idempotency_key=lead.idempotency_key)
        producer.emit_many(leads[half:])
        self._console.print(f"  {len(leads)} sent through the SDK, each durable before its answer")

    def _wait(self, word: str, state: str, expected: int) -> None:
        columns = (TextColumn("  {task.description:12}"), BarColumn(), MofNCompleteColumn())
        end = time.monotonic() + _PATIENCE
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as progress:
            task = progress.add_task(word, total=expected)
            while (count := self._count(state)) < expected:
                progress.update(task, completed=count)
                if time.monotonic() > end:
                    logs = self._config.home / "logs"
                    raise MeshlineError(
                        f"only {count} of {expected} leads are {word} after {_PATIENCE:g} s;"
                        f" see {logs}"
                    )
                time.sleep(0.1)
            progress.update(task, completed=count)

    def _count(self, state: str) -> int:
        with self._store.read() as tx:
            return count_states(tx)[state]

    def _show_cause(self) -> None:
        with self._store.read() as tx:
            standing = list_quarantine(tx, Selection(workflow="lead-routing"))
        first = standing[0]
        findings = diagnose(self._store, Selection(workflow="lead-routing"))
        self._console.print(f"  none was routed on a guess; all {len(standing)} are here:")
        self._console.print(f"    reason         {first.reason}: {first.detail}")
        for hint in first.hints:
            self._console.print(f"    hint           {hint}")
        for finding in findings:
            self._console.print(f"    diagnosis      {finding.told()}")
        self._console.print(f"    owner          {first.owner}")
        self._console.print(f"    recovery lead  {first.recovery_lead}")
        self._console.print(f"    recover by     {first.recover_by}")

    def _heal(self, workflow: Workflow) -> int:
        self._console.rule("one recipe and one plan")
        self._mend(workflow)
        return self._replay(workflow)

    def _mend(self, workflow: Workflow) -> None:
        steps = steps_of_options(renames=["customer_tier=tier"])
        recipe = recipe_of(steps, note="the form renamed it")
        every, name = Selection(workflow=workflow.name), workflow.name
        amended = mend_events(self._store, every, recipe, actor=_ACTOR)
        published = publish_amendment(self._store, workflow.client, name, recipe, actor=_ACTOR)
        self._put(f"meshline quarantine recipe --workflow {name} --rename customer_tier=tier")
        self._put("    --apply --publish")
        self._put(f"  {len(amended.ids)} amended, {len(amended.refused)} refused")
        self._put(f"  {name} version {published.version} amends what comes next")

    def _replay(self, workflow: Workflow) -> int:
        every = Selection(workflow=workflow.name)
        actions = catalog(load_connectors(self._config.connectors))
        plan = plan_replay(self._store, every, catalog=actions, actor=_ACTOR)
        sent = ", ".join(f"{count} to {where}" for where, count in plan.effects["send"].items())
        self._put(f"meshline quarantine replay --workflow {workflow.name} --plan")
        self._put(f"  plan {plan.token}: sends {sent}; repeats {plan.repeats}")
        ran = run_plan(self._store, plan.token, actor=_ACTOR)
        self._put(f"meshline quarantine run {plan.token}")
        self._put(f"  {ran.replayed} replayed")
        return ran.replayed

    def _put(self, text: str) -> None:
        self._console.print(f"  {text}")

    def _compare(self, leads: int, quarantined: int, healed: int) -> Tally:
        self._console.rule("the sandbox's own records")
        environment = self._services.environment
        ledger = read_ledger(
            environment["MESHLINE_SANDBOX_URL"], environment["MESHLINE_SANDBOX_TOKEN"]
        )
        contacts = Counter(
            (one["fields"]["email"], one["fields"]["tier"])
            for one in ledger if one["collection"] == "crm/contacts"
        )  # fmt: skip
        tickets = Counter(
            (one["fields"]["title"], one["fields"]["queue"])
            for one in ledger if one["collection"] == "helpdesk/tickets"
        )  # fmt: skip
        expected_contacts = Counter((_address(one), _tier(one)) for one in range(leads))
        expected_tickets = Counter(
            (f"Onboard {_address(one)}", _QUEUES[_tier(one)]) for one in range(leads)
        )
        lost = (expected_contacts - contacts) + (expected_tickets - tickets)
        extra = (contacts - expected_contacts) + (tickets - expected_tickets)
        self._console.print(
            f"  {contacts.total()} contacts and {tickets.total()} tickets for {leads} leads"
        )
        delivered = self._count("delivered")
        self._store.close()
        return Tally(
            sent=leads,
            confirmed=delivered,
            quarantined=quarantined,
            healed=healed,
            lost=lost.total(),
            misrouted=extra.total(),
        )


def _address(number: int) -> str:
    return f"lead-{number:04d}@example.com"


def _tier(number: int) -> str:
    return tuple(_QUEUES)[number % len(_QUEUES)]


def _lead(number: int, tier_field: str) -> Event:
    data = {"email": _address(number), tier_field: _tier(number), "message": "Please call me."}
    return Event("lead.created", data, idempotency_key=f"form-{number}")


def _table(tally: Tally) -> Table:
    table = Table(title="What happened to the leads", title_justify="left")
    table.add_column("count")
    table.add_column("leads", justify="right")
    table.add_column("says who")
    table.add_row("sent", str(tally.sent), "the form, through the SDK")
    table.add_row("quarantined", str(tally.quarantined), "the store: reason, owner and clock")
    table.add_row("healed", str(tally.healed), "one recipe, one plan, in the audit")
    table.add_row("confirmed", str(tally.confirmed), "every record was read back and compared")
    table.add_row("lost", str(tally.lost), "the sandbox's own records")
    table.add_row("misrouted or doubled", str(tally.misrouted), "the sandbox's own records")
    return table

"""`meshline demo`: a form renames a field, nothing is guessed; what another approves heals it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from meshline import Event, Producer
from orchestrator.domain.access.actor import process
from orchestrator.domain.errors import MeshlineError
from orchestrator.embedded.home import empty_home
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.services import Services
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.repair.diagnose import diagnose
from orchestrator.sandbox.desk import command_for_desk, demo_settings, open_desk, start_services
from orchestrator.sandbox.healing import Healing
from orchestrator.sandbox.ledger import read_ledger
from orchestrator.sandbox.people import Cast, add_people
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


def run_demo(*, leads: int, seed: int, then_desk: bool) -> int:
    """Play the case with `leads` before the form changes and half as many after.

    `seed` decides which tier each lead has, and so where it belongs.

    The story stays in its home until the next one. With `then_desk` the desk is open on it until
    Ctrl-C; without, the last line says which command opens it. Answers 0 where every count is
    right, 1 where one is off.

    Raises MeshlineError where something does not start or takes too long.
    """
    console = Console(highlight=False)
    config = demo_settings()
    empty_home(config.home)
    with Supervisor(config.home) as supervisor, closing(open_store(config.store_url)) as store:
        cast = add_people(store)
        services = start_services(console, supervisor, config)
        play = _Play(console=console, config=config, services=services, store=store, cast=cast)
        tally = play.perform(Leads(seed=seed, before=leads, after=max(1, leads // 2)))
        if then_desk:
            _tell(console, tally)
            open_desk(services, cast.password)
    if not then_desk:
        _tell(console, tally)
        print(f"to look at the story in a browser: {command_for_desk()}")
    return 0 if tally.right else 1


def _tell(console: Console, tally: Tally) -> None:
    console.print(_table(tally))
    print(tally, flush=True)


@dataclass(frozen=True, kw_only=True)
class Leads:
    """The leads of the story, by their numbers: the last one comes after it is healed."""

    seed: int
    before: int  # they come before the form changes
    after: int  # they come after it, and have another name for their tier

    @property
    def count(self) -> int:
        """All of them."""
        return self.before + self.after + 1

    def tier(self, number: int) -> str:
        """What a lead pays for."""
        return random.Random(f"{self.seed} {number}").choice(tuple(_QUEUES))

    def event(self, number: int) -> Event:
        """What the form sends of a lead."""
        field = "tier" if number < self.before else "customer_tier"
        data = {"email": _address(number), field: self.tier(number), "message": "Please call me."}
        return Event("lead.created", data, idempotency_key=f"form-{number}")


@dataclass(frozen=True, kw_only=True)
class _Play:
    """The case, act by act."""

    console: Console
    config: Settings
    services: Services
    store: Store
    cast: Cast

    def perform(self, leads: Leads) -> Tally:
        healing = Healing(store=self.store, config=self.config, cast=self.cast, say=self._put)
        workflow = healing.publish()
        key = create_key(self.store, clients=[workflow.client], label="the form", actor=_ACTOR)
        renamed = range(leads.before, leads.before + leads.after)
        with Producer(self.services.addresses["door"], key=key, deadline=60) as producer:
            self.console.rule(f"{leads.before} leads arrive from the form")
            self._emit(producer, [leads.event(number) for number in range(leads.before)])
            self._wait("confirmed", "delivered", leads.before)
            self.console.rule("the form renames tier to customer_tier")
            self._emit(producer, [leads.event(number) for number in renamed])
            self._wait("quarantined", "quarantined", leads.after)
            self._show_cause()
            quarantined = self._count("quarantined")
            self.console.rule("one proposes, another says yes, one plan heals")
            approved = healing.heal(workflow)
            self._wait("confirmed", "delivered", leads.before + leads.after)
            healed = healing.count_healed(approved)
            self.console.rule("the next lead has the new name, and passes")
            self._emit(producer, [leads.event(leads.count - 1)])
            self._wait("confirmed", "delivered", leads.count)
        self.console.rule("the audit: who proposed, who approved which digest, what followed")
        healing.tell_audit()
        return self._compare(leads, quarantined, healed)

    def _emit(self, producer: Producer, leads: Sequence[Event]) -> None:
        half = len(leads) // 2
        for lead in leads[:half]:
            producer.emit(lead.type, lead.data, idempotency_key=lead.idempotency_key)
        producer.emit_many(leads[half:])
        self.console.print(f"  {len(leads)} sent through the SDK, each durable before its answer")

    def _wait(self, word: str, state: str, expected: int) -> None:
        columns = (TextColumn("  {task.description:12}"), BarColumn(), MofNCompleteColumn())
        end = time.monotonic() + _PATIENCE
        with Progress(*columns, TimeElapsedColumn(), console=self.console) as progress:
            task = progress.add_task(word, total=expected)
            while (count := self._count(state)) < expected:
                progress.update(task, completed=count)
                if time.monotonic() > end:
                    logs = self.config.home / "logs"
                    raise MeshlineError(
                        f"only {count} of {expected} leads are {word} after {_PATIENCE:g} s;"
                        f" see {logs}"
                    )
                time.sleep(0.1)
            progress.update(task, completed=count)

    def _count(self, state: str) -> int:
        with self.store.read() as tx:
            return count_states(tx)[state]

    def _show_cause(self) -> None:
        with self.store.read() as tx:
            standing = list_quarantine(tx, Selection(workflow="lead-routing"))
        first = standing[0]
        findings = diagnose(self.store, Selection(workflow="lead-routing"))
        self.console.print(f"  none was routed on a guess; all {len(standing)} are here:")
        self.console.print(f"    reason         {first.reason}: {first.detail}")
        for hint in first.hints:
            self.console.print(f"    hint           {hint}")
        for finding in findings:
            self.console.print(f"    diagnosis      {finding.told()}")
        self.console.print(f"    owner          {first.owner}")
        self.console.print(f"    recovery lead  {first.recovery_lead}")
        self.console.print(f"    recover by     {first.recover_by}")

    def _put(self, text: str) -> None:
        self.console.print(f"  {text}")

    def _compare(self, leads: Leads, quarantined: int, healed: int) -> Tally:
        self.console.rule("the sandbox's own records")
        environment = self.services.environment
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
        expected_contacts = Counter((_address(one), leads.tier(one)) for one in range(leads.count))
        expected_tickets = Counter(
            (f"Onboard {_address(one)}", _QUEUES[leads.tier(one)]) for one in range(leads.count)
        )
        lost = (expected_contacts - contacts) + (expected_tickets - tickets)
        extra = (contacts - expected_contacts) + (tickets - expected_tickets)
        desks = Counter(queue for _, queue in tickets.elements())
        told = ", ".join(f"{count} for the queue {name}" for name, count in sorted(desks.items()))
        self._put(
            f"{contacts.total()} contacts and {tickets.total()} tickets for {leads.count} leads:"
            f" {told}"
        )
        delivered = self._count("delivered")
        return Tally(
            sent=leads.count,
            confirmed=delivered,
            quarantined=quarantined,
            healed=healed,
            lost=lost.total(),
            misrouted=extra.total(),
        )


def _address(number: int) -> str:
    return f"lead-{number:04d}@example.com"


def _table(tally: Tally) -> Table:
    table = Table(title="What happened to the leads", title_justify="left")
    table.add_column("count")
    table.add_column("leads", justify="right")
    table.add_column("says who")
    table.add_row("sent", str(tally.sent), "the form, through the SDK")
    table.add_row("quarantined", str(tally.quarantined), "the store: reason, owner and clock")
    table.add_row("healed", str(tally.healed), "one plan, by another's one yes, in the audit")
    table.add_row("confirmed", str(tally.confirmed), "every record was read back and compared")
    table.add_row("lost", str(tally.lost), "the sandbox's own records")
    table.add_row("misrouted or doubled", str(tally.misrouted), "the sandbox's own records")
    return table

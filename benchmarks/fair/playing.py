"""The relay's own claims over a real store, and workers that take one unit of time for a group."""

from __future__ import annotations

import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from time import perf_counter

from sqlalchemy import update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Action, Idempotency, Proof
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from orchestrator.store.drive.claim import ClaimLimits, Group, claim, finish_group
from orchestrator.store.quarantine.workflows import WorkflowShelf

FLOOD, LATE = "flood", "late"
"""The client that sends very much, and the one that comes later with one event at a time."""

_JUST_AFTER = 0.01  # units
_ACTION = Action(
    name="record", idempotency=Idempotency.LOOKUP, proof=Proof.READ_BACK, open_fields=True
)
_WORKFLOW = """\
workflow: calls
client: {client}
title: Calls reach the desk
trigger: {{type: call.made}}
owners:
  owner: owner@{client}.example
  recovery_lead: lead@{client}.example
  approver: approver@{client}.example
  backstop: backstop@agency.example
contract:
  type: object
  required: [number]
  properties: {{number: {{type: integer}}}}
facts: {{number: data.number}}
routes:
  - {{when: 'number >= 0', to: [crm]}}
destinations:
  crm: {{connector: fake, action: record, send: {{number: number}}, confirm: [number]}}
sla: {{deliver_within: 15m, recover_within: 72h}}
"""


def publish(store: Store, client: str) -> None:
    """Make the client's workflow live."""
    workflow = parse_workflow(
        _WORKFLOW.format(client=client),
        name="calls.yaml",
        folder=None,
        catalog={"fake": {"record": _ACTION}},
    )
    publish_workflow(store, workflow, actor=login("cli:bench"))


def send(store: Store, client: str, numbers: Iterable[int]) -> list[str]:
    """Accept one event for each number; their ids."""
    triggers = [
        Trigger(
            client=client,
            type="call.made",
            payload=strict_json.dumps({"number": number}),
            digest=strict_json.digest({"number": number}),
        )
        for number in numbers
    ]
    return [one.id for one in accept_batch(store, triggers, actor="key:bench")]


@dataclass
class Play:
    """Workers, what they have in hand, and the time: one unit for each group."""

    store: Store
    limits: ClaimLimits
    workers: int
    stagger: float = 0.0  # units by which each worker is behind the one before
    now: float = 0.0
    claims: list[float] = field(default_factory=list)  # seconds that each took
    _queue: deque[Group] = field(default_factory=deque)
    _ends: list[tuple[float, Group]] = field(default_factory=list)
    _started: dict[str, float] = field(default_factory=dict)  # by event
    _began: int = 0  # groups that were begun

    def claim(self) -> None:
        """One turn of the relay; then free workers begin what lies in the queue."""
        began = perf_counter()
        with self.store.write() as tx:
            self._queue.extend(claim(tx, self.limits, WorkflowShelf()).groups)
        self.claims.append(perf_counter() - began)
        while self._queue and len(self._ends) < self.workers:
            group = self._queue.popleft()
            late = self.stagger * (self._began % self.workers) if self._began < self.workers else 0
            self._began += 1
            self._ends.append((self.now + 1 + late, group))
            self._started.update(dict.fromkeys(group.ids, self.now))

    def go_on(self) -> None:
        """Let the group end that is the next to end; its events are at rest."""
        self._ends.sort(key=lambda one: one[0])
        self.now, group = self._ends.pop(0)
        with self.store.write() as tx:
            finish_group(tx, group.epoch)
            tx.execute(
                update(events)
                .where(events.c.id.in_(group.ids))
                .values(due_at=None, state="delivered")
            )
        if not self._ends or self._ends[0][0] > self.now:  # all that end now have ended
            self.claim()

    def wait_of(self, client: str, number: int) -> float:
        """How long one event waits for a worker, in groups, if it comes just after a claim.

        That is the worst moment: the time between a claim and its coming is as short as can be.
        """
        came, (event,) = self.now + _JUST_AFTER, send(self.store, client, [number])
        if not self._ends:
            self.claim()
        while event not in self._started:
            self.go_on()
        return self._started[event] - came

    @property
    def claim_ms(self) -> float:
        """The median of a claim."""
        return statistics.median(self.claims) * 1000

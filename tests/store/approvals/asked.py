"""Leads that wait for a person's yes, and the steps that these tests tell their stories with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson
from sqlalchemy import select, update

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import Role
from orchestrator.domain.approvals.requests import EventDecision
from orchestrator.domain.delivery.verdicts import Routed
from orchestrator.domain.lifecycle import State
from orchestrator.operations.approvals.decide import DecidedEvents, decide_event
from orchestrator.operations.approvals.keep_time import end_late_requests
from orchestrator.pipeline.route import route
from orchestrator.store.approvals.asking import Asking, ask_again, ask_for_approvals
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import event_approvals, events
from orchestrator.store.drive.claim import Group, finish_group
from orchestrator.store.drive.stages import Saving, load_group, save_routed, save_valid
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.events.show import EventView, show_event
from tests.leads import LIMITS, TEXT, accept_leads, claim_groups, publish_leads
from tests.people import add, add_admin, age_roles, logged_in

ASKING = TEXT.replace(
    "to: [crm, desk]}", "to: [crm, desk], approve: {within: 4h, show: [email, tier]}}"
)
APPROVER = "head-of-support@acme.example"  # whom the workflow names
OTHER = "second@acme.example"
OPERATOR = "operator@acme.example"
KNOWN = {"fake": "a" * 64}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request as its row says."""

    event_id: str
    state: str
    subject: str
    void: bool


def with_people(store: Store, text: str = ASKING) -> None:
    """Version 1 asks; an operator, the approver that it names, and a second one."""
    publish_leads(store, text)
    with_approvers(store)


def with_approvers(store: Store) -> None:
    """An operator, the approver that workflows of leads name, and a second one."""
    add_admin(store)
    add(store, OPERATOR, Role.OPERATOR, "acme")
    add(store, APPROVER, Role.APPROVER, "acme")
    add(store, OTHER, Role.APPROVER, "acme")
    age_roles(store)


def approver(store: Store) -> Actor:
    return logged_in(store, APPROVER)


def asked_leads(store: Store, count: int = 1, text: str = ASKING) -> list[str]:
    """Leads of the best plan that wait for a yes; their ids."""
    with_people(store, text)
    ids = accept_leads(store, count, tier="enterprise")
    drive(store)
    return ids


def drive(store: Store, known: dict[str, str] | None = None) -> list[str]:
    """What the first two links of each chain do, asking included; those that go on."""
    many = replace(LIMITS, groups_in_flight=100)  # also where others are under way
    return [one for group in claim_groups(store, many) for one in route_group(store, group, known)]


def route_group(store: Store, group: Group, known: dict[str, str] | None = None) -> list[str]:
    shelf, saving = WorkflowShelf(), Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
    with store.write() as tx:
        save_valid(tx, group.ids, saving)
        loaded = load_group(tx, group.ids, epoch=group.epoch, state=State.VALIDATED, shelf=shelf)
        if loaded is None:
            return []
        verdicts = {
            one: route(orjson.loads(body), loaded.workflow) for one, body in loaded.bodies.items()
        }
        routed = {one: said for one, said in verdicts.items() if isinstance(said, Routed)}
        moved = save_routed(tx, routed, loaded, saving)
        asking = Asking(workflow=loaded.workflow, saving=saving, digests=(known or KNOWN).get)
        routes = {one: routed[one].route + 1 for one in moved}
        again = [one for one in moved if one in loaded.replayed]
        waiting = ask_for_approvals(tx, routes, asking, again=again)
        going_on = [one for one in moved if one not in waiting]
        if not going_on:
            finish_group(tx, group.epoch)
        return going_on


def stopped_again(store: Store, group: Group, known: dict[str, str] | None = None) -> list[str]:
    """What a dispatch asks before its calls: those that may not be sent."""
    saving = Saving(actor="worker:dispatch", epoch=group.epoch, lease_seconds=60)
    with store.write() as tx:
        workflow = WorkflowShelf().take(tx, group.workflow_id)
        asking = Asking(workflow=workflow, saving=saving, digests=(known or KNOWN).get)
        return ask_again(tx, list(group.ids), asking)


def decide(
    store: Store,
    event_id: str,
    decision: EventDecision = EventDecision.APPROVE,
    *,
    by: Actor | None = None,
    seen: Sequence[str] = (),
) -> DecidedEvents:
    why = None if decision is EventDecision.APPROVE else "not to this customer"
    return decide_event(store, event_id, decision, actor=by or approver(store), why=why, seen=seen)


def requests(store: Store) -> list[Request]:
    """All of them, the oldest first."""
    table = event_approvals.c
    with store.read() as tx:
        rows = tx.execute(select(event_approvals).order_by(table.id)).all()
    return [
        Request(
            event_id=row.event_id,
            state=row.state,
            subject=row.subject,
            void=row.void_at is not None,
        )
        for row in rows
    ]


def let_time_pass(store: Store) -> int:
    """Let the time of every request be over, and a keeper look; how many were late."""
    with store.write() as tx:
        tx.execute(update(event_approvals).values(decide_by=after(-1), remind_at=after(-2)))
    return end_late_requests(store)


def event(store: Store, event_id: str) -> EventView:
    with store.read() as tx:
        found = show_event(tx, event_id)
    assert found is not None
    return found


def due_at(store: Store, event_id: str) -> int | None:
    with store.read() as tx:
        found: int | None = tx.execute(
            select(events.c.due_at).where(events.c.id == event_id)
        ).scalar_one()
    return found

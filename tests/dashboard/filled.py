"""A store in which something has happened: an event for every way that one can end or stop."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import fix_events
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.pipeline.validate import validate
from orchestrator.store.database.engine import Store
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.deliveries import NotMade, save_done, save_not_made, take_deliveries
from orchestrator.store.drive.stages import Saving, load_group, save_delivered, save_rejected
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.quarantine.selection import Selection
from tests.leads import (
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead_workflow,
    publish_leads,
)

FIXED_EMAIL = "grace@example.com"
RUNBOOK = 'https://wiki.acme.example/leads?"><script>alert(1)</script>'
HOSTILE = """<script>alert("key")</script>'&amp;\u202emoc.\x9belpmaxe\u2066"""


@dataclass(frozen=True, kw_only=True)
class Filled:
    """The ids of the events, named after their fate."""

    delivered: str
    refused: str  # by its destination
    renamed: str  # its form calls `tier` something else
    hostile: str  # like `renamed`, and its key and payload are markup
    replayed: str
    discarded: str
    accepted: str


def fill(store: Store) -> Filled:
    """Publish the workflow of the leads and bring one event to each fate."""
    publish_leads(store, f"{TEXT}runbook: '{RUNBOOK}'\n")
    (delivered,) = accept_leads(store, 1, tier="enterprise")
    _deliver(store, delivered)
    (refused,) = accept_leads(store, 1)
    _refuse(store, refused)
    renamed, replayed, discarded = (accept_one(store, f"form-{number}") for number in range(3))
    hostile = accept_one(store, HOSTILE, **{HOSTILE: HOSTILE})
    reject_what_is_due(store)
    _fix_and_replay(store, replayed)
    discard_events(store, Selection(ids=(discarded,)), why="a test lead", actor=login("cli:tester"))
    (accepted,) = accept_leads(store, 1)
    return Filled(
        delivered=delivered,
        refused=refused,
        renamed=renamed,
        hostile=hostile,
        replayed=replayed,
        discarded=discarded,
        accepted=accepted,
    )


def accept_one(store: Store, key: str, **fields: object) -> str:
    """Accept a lead whose form calls `tier` otherwise."""
    payload = {"email": "ada@example.com", "customer_tier": "pro", **fields}
    trigger = Trigger(
        client="acme",
        type="lead.created",
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=key,
    )
    return accept_batch(store, [trigger], actor="key:test")[0].id


def reject_what_is_due(store: Store) -> None:
    """What the first link of a chain does with payloads that break the contract."""
    shelf = WorkflowShelf()
    for group in claim_groups(store):
        with store.write() as tx:
            loaded = load_group(tx, group.ids, epoch=group.epoch, state=State.ACCEPTED, shelf=shelf)
            assert loaded
            verdicts = {
                one: validate(orjson.loads(body), loaded.workflow)
                for one, body in loaded.bodies.items()
            }
            rejected = {one: said for one, said in verdicts.items() if isinstance(said, Rejected)}
            save_rejected(
                tx, rejected, loaded.workflow, source=State.ACCEPTED, saving=_saving(group)
            )


def _deliver(store: Store, event_id: str) -> None:
    group = _routed(store)
    with store.write() as tx:
        taken = take_deliveries(tx, [event_id], epoch=group.epoch, run_id="run-1", run_seconds=30)
        done = [(event_id, one.name, "confirmed", f"record-{one.name}") for one in taken]
        save_done(tx, "run-1", done)
        save_delivered(tx, [event_id], lead_workflow(), _saving(group))


def _refuse(store: Store, event_id: str) -> None:
    group = _routed(store)
    said = "crm: HTTP 422: the mailbox does not exist"
    with store.write() as tx:
        shelf = WorkflowShelf()
        take_deliveries(tx, [event_id], epoch=group.epoch, run_id="run-1", run_seconds=30)
        save_not_made(
            tx,
            "run-1",
            [
                NotMade(
                    event_id=event_id,
                    name="crm",
                    state=DeliveryState.FAILED,
                    after_ms=0,
                    unknown=False,
                    reason=Reason.DESTINATION_REFUSED,
                    error=said,
                )
            ],
        )
        quarantine_events(
            tx,
            [event_id],
            source=State.ROUTED,
            workflow=shelf.take(tx, group.workflow_id).workflow,
            reason=Reason.DESTINATION_REFUSED,
            detail=said,
            actor="worker:dispatch",
            epoch=group.epoch,
            destination="crm",
        )


def _fix_and_replay(store: Store, event_id: str) -> None:
    selection = Selection(ids=(event_id,))
    amendments = parse_amendments(["customer_tier=tier"], [f"email={FIXED_EMAIL}"], [])
    fix_events(store, selection, amendments, actor=login("cli:tester"))
    replay_events(store, selection, actor=login("cli:tester"))


def _routed(store: Store) -> Group:
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    return group


def _saving(group: Group) -> Saving:
    return Saving(actor="worker:validate", epoch=group.epoch, lease_seconds=60)

"""A small workflow of leads, and the few steps that store tests tell their stories with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import orjson
from sqlalchemy import text, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Action, Idempotency, Proof
from orchestrator.domain.delivery.verdicts import Routed
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.pipeline.route import route
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries, events, payloads
from orchestrator.store.drive.claim import ClaimLimits, Group, claim
from orchestrator.store.drive.deliveries import NotMade, save_not_made, take_deliveries
from orchestrator.store.drive.stages import Saving, load_group, save_routed, save_valid
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.workflows import WorkflowShelf

TEXT = """\
workflow: leads
client: acme
title: New leads reach the desk
trigger: {type: lead.created}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract:
  type: object
  additionalProperties: false
  required: [email, tier]
  properties:
    email: {type: string, format: email, x-pii: false}
    tier: {enum: [enterprise, pro]}
facts: {email: data.email, tier: data.tier}
routes:
  - {when: 'tier == "enterprise"', to: [crm, desk]}
  - {when: 'tier == "pro"', to: [crm]}
destinations:
  crm: {connector: fake, action: record, send: {email: email, tier: tier}, confirm: [email, tier]}
  desk: {connector: fake, action: record, send: {title: '"Onboard " + email'}, confirm: [title]}
retries: {limit: 2, first: 1s, factor: 2, ceiling: 1m}
sla: {deliver_within: 15m, recover_within: 72h}
"""

CATALOG = {
    "fake": {
        "record": Action(
            name="record",
            idempotency=Idempotency.LOOKUP,
            proof=Proof.READ_BACK,
            open_fields=True,
        )
    }
}

LIMITS = ClaimLimits(
    group_size=200, groups_in_flight=4, lease_seconds=60, start_limit=6, patience_seconds=60
)


@cache
def lead_workflow(text: str = TEXT) -> Workflow:
    """The workflow, checked; every test of a run has the same one."""
    return parse_workflow(text, name="leads.yaml", folder=None, catalog=CATALOG)


def publish_leads(store: Store, text: str = TEXT) -> None:
    """Make the workflow live."""
    publish_workflow(store, lead_workflow(text), actor=login("cli:tester"))


def lead(
    number: int = 1,
    *,
    key: str | None = None,
    client: str = "acme",
    type: str = "lead.created",  # noqa: A002 - the trigger's own word
    **fields: str,
) -> Trigger:
    """One lead's trigger."""
    payload: dict[str, object] = {"email": f"lead-{number}@example.com", "tier": "pro", **fields}
    return _trigger(payload, key, client, type)


def renamed_lead(number: int = 1) -> Trigger:
    """One lead of a form that calls its tier otherwise."""
    return _trigger({"email": f"lead-{number}@example.com", "customer_tier": "enterprise"}, None)


def _trigger(
    payload: dict[str, object],
    key: str | None,
    client: str = "acme",
    trigger_type: str = "lead.created",
) -> Trigger:
    return Trigger(
        client=client,
        type=trigger_type,
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
        idempotency_key=key,
    )


def accept_leads(store: Store, count: int, **fields: str) -> list[str]:
    """Accept some leads; their ids."""
    accepted: Sequence[Accepted] = accept_batch(
        store, [lead(number, key=None, **fields) for number in range(count)], actor="key:test"
    )
    return [one.id for one in accepted]


def claim_groups(store: Store, limits: ClaimLimits = LIMITS) -> list[Group]:
    """One turn of the relay, up to the broker."""
    with store.write() as tx:
        return list(claim(tx, limits, WorkflowShelf()).groups)


def drive_to_routed(store: Store, group: Group) -> None:
    """What the first two links of a chain do."""
    shelf, saving = WorkflowShelf(), Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
    with store.write() as tx:
        save_valid(tx, group.ids, saving)
        loaded = load_group(tx, group.ids, epoch=group.epoch, state=State.VALIDATED, shelf=shelf)
        assert loaded
        verdicts = {
            one: route(orjson.loads(body), loaded.workflow) for one, body in loaded.bodies.items()
        }
        routed = {one: verdict for one, verdict in verdicts.items() if isinstance(verdict, Routed)}
        save_routed(tx, routed, loaded, saving)


def routed_leads(store: Store, **fields: str) -> tuple[list[str], int]:
    """One lead with its deliveries planned: its id in a list, and the epoch."""
    publish_leads(store)
    ids = accept_leads(store, 1, **fields)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    return ids, group.epoch


def refuse_delivery(store: Store, group: Group, event_id: str, name: str, said: str) -> None:
    """A destination refuses an event of a routed group for good, and says why."""
    with store.write() as tx:
        take_deliveries(tx, [event_id], epoch=group.epoch, run_id="refused", run_seconds=30)
        failed = NotMade(
            event_id=event_id,
            name=name,
            state=DeliveryState.FAILED,
            after_ms=0,
            unknown=False,
            reason=Reason.DESTINATION_REFUSED,
            error=said,
        )
        save_not_made(tx, "refused", [failed])
        quarantine_events(
            tx,
            [event_id],
            source=State.ROUTED,
            workflow=WorkflowShelf().take(tx, group.workflow_id).workflow,
            reason=Reason.DESTINATION_REFUSED,
            detail=said,
            actor="worker:dispatch",
            epoch=group.epoch,
            destination=name,
        )


def grow_old(store: Store, ids: Sequence[str], seconds: float) -> list[str]:
    """Move the acceptance of events into the past; their ids then, which begin with their time."""
    back = int(seconds * 1000)
    aged = [f"{int(one[:12], 16) - back:012x}{one[12:]}" for one in ids]
    with store.write() as tx:
        if store.is_sqlite:
            tx.execute(text("PRAGMA defer_foreign_keys = ON"))
        else:
            for table in (payloads, deliveries):
                name = f"fk_{table.name}_event_id"
                tx.execute(text(f"ALTER TABLE {table.name} DROP CONSTRAINT IF EXISTS {name}"))
        for old, new in zip(ids, aged, strict=True):
            earlier = {"id": new, "accepted_at": events.c.accepted_at - back}
            tx.execute(update(events).where(events.c.id == old).values(earlier))
            for table in (payloads, deliveries):
                tx.execute(update(table).where(table.c.event_id == old).values(event_id=new))
    return aged

"""Leads that are ordered by their address, driven to their ends a turn of a relay at a time."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from orchestrator.domain.delivery.verdicts import Rejected, Valid
from orchestrator.domain.lifecycle import State
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.pipeline.validate import validate
from orchestrator.store.database.engine import Store
from orchestrator.store.drive.claim import Group, claim, finish_group
from orchestrator.store.drive.stages import Saving, load_group, save_delivered, save_rejected
from orchestrator.store.ordering.turns import give_turns
from orchestrator.store.quarantine.workflows import WorkflowShelf
from tests.leads import LIMITS, TEXT, drive_to_routed, lead, publish_leads

ORDERED = f"{TEXT}ordering_key: data.email\n"
PASSING = f"{ORDERED}on_stall: pass\n"
NEWEST = (
    ORDERED.replace("tier: {enum: [enterprise, pro]}", "tier: {enum: [enterprise, pro]}\n    n: {}")
    + "latest: data.n\n"
)


def publish_ordered(store: Store, text: str = ORDERED) -> None:
    """Make the workflow live whose leads are ordered."""
    publish_leads(store, text)


def accept_lead(store: Store, number: int, **fields: str) -> str:
    """Accept one lead of the address with this number; its id."""
    return accept_batch(store, [lead(number, **fields)], actor="key:test")[0].id


def accept_update(store: Store, n: object, *, number: int = 1, **fields: str) -> str:
    """Accept one update of a lead, made at `n`; its id."""
    trigger = lead(number, n=n, **fields)  # type: ignore[arg-type]
    return accept_batch(store, [trigger], actor="key:test")[0].id


def turn(store: Store) -> list[Group]:
    """One turn of a relay, up to the broker."""
    with store.write() as tx:
        give_turns(tx)
        return list(claim(tx, LIMITS, WorkflowShelf()).groups)


def going(store: Store) -> list[str]:
    """The events that one turn of a relay takes, in order."""
    return sorted(one for group in turn(store) for one in group.ids)


def drive(store: Store, groups: Sequence[Group]) -> list[str]:
    """Drive groups to their ends: what breaks the contract to quarantine, the rest delivered."""
    ended: list[str] = []
    for group in groups:
        if kept := _validate(store, group):
            drive_to_routed(store, kept)
            ended += deliver(store, kept)
        with store.write() as tx:
            finish_group(tx, group.epoch)
    return ended


def drive_all(store: Store) -> list[list[str]]:
    """Turn after turn until nothing is due; who was delivered in each."""
    turns: list[list[str]] = []
    while groups := turn(store):
        turns.append(drive(store, groups))
    return turns


def _validate(store: Store, group: Group) -> Group | None:
    """The group without those that break the contract, which are in quarantine then."""
    saving = _saving(group)
    with store.write() as tx:
        loaded = load_group(
            tx, group.ids, epoch=group.epoch, state=State.ACCEPTED, shelf=WorkflowShelf()
        )
        assert loaded
        said = {
            one: validate(orjson.loads(body), loaded.workflow)
            for one, body in loaded.bodies.items()
        }
        rejected = {one: verdict for one, verdict in said.items() if isinstance(verdict, Rejected)}
        save_rejected(tx, rejected, loaded.workflow, source=State.ACCEPTED, saving=saving)
    kept = tuple(one for one, verdict in said.items() if isinstance(verdict, Valid))
    if not kept:
        return None
    return Group(epoch=group.epoch, workflow_id=group.workflow_id, stage=group.stage, ids=kept)


def deliver(store: Store, group: Group) -> list[str]:
    """Move a routed group to its end; its ids."""
    with store.write() as tx:
        workflow = WorkflowShelf().take(tx, group.workflow_id).workflow
        return save_delivered(tx, group.ids, workflow, _saving(group))


def _saving(group: Group) -> Saving:
    return Saving(actor="worker", epoch=group.epoch, lease_seconds=60)

"""A workflow whose next version is rolled out, and a worker that drives what a relay claims."""

from __future__ import annotations

import orjson
from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.changes.rollout import read_rollout
from orchestrator.domain.delivery.verdicts import Rejected, Routed, Valid
from orchestrator.domain.lifecycle import State
from orchestrator.operations.changes.rollout.figures import RolloutFigures, show_rollout
from orchestrator.operations.publish_workflow import Published, publish_workflow
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate
from orchestrator.store.changes.changes import find_locked
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, rollout_arms, workflow_versions
from orchestrator.store.drive.claim import Group, finish_group
from orchestrator.store.drive.stages import (
    Saving,
    load_group,
    save_delivered,
    save_rejected,
    save_routed,
    save_valid,
)
from orchestrator.store.quarantine.workflows import WorkflowShelf
from tests.leads import TEXT, claim_groups, lead_workflow

HARMLESS = TEXT.replace("15m", "20m")
BROKEN = HARMLESS.replace("[enterprise, pro]", "[enterprise]")  # it refuses what is `pro`


def roll_out(
    store: Store,
    text: str = HARMLESS,
    *,
    shadow: str | None = None,
    canary: str | None = "100%",
    each: str | None = "5ev",
) -> Published:
    """Publish with a rollout, where nobody has to approve it."""
    rollout = read_rollout(shadow, canary, each)
    return publish_workflow(store, lead_workflow(text), actor=login("cli:tester"), rollout=rollout)


def work(store: Store, *, turns: int = 1_000) -> list[Group]:
    """What a relay claims is driven to its end, until it claims nothing; the groups."""
    done: list[Group] = []
    for _ in range(turns):
        groups = claim_groups(store)
        if not groups:
            return done
        for group in groups:
            drive(store, group)
        done += groups
    return done


def drive(store: Store, group: Group) -> None:
    """What a chain does with a group, where every record is made and read back."""
    shelf, saving = WorkflowShelf(), Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
    with store.write() as tx:
        loaded = load_group(tx, group.ids, epoch=group.epoch, state=State.ACCEPTED, shelf=shelf)
        assert loaded
        bodies = {one: orjson.loads(body) for one, body in loaded.bodies.items()}
        judged = {one: validate(body, loaded.workflow) for one, body in bodies.items()}
        rejected = {one: it for one, it in judged.items() if isinstance(it, Rejected)}
        save_rejected(tx, rejected, loaded.workflow, source=State.ACCEPTED, saving=saving)
        valid = [one for one, it in judged.items() if isinstance(it, Valid)]
        save_valid(tx, valid, saving)
        verdicts = {one: route(bodies[one], loaded.workflow) for one in valid}
        routed = {one: it for one, it in verdicts.items() if isinstance(it, Routed)}
        if routed:
            save_routed(tx, routed, loaded, saving)
            save_delivered(tx, list(routed), loaded.workflow.workflow, saving)
        finish_group(tx, group.epoch)


def pass_time(store: Store, token: str, seconds: float) -> None:
    """Let the rollout, and its step, have begun so much earlier."""
    with store.write() as tx:
        change = find_locked(tx, token)
        assert change
        back = int(seconds * 1000)
        tx.execute(
            update(rollout_arms)
            .where(rollout_arms.c.change_id == change.id)
            .values(
                since=rollout_arms.c.since - back,
                began_at=rollout_arms.c.began_at - back,
                stopped_at=rollout_arms.c.stopped_at - back,
            )
        )


def figures(store: Store, token: str) -> RolloutFigures:
    with store.read() as tx:
        return show_rollout(tx, token, None)


def states_by_version(store: Store) -> dict[tuple[int, str], int]:
    """How many events are in which state, by the number of the version that they are of."""
    found: dict[tuple[int, str], int] = {}
    with store.read() as tx:
        rows = tx.execute(
            select(workflow_versions.c.version, events.c.state).join(
                events, events.c.workflow_id == workflow_versions.c.id
            )
        )
        for version, state in rows:
            found[version, state] = found.get((version, state), 0) + 1
    return found

"""Freeze what becomes of each event that a version made something of: undo, send again, or stay."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.delivery.effects import TAKEN_BACK, Effect, PlannedEffect
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.event import Item
from orchestrator.domain.lifecycle import State
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.effects import outcome_effects
from orchestrator.operations.access.allow import allow
from orchestrator.operations.replay.plan import record_plan, routed_now
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.made_snapshot import MadeGround, made_grounds, made_under
from orchestrator.store.desk.plans import (
    MADE_BY,
    PlannedEvent,
    PlannedWorkflow,
    add_plan,
    add_plan_events,
    drop_plan,
    freeze_plan,
)
from orchestrator.store.quarantine.workflows import KeptVersion, LiveWorkflow

_CHUNK = 1_000  # events in one transaction
_MOST_LISTED = 1_000  # deliveries that stay and are named one by one
_TO_DO = frozenset({*TAKEN_BACK, Effect.SEND})


@dataclass(frozen=True, kw_only=True, slots=True)
class Stays:
    """A delivery of the version that cannot be taken back, and would not be made so today."""

    event_id: str
    destination: str
    item: Item
    record_id: str | None  # for whoever looks into the tool


@dataclass(kw_only=True)
class OutcomesPlan:
    """What becomes of what a version made."""

    client: str
    workflow: str
    made_by: int  # the version
    version: int  # that is live, and decides anew
    token: str | None = None  # of the plan; None: there is nothing to do
    digest: str = ""  # over its events and what is done with each
    delivered: int = 0  # events that the version delivered
    events: int = 0  # of these, the ones that the plan takes up
    as_before: int = 0  # of these, the ones of which all would be the same
    refused: int = 0  # of the plan's, the ones that the live version refuses: to quarantine
    without_payload: int = 0  # nobody knows any more what else would have been sent
    stopped: int = 0  # of the plan's, the ones that are in quarantine after a part was made
    effects: dict[str, dict[str, int]] = field(default_factory=dict)  # by effect and destination
    stays: list[Stays] = field(default_factory=list)  # at most a thousand of them
    under_way: int = 0  # events of the version that are not at their end yet
    in_quarantine: int = 0  # and not in the plan: a replay decides about them anew
    followed: list[str] = field(default_factory=list)  # not in the plan: a later event rests on it
    more_followed: int = 0  # events that are left out for the same, beyond a thousand


class OutcomesFreezer:
    """Looks at the events of the version, chunk by chunk, and writes down what to do."""

    def __init__(
        self,
        store: Store,
        plan: OutcomesPlan,
        bad: KeptVersion,
        live: LiveWorkflow,
        workflow: CompiledWorkflow,
        catalog: Catalog,
    ) -> None:
        self.plan = plan
        self._store = store
        self._bad = bad
        self._live = live
        self._workflow = workflow
        self._catalog = catalog
        self._token = secrets.token_hex(6)
        self._hash = hashlib.sha256(f"{self._token} {bad.id} {live.id}".encode())

    def freeze(self, actor: Actor, progress: Callable[[int, int], None]) -> OutcomesPlan:
        """Look at all of them; the plan with a token, or without one where there is nothing to do.

        `progress` gets how many of how many events were looked at. Raises Forbidden.
        """
        plan = self.plan
        selection = {MADE_BY: plan.made_by, "client": plan.client, "workflow": plan.workflow}
        with self._store.write() as tx:
            number = add_plan(tx, self._token, selection, actor=actor.name)
        looked = 0
        for ids in self._chunks(State.DELIVERED):
            plan.without_payload += len(ids) - self._freeze_some(number, ids)
            looked += len(ids)
            progress(looked, max(looked, plan.delivered))
        plan.delivered = looked
        for ids in self._chunks(State.QUARANTINED):
            self._freeze_some(number, ids)
        plan.in_quarantine -= plan.stopped
        with self._store.write() as tx:
            if not plan.events:
                drop_plan(tx, number)
                return plan
            self._end(tx, number, actor)
        return plan

    def _freeze_some(self, number: int, ids: Sequence[str]) -> int:
        """Write down what to do with these events; of how many that could be decided."""
        with self._store.read() as tx:
            found = made_grounds(tx, ids)
            frozen = list(self._decided(found))
        with self._store.write() as tx:
            add_plan_events(tx, number, frozen)
        return len(found)

    def _chunks(self, state: State) -> Iterable[list[str]]:
        last = ""
        while True:
            with self._store.read() as tx:
                ids = made_under(tx, self._bad.id, state, after=last, limit=_CHUNK)
            if ids:
                yield ids
            if len(ids) < _CHUNK:
                return
            last = ids[-1]

    def _decided(self, found: Mapping[str, MadeGround]) -> Iterable[PlannedEvent]:
        for ground in found.values():
            planned = self._decide(ground)
            if planned is not None:
                self._hash.update(orjson.dumps(planned))
                yield planned

    def _decide(self, ground: MadeGround) -> PlannedEvent | None:
        plan = self.plan
        routed = routed_now(ground.payload, self._workflow)
        wanted = () if isinstance(routed, Rejected) else routed.deliveries
        effects = outcome_effects(wanted, ground.deliveries, self._catalog)
        # What is not made yet of an event in quarantine, a replay sends too.
        taken = any(one.effect in (TAKEN_BACK if ground.stopped else _TO_DO) for one in effects)
        if taken and ground.followed:
            self._leave_out(ground.event_id)
            return None
        self._count(ground, effects, taken=taken)
        if not taken:
            return None
        plan.stopped += ground.stopped
        plan.refused += isinstance(routed, Rejected)
        plan.events += 1
        return PlannedEvent(
            place=plan.events - 1,
            event_id=ground.event_id,
            ground=ground.digest,
            effects=effects,
        )

    def _leave_out(self, event_id: str) -> None:
        if len(self.plan.followed) < _MOST_LISTED:
            self.plan.followed.append(event_id)
        else:
            self.plan.more_followed += 1

    def _count(self, ground: MadeGround, effects: Sequence[PlannedEffect], *, taken: bool) -> None:
        """Add what becomes of an event's deliveries; what stays of them is named one by one."""
        plan = self.plan
        for one in effects:
            if ground.stopped and not taken and one.effect != Effect.CANNOT:
                continue  # a replay decides about it
            counts = plan.effects.setdefault(one.effect, {})
            counts[one.destination] = counts.get(one.destination, 0) + 1
            if one.effect == Effect.CANNOT and len(plan.stays) < _MOST_LISTED:
                made = ground.deliveries[one.destination, one.item]
                plan.stays.append(
                    Stays(
                        event_id=ground.event_id,
                        destination=one.destination,
                        item=one.item,
                        record_id=made.record_id,
                    )
                )
        if not ground.stopped:
            plan.as_before += all(one.effect == Effect.SAME for one in effects)

    def _end(self, tx: Tx, number: int, actor: Actor) -> None:
        plan, live = self.plan, self._live
        allow(tx, actor, Act.REPLAY, [plan.client])
        plan.token, plan.digest = self._token, self._hash.hexdigest()
        under = PlannedWorkflow(
            client=live.client, workflow=live.name, version=live.version, id=live.id
        )
        freeze_plan(
            tx,
            number,
            workflows=[under],
            effects=plan.effects,
            left_out={},
            count=plan.events,
            repeats=0,
            digest=plan.digest,
        )
        detail = {"plan": self._token, "events": plan.events, "effects": plan.effects}
        record_plan(tx, [under], actor=actor, action="plan_outcomes", detail=detail)


def names_to_undo(ground: MadeGround, effects: Iterable[PlannedEffect]) -> list[str]:
    """The names of the deliveries of an event that a plan takes back."""
    return [
        ground.deliveries[one.destination, one.item].name
        for one in effects
        if one.effect in TAKEN_BACK
    ]

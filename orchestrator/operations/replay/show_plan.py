"""Show a replay plan: event by event what is sent where, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.delivery.effects import PlannedEffect
from orchestrator.domain.delivery.verdicts import Routed
from orchestrator.domain.errors import NotFound
from orchestrator.domain.event import Item
from orchestrator.operations.replay.plan import routed_now
from orchestrator.operations.replay.under_change import compiled_for
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plan_snapshot import grounds
from orchestrator.store.desk.plans import (
    EventOfPlan,
    StoredPlan,
    find_plan,
    is_seen,
    outcomes,
    planned_events,
)
from orchestrator.store.quarantine.workflows import WorkflowShelf

Sent = Mapping[tuple[str, str, Item], Mapping[str, object]]
"""The fields of deliveries, by event id, destination and item."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownEffect(PlannedEffect):
    """What running a plan does with one delivery, and what it sends."""

    fields: Mapping[str, object] | None  # None: nothing, or the event is not as it was planned


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownEvent:
    """One event of a plan, and what came of it."""

    place: int  # from 0, in the order of the plan
    id: str  # of the event
    effects: tuple[ShownEffect, ...]  # what is done with each of its deliveries
    replayed_at: str | None  # ISO 8601 in UTC; None: not by this plan, or not yet
    outcome: str  # where it is now, in a word or two


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownPlan:
    """A plan with some of its events."""

    plan: StoredPlan
    outcomes: Mapping[str, int]  # how many of its events are where
    rows: tuple[ShownEvent, ...]  # in the order of the plan

    def as_json(self) -> dict[str, object]:
        """The plan as a document, with `outcomes` and `rows` beside its own keys."""
        return self.plan.as_json() | {"outcomes": self.outcomes, "rows": self.rows}


def show_plan(
    tx: Tx,
    token: str,
    *,
    limit: int,
    after: int = -1,
    clients: frozenset[str] | None = None,
) -> ShownPlan:
    """A plan with at most `limit` of its events, those after the place `after`.

    Raises NotFound, also where it is about others than these `clients`; None: about any.
    """
    plan = find_plan(tx, token)
    if plan is None or not is_seen(plan, clients):
        raise NotFound(f"there is no plan {token!r}", fix="see `meshline quarantine plan list`")
    events = planned_events(tx, plan.id, limit=limit, after=after)
    sent = _sent_fields(tx, plan, {one.id: one.ground for one in events})
    return ShownPlan(
        plan=plan,
        outcomes=outcomes(tx, plan.id),
        rows=tuple(_shown(one, sent) for one in events),
    )


def _sent_fields(tx: Tx, plan: StoredPlan, digests: Mapping[str, str]) -> Sent:
    """What is sent for events that are still as they were planned, by the digests of then."""
    versions = {(one.client, one.workflow): one.id for one in plan.workflows}
    shelf, under = WorkflowShelf(), compiled_for(tx, plan)
    if plan.change is not None and under is None:
        return {}
    found: dict[tuple[str, str, Item], Mapping[str, object]] = {}
    for event_id, ground in grounds(tx, list(digests)).items():
        version = versions.get((ground.client, ground.workflow))
        if version is None or ground.digest != digests[event_id]:
            continue
        routed = routed_now(ground.payload, under or shelf.take(tx, version))
        if isinstance(routed, Routed):
            found.update({(event_id, *one.place): one.send for one in routed.deliveries})
    return found


def _shown(event: EventOfPlan, sent: Sent) -> ShownEvent:
    return ShownEvent(
        place=event.place,
        id=event.id,
        effects=tuple(
            ShownEffect(
                destination=one.destination,
                connector=one.connector,
                action=one.action,
                effect=one.effect,
                item=one.item,
                after=one.after,
                fields=sent.get((event.id, one.destination, one.item)),
            )
            for one in event.effects
        ),
        replayed_at=event.replayed_at,
        outcome=event.outcome,
    )

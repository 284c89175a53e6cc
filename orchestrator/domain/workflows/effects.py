"""What a replay does with each delivery of an event: told before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orchestrator.domain.delivery.effects import Effect, PlannedEffect, Stands
from orchestrator.domain.delivery.handoff import Idempotency
from orchestrator.domain.event import Item, PlannedDelivery
from orchestrator.domain.lifecycle import DONE_DELIVERIES, DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.catalog import Catalog

Place = tuple[str, Item]
"""What tells a delivery from the others of its event: destination and item."""


def effects_of(
    planned: Iterable[PlannedDelivery], standing: Mapping[Place, Stands], catalog: Catalog
) -> list[PlannedEffect]:
    """What becomes of each delivery, planned or there before."""
    return list(_effects(planned, standing, catalog))


def _effects(
    planned: Iterable[PlannedDelivery], standing: Mapping[Place, Stands], catalog: Catalog
) -> Iterator[PlannedEffect]:
    effects = {one.place: (one, _effect(one, standing.get(one.place), catalog)) for one in planned}
    to_come = {one.destination for one, effect in effects.values() if effect is not Effect.DONE}
    for place, (one, effect) in effects.items():
        after = () if effect is Effect.DONE else tuple(filter(to_come.__contains__, one.after))
        yield _effect_row(place, one.connector, one.action, effect, after)
    for place, before in standing.items():
        if place not in effects:
            effect = Effect.DONE if before.state in DONE_DELIVERIES else Effect.DROP
            yield _effect_row(place, before.connector, before.action, effect)


def _effect(planned: PlannedDelivery, before: Stands | None, catalog: Catalog) -> Effect:
    if before is None:
        return Effect.SEND
    if before.state is DeliveryState.UNDONE:
        return Effect.ANEW
    if before.state in DONE_DELIVERIES:
        return Effect.DONE
    if before.record_id is not None:  # what was made is read, never made again
        return Effect.LOOK
    sent = before.unknown or before.state is DeliveryState.SENDING
    if not sent and before.reason != Reason.UNKNOWN_OUTCOME:
        return Effect.SEND
    action = catalog.get(planned.connector, {}).get(planned.action)
    if action is None or action.idempotency is Idempotency.NONE:
        return Effect.AGAIN
    return Effect.LOOK


def _effect_row(
    place: Place, connector: str, action: str, effect: Effect, after: tuple[str, ...] = ()
) -> PlannedEffect:
    return PlannedEffect(
        destination=place[0],
        connector=connector,
        action=action,
        effect=effect.value,
        item=place[1],
        after=after,
    )

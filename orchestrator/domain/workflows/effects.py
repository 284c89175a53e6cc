"""What a replay does with each delivery of an event: told before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orchestrator.domain.delivery.effects import Effect, PlannedEffect, Stands
from orchestrator.domain.delivery.handoff import Idempotency
from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.lifecycle import DONE_DELIVERIES, DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.catalog import Catalog


def effects_of(
    planned: Iterable[PlannedDelivery], standing: Mapping[str, Stands], catalog: Catalog
) -> list[PlannedEffect]:
    """What becomes of each delivery, planned or there before."""
    return list(_effects(planned, standing, catalog))


def _effects(
    planned: Iterable[PlannedDelivery], standing: Mapping[str, Stands], catalog: Catalog
) -> Iterator[PlannedEffect]:
    wanted = set()
    for one in planned:
        wanted.add(one.destination)
        effect = _effect(one, standing.get(one.destination), catalog)
        yield _effect_row(one.destination, one.connector, one.action, effect)
    for name, before in standing.items():
        if name not in wanted:
            effect = Effect.DONE if before.state in DONE_DELIVERIES else Effect.DROP
            yield _effect_row(name, before.connector, before.action, effect)


def _effect(planned: PlannedDelivery, before: Stands | None, catalog: Catalog) -> Effect:
    if before is None or before.state is DeliveryState.UNDONE:
        return Effect.SEND
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


def _effect_row(destination: str, connector: str, action: str, effect: Effect) -> PlannedEffect:
    return PlannedEffect(
        destination=destination, connector=connector, action=action, effect=effect.value
    )

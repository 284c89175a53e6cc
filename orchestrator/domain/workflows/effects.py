"""What a replay does with each delivery of an event: told before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from orchestrator.domain.delivery.effects import Effect, MadeDelivery, PlannedEffect, Stands
from orchestrator.domain.delivery.handoff import Idempotency
from orchestrator.domain.documents.strict_json import same_json
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


def outcome_effects(
    planned: Iterable[PlannedDelivery], made: Mapping[Place, MadeDelivery], catalog: Catalog
) -> list[PlannedEffect]:
    """What becomes of each delivery of a rolled-back version where another one decides anew."""
    wanted = {one.place: one for one in planned}
    kept = _kept(wanted, made)
    found = []
    for place, was in made.items():
        now = wanted.get(place)
        # What differs from what was sent is read once more by the replay, never left unlooked at.
        effect = Effect.LOOK if was.state is DeliveryState.FAILED else Effect.SAME
        if place not in kept:
            effect = Effect.REMAKE if now is not None else Effect.UNDO
            effect = effect if _can_undo(was, catalog) else Effect.CANNOT
        found.append(_effect_row(place, was.connector, was.action, effect))
    return found + [
        _effect_row(place, one.connector, one.action, Effect.SEND, one.after)
        for place, one in wanted.items()
        if place not in made
    ]


def _kept(
    wanted: Mapping[Place, PlannedDelivery], made: Mapping[Place, MadeDelivery]
) -> set[Place]:
    """What would be the same; not so what needs the record of another that is made anew."""
    kept = {one for one, was in made.items() if one in wanted and _is_same(wanted[one], was)}
    while True:
        places = {place[0] for place in kept}
        lost = {one for one in kept if not places.issuperset(wanted[one].after)}
        if not lost:
            return kept
        kept -= lost


def _is_same(now: PlannedDelivery, was: MadeDelivery) -> bool:
    """Fields that are computed from the records of others are left out: see `_kept`."""
    sent = {name: value for name, value in was.send.items() if name not in now.left_open}
    same_way = (now.connector, now.action) == (was.connector, was.action)
    return same_way and same_json(sent, now.send)


def _can_undo(was: MadeDelivery, catalog: Catalog) -> bool:
    action = catalog.get(was.connector, {}).get(was.action)
    there = was.state in (DeliveryState.CONFIRMED, DeliveryState.FAILED)
    ours = there and was.record_id is not None and not was.updated
    return ours and action is not None and action.can_undo


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

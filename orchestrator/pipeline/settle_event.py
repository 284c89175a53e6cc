"""What follows for an event from the states of its deliveries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from orchestrator.domain.event import destination_of
from orchestrator.domain.lifecycle import SETTLED_DELIVERIES, DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.sending.succession import Predecessors, rested_on

_AT_REST = SETTLED_DELIVERIES | {DeliveryState.UNDONE}
_ON_THEIR_WAY = (DeliveryState.PENDING, DeliveryState.HELD)


@dataclass(frozen=True, kw_only=True)
class DeliveryStatus:
    """The state of one delivery, as far as its event is concerned."""

    name: str
    state: DeliveryState
    reason: Reason | None = None
    error: str | None = None
    undo: bool = False  # its record is to be taken back
    unknown: bool = False  # its record may be there
    parked: bool = False  # nothing is sent of it before its event is routed anew
    held_back: bool = False  # it is taken back after those that rest on its record


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """Every delivery of the event is made, or superseded by a newer one."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A delivery is to come yet; the event is due when the earliest is."""


@dataclass(frozen=True, kw_only=True)
class TakeBack:
    """A delivery was given up, and what others made is to be taken back first."""

    because: str
    destinations: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """What a rolled-back version made was taken back: the live one decides about the event."""


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A delivery was given up: the event goes to quarantine with its cause."""

    reason: Reason
    detail: str
    destination: str


def settle_event(
    deliveries: Sequence[DeliveryStatus],
    *,
    undoable: Collection[str] = (),
    predecessors: Predecessors = MappingProxyType({}),
) -> Delivered | Waiting | TakeBack | TakenBack | Stuck:
    """Decide on an event by the states of its deliveries.

    One that was given up brings the event to a person at once: the clock of its SLA does not wait
    for the retries of the others, which a replay takes up where they were. `undoable` names the
    destinations that a workflow with `on_failure: undo` takes back before, the last of them first.
    """
    if all(one.state in SETTLED_DELIVERIES for one in deliveries):
        return Delivered()
    if all(one.state in _AT_REST or one.parked for one in deliveries):
        return TakenBack()
    failed = [one for one in deliveries if one.state is DeliveryState.FAILED]
    if not failed or any(one.state is DeliveryState.SENDING for one in deliveries):
        return Waiting()
    first = next((one for one in failed if not one.undo), failed[0])
    because = f"{first.name}: {first.error}"
    if undoable and any(_must_end_first(one) for one in deliveries):
        return Waiting()
    # What could not be taken back may rest on it.
    stays = rested_on((destination_of(one.name) for one in failed if one.undo), predecessors)
    made = {
        place
        for one in deliveries
        if one.state is DeliveryState.CONFIRMED
        and (place := destination_of(one.name)) in undoable
        and place not in stays
    }
    if made:
        last = made - rested_on(made, predecessors)
        return TakeBack(because=because, destinations=tuple(sorted(last)))
    told = _said_taken_back(deliveries, stays.intersection(undoable))
    if undoable:
        told += _said_left(one for one in deliveries if one is not first)
    return Stuck(
        reason=first.reason or Reason.DESTINATION_REFUSED,
        detail="; ".join([because, *told]),
        destination=destination_of(first.name),
    )


def ready_to_go(
    deliveries: Sequence[DeliveryStatus], predecessors: Predecessors
) -> tuple[str, ...]:
    """The names of those that wait and may be released, because what they come after is settled.

    Where a delivery was given up the event comes to a person, and nothing more is sent for it.
    """
    if any(one.state is DeliveryState.FAILED for one in deliveries):
        return ()
    to_come = {
        destination_of(one.name) for one in deliveries if one.state not in SETTLED_DELIVERIES
    }
    return tuple(
        one.name
        for one in deliveries
        if one.state is DeliveryState.WAITING
        and to_come.isdisjoint(predecessors.get(destination_of(one.name), ()))
    )


def ready_to_undo(
    deliveries: Sequence[DeliveryStatus], predecessors: Predecessors
) -> tuple[str, ...]:
    """The names of those whose record may be taken back now: nothing rests on it any more.

    Where one that rests on it could not be taken back the event comes to a person first.
    """
    if any(one.state is DeliveryState.FAILED for one in deliveries):
        return ()
    before = rested_on((destination_of(one.name) for one in deliveries if one.undo), predecessors)
    return tuple(
        one.name for one in deliveries if one.held_back and destination_of(one.name) not in before
    )


def _must_end_first(one: DeliveryStatus) -> bool:
    """Whether it is being taken back, or nobody knows yet whether there is anything to take.

    What is held back is not: it waits for the very one that could not be taken back.
    """
    return one.state in _ON_THEIR_WAY and not one.held_back and (one.undo or one.unknown)


def _said_taken_back(deliveries: Sequence[DeliveryStatus], stays: Collection[str]) -> list[str]:
    taken_back = [one.name for one in deliveries if one.state is DeliveryState.UNDONE]
    left = [one for one in deliveries if one.state is DeliveryState.FAILED and one.undo]
    told = [f"taken back: {', '.join(taken_back)}"] if taken_back else []
    told += [f"{one.name} could not be taken back: {one.error}" for one in left]
    rest = "is not taken back, for what rests on it could not be"
    return told + [
        f"{one.name} {rest}"
        for one in deliveries
        if one.held_back
        or (one.state is DeliveryState.CONFIRMED and destination_of(one.name) in stays)
    ]


def _said_left(deliveries: Iterable[DeliveryStatus]) -> list[str]:
    """What nobody looks for any more, because its turn did not come again, and may be there."""
    return [
        f"{one.name} may have been made, and is not taken back: the answer to its call was lost"
        for one in deliveries
        if one.unknown and not one.undo
    ]

"""What follows for an event from how its deliveries stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from orchestrator.domain.lifecycle import DONE_DELIVERIES, DeliveryState
from orchestrator.domain.reasons import Reason

_ON_THEIR_WAY = (DeliveryState.PENDING, DeliveryState.HELD)


@dataclass(frozen=True, kw_only=True)
class DeliveryStatus:
    """How one delivery stands, as far as its event is concerned."""

    destination: str
    state: DeliveryState
    reason: Reason | None = None
    error: str | None = None
    undo: bool = False  # its record is to be taken back
    unknown: bool = False  # its record may be there


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """Every delivery of the event is made."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A delivery is to come yet; the event is due when the earliest is."""


@dataclass(frozen=True, kw_only=True)
class TakeBack:
    """A delivery was given up, and what others made is to be taken back first."""

    because: str
    destinations: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A delivery was given up: the event goes to quarantine with its cause."""

    reason: Reason
    detail: str
    destination: str


def settle_event(
    deliveries: Sequence[DeliveryStatus], *, undoable: Collection[str] = ()
) -> Delivered | Waiting | TakeBack | Stuck:
    """Decide on an event by how its deliveries stand.

    One that was given up brings the event to a person at once: the clock of its SLA does not wait
    for the retries of the others, which a replay takes up where they stood. `undoable` names the
    destinations that a workflow with `on_failure: undo` takes back before.
    """
    if all(one.state in DONE_DELIVERIES for one in deliveries):
        return Delivered()
    failed = [one for one in deliveries if one.state is DeliveryState.FAILED]
    if not failed or any(one.state is DeliveryState.SENDING for one in deliveries):
        return Waiting()
    first = next((one for one in failed if not one.undo), failed[0])
    because = f"{first.destination}: {first.error}"
    if undoable and any(_must_end_first(one) for one in deliveries):
        return Waiting()
    made = tuple(
        one.destination
        for one in deliveries
        if one.state is DeliveryState.CONFIRMED and one.destination in undoable
    )
    if made:
        return TakeBack(because=because, destinations=made)
    return Stuck(
        reason=first.reason or Reason.DESTINATION_REFUSED,
        detail="; ".join([because, *_said_taken_back(deliveries)]),
        destination=first.destination,
    )


def _must_end_first(one: DeliveryStatus) -> bool:
    """Whether it is being taken back, or nobody knows yet whether there is anything to take."""
    return one.state in _ON_THEIR_WAY and (one.undo or one.unknown)


def _said_taken_back(deliveries: Sequence[DeliveryStatus]) -> list[str]:
    taken_back = [one.destination for one in deliveries if one.state is DeliveryState.UNDONE]
    left = [one for one in deliveries if one.state is DeliveryState.FAILED and one.undo]
    told = [f"taken back: {', '.join(taken_back)}"] if taken_back else []
    return told + [f"{one.destination} could not be taken back: {one.error}" for one in left]

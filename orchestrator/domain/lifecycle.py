"""The life of an event and of a delivery: states are words, moves are data.

`TRANSITIONS` is the whole truth. docs/reference/lifecycle.md is drawn from it, and the store's one
function that moves events looks into `TARGETS` before it writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.errors import IllegalMove


class State(StrEnum):
    """The states of an event."""

    ACCEPTED = "accepted"
    VALIDATED = "validated"
    ROUTED = "routed"
    AWAITING_APPROVAL = "awaiting_approval"
    DELIVERED = "delivered"
    QUARANTINED = "quarantined"
    DISCARDED = "discarded"


class Move(StrEnum):
    """What can happen to an event; the audit's word for it."""

    ACCEPT = "accept"
    VALIDATE = "validate"
    ROUTE = "route"
    REQUEST_APPROVAL = "request_approval"
    APPROVE = "approve"
    DELIVER = "deliver"
    RETRY = "retry"
    QUARANTINE = "quarantine"
    AMEND = "amend"
    REPLAY = "replay"
    DISCARD = "discard"
    RESTORE = "restore"
    REPIN = "repin"
    RECALL = "recall"


class Stage(StrEnum):
    """The three links of a chain."""

    VALIDATE = "validate"
    ROUTE = "route"
    DISPATCH = "dispatch"


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One allowed move."""

    move: Move
    source: State | None  # None: the event does not exist yet
    target: State
    when: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition(move=Move.ACCEPT, source=None, target=State.ACCEPTED,
               when="the door committed it"),
    Transition(move=Move.VALIDATE, source=State.ACCEPTED, target=State.VALIDATED,
               when="the payload satisfies the contract"),
    Transition(move=Move.AMEND, source=State.ACCEPTED, target=State.ACCEPTED,
               when="the workflow's amendment fixed the payload"),
    Transition(move=Move.ROUTE, source=State.VALIDATED, target=State.ROUTED,
               when="a route matched and its deliveries are planned"),
    Transition(move=Move.REQUEST_APPROVAL, source=State.ROUTED, target=State.AWAITING_APPROVAL,
               when="its route needs a person's yes"),
    Transition(move=Move.APPROVE, source=State.AWAITING_APPROVAL, target=State.ROUTED,
               when="the approver said yes"),
    Transition(move=Move.DELIVER, source=State.ROUTED, target=State.DELIVERED,
               when="every delivery is confirmed, receipted or superseded"),
    Transition(move=Move.RETRY, source=State.ACCEPTED, target=State.ACCEPTED,
               when="validate failed for a passing reason"),
    Transition(move=Move.RETRY, source=State.VALIDATED, target=State.VALIDATED,
               when="route failed for a passing reason"),
    Transition(move=Move.RETRY, source=State.ROUTED, target=State.ROUTED,
               when="a delivery failed for a passing reason"),
    Transition(move=Move.QUARANTINE, source=State.ACCEPTED, target=State.QUARANTINED,
               when="the payload breaks the contract"),
    Transition(move=Move.QUARANTINE, source=State.VALIDATED, target=State.QUARANTINED,
               when="no route matches or a fact is missing"),
    Transition(move=Move.QUARANTINE, source=State.ROUTED, target=State.QUARANTINED,
               when="a delivery cannot be made or proven"),
    Transition(move=Move.QUARANTINE, source=State.AWAITING_APPROVAL, target=State.QUARANTINED,
               when="the approver said no, or nobody answered"),
    Transition(move=Move.AMEND, source=State.QUARANTINED, target=State.QUARANTINED,
               when="a person fixed the payload"),
    Transition(move=Move.REPLAY, source=State.QUARANTINED, target=State.ACCEPTED,
               when="a person sent it on its way again, under the live version"),
    Transition(move=Move.DISCARD, source=State.QUARANTINED, target=State.DISCARDED,
               when="a person gave it up, and said why"),
    Transition(move=Move.REPIN, source=State.ACCEPTED, target=State.ACCEPTED,
               when="its version was rolled back: the one before decides about it"),
    Transition(move=Move.REPIN, source=State.VALIDATED, target=State.ACCEPTED,
               when="the same, and nothing was routed yet"),
    Transition(move=Move.RECALL, source=State.DELIVERED, target=State.ROUTED,
               when="its version was rolled back: what it made is to be taken back"),
    Transition(move=Move.RECALL, source=State.QUARANTINED, target=State.ROUTED,
               when="the same, of an event that stopped after a part of it was made"),
    Transition(move=Move.REPIN, source=State.ROUTED, target=State.ACCEPTED,
               when="what its version made was taken back: the live one decides about it"),
    Transition(move=Move.REPIN, source=State.DELIVERED, target=State.ACCEPTED,
               when="its version was rolled back, and left something out"),
    Transition(move=Move.RESTORE, source=State.DISCARDED, target=State.QUARANTINED,
               when="a person took the discard back, before retention emptied it"),
)  # fmt: skip

AT_END = frozenset({State.DELIVERED, State.DISCARDED})
"""Where nothing is left to do; a restore leads on from there, and a plan after a rollback."""


class _Targets(dict[tuple[Move, State | None], State]):
    def __missing__(self, key: tuple[Move, State | None]) -> State:
        move, source = key
        raise IllegalMove(
            f"an event that is {source or 'not accepted'} cannot {move.replace('_', ' ')}",
            field="state",
            fix=f"it can: {', '.join(moves_from(source)) or 'nothing, this is final'}",
        )


TARGETS: Mapping[tuple[Move, State | None], State] = _Targets(
    {(one.move, one.source): one.target for one in TRANSITIONS}
)
"""Where a move leads from a state; one that is not allowed raises IllegalMove."""

STAGE_OF: dict[State, Stage] = {
    State.ACCEPTED: Stage.VALIDATE,
    State.VALIDATED: Stage.ROUTE,
    State.ROUTED: Stage.DISPATCH,
}
"""Which stage drives an unfinished event on; a state that is not here is not claimed."""


def moves_from(source: State | None) -> tuple[Move, ...]:
    """The moves that `source` allows, in the table's order."""
    return tuple(one.move for one in TRANSITIONS if one.source == source)


class DeliveryState(StrEnum):
    """The states of a delivery."""

    WAITING = "waiting"  # for another destination
    PENDING = "pending"
    SENDING = "sending"
    HELD = "held"
    CONFIRMED = "confirmed"
    RECEIPTED = "receipted"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    UNDONE = "undone"


DONE_DELIVERIES = frozenset({DeliveryState.CONFIRMED, DeliveryState.RECEIPTED})
"""Deliveries that were made; they are never sent again."""

SETTLED_DELIVERIES = DONE_DELIVERIES | {DeliveryState.SUPERSEDED}
"""Deliveries with which nothing is left to do; an event that has no others is delivered."""

DELIVERY_TRANSITIONS: tuple[tuple[DeliveryState, DeliveryState, str], ...] = (
    (DeliveryState.WAITING, DeliveryState.PENDING, "what it comes after is made"),
    (DeliveryState.WAITING, DeliveryState.SUPERSEDED, "a newer update of its key is confirmed"),
    (
        DeliveryState.WAITING,
        DeliveryState.FAILED,
        "the records before it do not have what it needs",
    ),
    (DeliveryState.PENDING, DeliveryState.SENDING, "a run takes it, before its call goes out"),
    (DeliveryState.PENDING, DeliveryState.HELD, "its destination is paused, or its breaker open"),
    (DeliveryState.SENDING, DeliveryState.CONFIRMED, "the record was read back and compared"),
    (DeliveryState.SENDING, DeliveryState.RECEIPTED, "a tool that cannot be read took it"),
    (DeliveryState.SENDING, DeliveryState.PENDING, "it is to be tried again, or was not begun"),
    (DeliveryState.SENDING, DeliveryState.HELD, "its call opened the breaker"),
    (DeliveryState.SENDING, DeliveryState.FAILED, "it cannot be made, or cannot be proven"),
    (DeliveryState.SENDING, DeliveryState.SENDING, "its run is gone: another looks for the record"),
    (DeliveryState.SENDING, DeliveryState.UNDONE, "its record was taken back"),
    (DeliveryState.HELD, DeliveryState.PENDING, "its destination is back, or one call tries"),
    (DeliveryState.PENDING, DeliveryState.SUPERSEDED, "a newer update of its key is confirmed"),
    (
        DeliveryState.CONFIRMED,
        DeliveryState.PENDING,
        "another failed, or its version was rolled back: it is to be taken back",
    ),
    (DeliveryState.PENDING, DeliveryState.PENDING, "its event was replayed, and routed anew"),
    (DeliveryState.PENDING, DeliveryState.WAITING, "the same, and it comes after another"),
    (
        DeliveryState.FAILED,
        DeliveryState.PENDING,
        "its event was replayed, and routed anew; or its record differs, and is to be taken back",
    ),
    (DeliveryState.FAILED, DeliveryState.WAITING, "the same, and it comes after another"),
    (DeliveryState.SUPERSEDED, DeliveryState.PENDING, "its event was replayed, and routed anew"),
    (DeliveryState.SUPERSEDED, DeliveryState.WAITING, "the same, and it comes after another"),
    (DeliveryState.UNDONE, DeliveryState.PENDING, "its event was replayed, and routed anew"),
    (DeliveryState.UNDONE, DeliveryState.WAITING, "the same, and it comes after another"),
)
"""The moves of a delivery: from, to, when."""

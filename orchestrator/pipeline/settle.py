"""What follows from a call, for its delivery, and then for the whole event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.handoff import (
    Action,
    Confirmed,
    Failed,
    Idempotency,
    Mismatched,
    Outcome,
    Receipted,
)
from orchestrator.domain.lifecycle import DONE_DELIVERIES, DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.domain.retries import RetryPolicy, backoff


@dataclass(frozen=True, kw_only=True)
class Done:
    """The delivery is made."""

    state: DeliveryState  # confirmed or receipted
    record_id: str
    found: bool = False  # an earlier call had made it


@dataclass(frozen=True, kw_only=True)
class TryAgain:
    """The delivery is due again."""

    after_seconds: float
    error: str
    unknown: bool  # look the record up before sending again


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """The delivery cannot be made, or cannot be proven; a person takes over."""

    reason: Reason
    error: str
    unknown: bool = False
    record_id: str | None = None
    settle_seconds: float = 0.0  # before which a look-up, after a replay, is not to be believed


Settlement = Done | TryAgain | GiveUp


def settle(
    outcome: Outcome, *, attempt: int, action: Action, policy: RetryPolicy, jitter: float
) -> Settlement:
    """Decide on one delivery after its `attempt`-th call (from 1)."""
    match outcome:
        case Confirmed():
            return Done(
                state=DeliveryState.CONFIRMED, record_id=outcome.record_id, found=outcome.found
            )
        case Receipted():
            return Done(state=DeliveryState.RECEIPTED, record_id=outcome.receipt_id)
        case Mismatched():
            return GiveUp(
                reason=Reason.HANDOFF_MISMATCH,
                error=_told(outcome),
                record_id=outcome.record_id,
                unknown=True,  # a replay looks at the record again, and makes no second one
            )
        case Failed():
            return _settle_failure(outcome, attempt, action, policy, jitter)


def _settle_failure(
    failed: Failed, attempt: int, action: Action, policy: RetryPolicy, jitter: float
) -> TryAgain | GiveUp:
    if failed.unknown and (failed.permanent or action.idempotency is Idempotency.NONE):
        return GiveUp(
            reason=Reason.UNKNOWN_OUTCOME,
            error=failed.error,
            unknown=True,
            settle_seconds=action.settle_seconds,
        )
    if failed.permanent:
        return GiveUp(reason=Reason.DESTINATION_REFUSED, error=failed.error, unknown=failed.unknown)
    wait = backoff(policy, attempt, jitter)
    if wait is None:
        return GiveUp(
            reason=Reason.RETRIES_EXHAUSTED,
            error=failed.error,
            unknown=failed.unknown,
            settle_seconds=action.settle_seconds,
        )
    wait = max(wait, failed.retry_after or 0.0, action.settle_seconds if failed.unknown else 0.0)
    return TryAgain(after_seconds=wait, error=failed.error, unknown=failed.unknown)


def _told(outcome: Mismatched) -> str:
    shown = ", ".join(
        f"{one.field}: sent {_short(one.sent)}, stored {_short(one.stored)}"
        for one in outcome.differences
    )
    return f"record {outcome.record_id} is not what was sent: {shown}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one delivery stands, as far as its event is concerned."""

    destination: str
    state: DeliveryState
    reason: Reason | None = None
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """Every delivery of the event is made."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A delivery is to come yet; the event is due when the earliest is."""


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """A delivery was given up: the event goes to quarantine with its cause."""

    reason: Reason
    detail: str


def settle_event(deliveries: Sequence[Standing]) -> Delivered | Waiting | Stuck:
    """Decide on an event by how its deliveries stand.

    One that was given up brings the event to a person at once: the clock of its SLA does not wait
    for the retries of the others, which a replay takes up where they stood.
    """
    sending = any(one.state is DeliveryState.SENDING for one in deliveries)
    for one in deliveries:
        if one.state is DeliveryState.FAILED and not sending:
            reason = one.reason or Reason.DESTINATION_REFUSED
            return Stuck(reason=reason, detail=f"{one.destination}: {one.error}")
    if all(one.state in DONE_DELIVERIES for one in deliveries):
        return Delivered()
    return Waiting()

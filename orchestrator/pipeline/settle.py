"""What follows from a call, for its delivery."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.domain.delivery.comparing import Difference
from orchestrator.domain.delivery.handoff import (
    NOTHING_SEEN,
    Action,
    Blame,
    Confirmed,
    Failed,
    Idempotency,
    Mismatched,
    Outcome,
    Receipted,
    Seen,
    TakenBack,
)
from orchestrator.domain.delivery.retries import RetryPolicy, backoff, usable_wait
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.reasons import Reason


@dataclass(frozen=True, kw_only=True)
class Done:
    """The delivery is made, or taken back."""

    state: DeliveryState  # confirmed, receipted or undone
    record_id: str
    found: bool = False  # an earlier call had made it
    seen: Seen = NOTHING_SEEN


@dataclass(frozen=True, kw_only=True)
class TryAgain:
    """The delivery is due again."""

    after_seconds: float
    error: str
    unknown: bool  # look the record up before sending again
    record_id: str | None = None  # it was made; only its proof is missing
    seen: Seen = NOTHING_SEEN
    counts: bool = True  # as an attempt; not where the system only asked us to wait


@dataclass(frozen=True, kw_only=True)
class Hold:
    """The system is left alone for now; the delivery waits until it is back."""

    error: str
    unknown: bool
    record_id: str | None = None
    seen: Seen = NOTHING_SEEN
    settle_seconds: float = 0.0
    blameless: bool = False  # what it was charged before was the system's fault


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """The delivery cannot be made, or cannot be proven; a person takes over."""

    reason: Reason
    error: str
    unknown: bool = False
    record_id: str | None = None
    seen: Seen = NOTHING_SEEN
    settle_seconds: float = 0.0  # before which a look-up, after a replay, is not to be believed


Settlement = Done | TryAgain | Hold | GiveUp


def settle(
    outcome: Outcome,
    *,
    attempt: int,
    action: Action,
    policy: RetryPolicy,
    jitter: float,
    breaker_open: bool = False,
    own_fault: bool = False,
    pause: float = 0.0,
) -> Settlement:
    """Decide on one delivery after its `attempt`-th call (from 1).

    `breaker_open` says that the system's circuit breaker is open, `own_fault` that the system took
    others since this delivery first failed, `pause` for how many seconds nobody calls it.
    """
    match outcome:
        case Confirmed():
            return Done(
                state=DeliveryState.CONFIRMED,
                record_id=outcome.record_id,
                found=outcome.found,
                seen=outcome.seen,
            )
        case Receipted():
            return Done(
                state=DeliveryState.RECEIPTED, record_id=outcome.receipt_id, seen=outcome.seen
            )
        case Mismatched():
            return GiveUp(
                reason=Reason.HANDOFF_MISMATCH,
                error=_said_differences(outcome),
                record_id=outcome.record_id,
                seen=outcome.seen,
                unknown=True,  # a replay looks at the record again, and makes no second one
            )
        case TakenBack():
            return Done(state=DeliveryState.UNDONE, record_id=outcome.record_id)
        case Failed():
            if breaker_open and outcome.blame in _SYSTEMS and not _lost(outcome, action):
                return _hold(outcome, action, own_fault=own_fault)
            if own_fault and outcome.blame in (Blame.SYSTEM, Blame.LOGIN):
                outcome = _its_own(outcome, attempt)
            return _settle_failure(outcome, attempt, action, policy, jitter, pause)


_SYSTEMS = (Blame.SYSTEM, Blame.LOGIN, Blame.PACE)


def _its_own(failed: Failed, attempt: int) -> Failed:
    """The failure of one delivery while the system takes others: that is said, and tried again."""
    told = f"{failed.error} (the system took others meanwhile, so it cannot take this one"
    tries = "" if attempt == 1 else f"; {attempt} tries"
    permanent = failed.permanent and failed.blame is not Blame.LOGIN
    return replace(failed, error=f"{told}{tries})", permanent=permanent)


def _lost(failed: Failed, action: Action) -> bool:
    """Whether nothing but a person can find out what became of a call."""
    return failed.unknown and failed.record_id is None and action.idempotency is Idempotency.NONE


def _hold(failed: Failed, action: Action, *, own_fault: bool) -> Hold:
    return Hold(
        error=failed.error,
        unknown=failed.unknown,
        record_id=failed.record_id,
        seen=failed.seen,
        settle_seconds=action.settle_seconds if failed.unknown else 0.0,
        blameless=failed.blame is not Blame.PACE and not own_fault,
    )


def _settle_failure(
    failed: Failed,
    attempt: int,
    action: Action,
    policy: RetryPolicy,
    jitter: float,
    pause: float,
) -> TryAgain | GiveUp:
    if _lost(failed, action):
        return _give_up(Reason.UNKNOWN_OUTCOME, failed, action)
    if failed.permanent:
        unclear = failed.unknown and (failed.record_id is None or failed.undecided)
        reason = Reason.UNKNOWN_OUTCOME if unclear else Reason.DESTINATION_REFUSED
        return _give_up(reason, failed, action)
    asked_to_wait = failed.blame is Blame.PACE
    wait = (
        pause
        if asked_to_wait and pause
        else backoff(policy, 1 if asked_to_wait else attempt, jitter)
    )
    if wait is None:
        return _give_up(Reason.RETRIES_EXHAUSTED, failed, action)
    settle_seconds = action.settle_seconds if failed.unknown else 0.0
    return TryAgain(
        after_seconds=max(wait, usable_wait(failed.retry_after) or 0.0, settle_seconds),
        error=failed.error,
        unknown=failed.unknown,
        record_id=failed.record_id,
        seen=failed.seen,
        counts=not asked_to_wait,
    )


def _give_up(reason: Reason, failed: Failed, action: Action) -> GiveUp:
    return GiveUp(
        reason=reason,
        error=failed.error,
        unknown=failed.unknown,
        record_id=failed.record_id,
        seen=failed.seen,
        settle_seconds=action.settle_seconds if failed.unknown else 0.0,
    )


def _said_differences(outcome: Mismatched) -> str:
    shown = ", ".join(map(_said, outcome.differences))
    return f"record {outcome.record_id} is not what was sent: {shown}"


def _said(difference: Difference) -> str:
    sent = f"{difference.field}: sent {_short(difference.sent)}"
    if difference.absent:
        return f"{sent}, and {difference.told}"
    told = f" ({difference.told})" if difference.told else ""
    return f"{sent}, stored {_short(difference.stored)}{told}"


def _short(value: object) -> str:
    """A value in the words of JSON where it has its own, cut."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

"""What follows from a turn's calls, as rows and words for the store."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from connectors.handoff.concurrent import NotStarted
from orchestrator.domain.commitments import Value, repeats
from orchestrator.domain.delivery.handoff import Action, Outcome
from orchestrator.domain.delivery.retries import RetryPolicy
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.pipeline.settle import Done, GiveUp, Hold, Settlement, TryAgain, settle
from orchestrator.store.database.audit import DeliveryNote
from orchestrator.store.database.prepared import storable
from orchestrator.store.drive.deliveries import NotMade, Taken
from orchestrator.store.quarantine.incidents import Where
from workers.health import SystemFindings
from workers.outcomes import LastFailure, Outcomes

_DONE_AS = {
    DeliveryState.CONFIRMED: "confirm",
    DeliveryState.RECEIPTED: "receipt",
    DeliveryState.UNDONE: "undo",
}


def settle_calls(
    taken: Sequence[Taken],
    answers: Mapping[str, Outcome | NotStarted],
    *,
    find: Callable[[Taken], Action | None],
    policy: RetryPolicy,
    findings: SystemFindings | None = None,
) -> Outcomes:
    """Decide on each delivery after its call, and after what is known of its system."""
    found, findings = Outcomes(), findings or SystemFindings()
    for one in taken:
        settled = _settle_one(one, answers.get(one.key), find(one), policy, findings)
        if settled is None:
            found.not_begun.append(one)
        else:
            found.open[one.event_id] = one.open
            _add(found, one, settled, findings)
    return found


def _settle_one(
    one: Taken,
    answer: Outcome | NotStarted | None,
    action: Action | None,
    policy: RetryPolicy,
    findings: SystemFindings,
) -> Settlement | None:
    if action is None:
        known = f"connector {one.connector!r} with action {one.action!r}"
        return GiveUp(reason=Reason.CONNECTOR_MISSING, error=f"this worker has no {known}")
    if answer is None or isinstance(answer, NotStarted):
        return None
    settled = settle(
        answer,
        attempt=one.attempt,
        action=action,
        policy=policy,
        jitter=random.random(),
        breaker_open=one.key in findings.held_by,
        own_fault=one.key in findings.own_fault,
        pause=findings.pauses.get(one.connector, 0.0),
    )
    if one.undo and isinstance(settled, GiveUp):
        return replace(settled, reason=Reason.UNDO_FAILED)
    return settled


def _add(found: Outcomes, one: Taken, settled: Settlement, findings: SystemFindings) -> None:
    where, since = (one.event_id, one.destination), findings.failing_since.get(one.key)
    match settled:
        case Done():
            found.done.append((*where, settled.state.value, storable(settled.record_id)))
            found.notes[where] = _done_note(one, settled)
        case GiveUp():
            found.not_made.append(_to_give_up(where, settled))
            found.notes[where] = _failure_note(where, settled)
        case TryAgain():
            found.not_made.append(replace(_to_try_again(where, settled), failing_since=since))
            found.failed[one.event_id] = LastFailure(one.destination, settled.error)
        case Hold():
            circuit = findings.held_by[one.key]
            found.not_made.append(replace(_to_hold(where, settled, circuit), failing_since=since))
            found.notes[where] = _held_note(where, settled, circuit)


def _to_try_again(where: Where, one: TryAgain) -> NotMade:
    return NotMade(
        event_id=where[0],
        destination=where[1],
        state=DeliveryState.PENDING,
        after_ms=int(one.after_seconds * 1000),
        unknown=one.unknown,
        error=storable(one.error),
        record_id=one.record_id,
        began=one.counts,
    )


def _to_hold(where: Where, one: Hold, circuit: str) -> NotMade:
    return NotMade(
        event_id=where[0],
        destination=where[1],
        state=DeliveryState.HELD,
        after_ms=int(one.settle_seconds * 1000),
        unknown=one.unknown,
        error=storable(one.error),
        record_id=one.record_id,
        began=False,
        held_by=circuit,
        blameless=one.blameless,
    )


def _to_give_up(where: Where, one: GiveUp) -> NotMade:
    return NotMade(
        event_id=where[0],
        destination=where[1],
        state=DeliveryState.FAILED,
        after_ms=int(one.settle_seconds * 1000),
        unknown=one.unknown,
        reason=one.reason,
        error=storable(one.error),
        record_id=one.record_id,
    )


def _done_note(taken: Taken, one: Done) -> DeliveryNote:
    detail: dict[str, object] = {"record_id": one.record_id}
    if repeats(one.record_id, taken.fields):  # an address, say: not a name that may stay for ever
        detail["record_id"] = Value(value=one.record_id)
    if one.found:
        detail["found"] = "an earlier call had made it"
    return DeliveryNote(
        event_id=taken.event_id,
        destination=taken.destination,
        action=_DONE_AS[one.state],
        target=one.state,
        detail=detail,
    )


def _held_note(where: Where, one: Hold, circuit: str) -> DeliveryNote:
    return DeliveryNote(
        event_id=where[0],
        destination=where[1],
        action="hold",
        target=DeliveryState.HELD,
        detail={"by": circuit, "detail": one.error},
    )


def _failure_note(where: Where, one: GiveUp) -> DeliveryNote:
    return DeliveryNote(
        event_id=where[0],
        destination=where[1],
        action="fail",
        target=DeliveryState.FAILED,
        reason=one.reason,
        detail={"detail": one.error, "record_id": Value(value=one.record_id)},
    )

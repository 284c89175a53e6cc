"""What a source sent that goes into quarantine at once: why, and under which key it is kept."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.event import Trigger
from orchestrator.domain.reasons import Reason
from orchestrator.store.drive.accept import KeyConflict


def not_taken(trigger: Trigger) -> Rejected:
    """Why an event is stopped that no workflow takes."""
    told = f"no live workflow of client {trigger.client!r} takes {trigger.type!r}"
    if trigger.hook is None or trigger.hook.type is None:
        told = "the request does not say a type"
    return Rejected(reason=Reason.NO_WORKFLOW, detail=told)


def set_apart(trigger: Trigger, conflict: KeyConflict) -> tuple[Trigger, Rejected]:
    """The trigger under a key of its own, and why it is stopped.

    The key holds the digest of the payload, so that the same once more is a duplicate of this one.
    """
    told = f"its key came before with another payload, as event {conflict.event_id}"
    apart = replace(trigger, idempotency_key=f"{conflict.key}~{trigger.digest}")
    return apart, Rejected(reason=Reason.CONFLICTING_DUPLICATE, detail=told)

"""Release deliveries that waited for others: compute what they are sent, now that those are made.

It is part of the transaction that saves the outcomes of a run, so no moment shows a delivery that
waits for what is made, except those that are too many for one transaction. A fault here must not
cost the answers to calls: without them each would be an unknown outcome.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from orchestrator.domain.commitments import Value
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.sending.records import record_values
from orchestrator.operations.dispatch.admit_deliveries import Run
from orchestrator.pipeline.route import plan_after
from orchestrator.pipeline.settle_event import DeliveryStatus, ready_to_go, ready_to_undo
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.engine import Tx
from orchestrator.store.drive.take_back import begin_held_back
from orchestrator.store.drive.waiting import (
    Before,
    NotComputable,
    Released,
    give_up_waiting,
    load_before,
    release,
)
from orchestrator.store.quarantine.actions import effective_payloads

log = logging.getLogger(__name__)

LONGEST_SECONDS = 0.2
"""How long one transaction computes, after its first event: others wait for its rows meanwhile."""

Standing = dict[str, list[DeliveryStatus]]
"""The states of the deliveries of events, by event id."""


def release_waiting(tx: Tx, run: Run, standing: Standing) -> set[str]:
    """Release those that wait for nothing any more, and bring `standing` up to date.

    Answers the events to go on with: a delivery of each may go out now, or is not computed yet.
    What cannot be computed has failed. The caller holds the events.
    """
    ready = {
        event_id: names
        for event_id, deliveries in standing.items()
        if (names := ready_to_go(deliveries, run.workflow.predecessors))
    }
    if not ready:
        return set()
    payloads = effective_payloads(tx, list(ready))
    going: list[Released] = []
    failed: list[NotComputable] = []
    notes: list[DeliveryNote] = []
    left, over = set(ready), time.monotonic() + LONGEST_SECONDS
    for event_id, before in load_before(tx, ready).items():
        left.remove(event_id)
        for name, planned in _plan(run, event_id, payloads, ready[event_id], before):
            if isinstance(planned, Rejected):
                failed.append(_not_computable(event_id, name, planned))
                notes.append(_failure_note(failed[-1]))
            else:
                going.append(_going(event_id, name, planned))
                notes.append(_note(event_id, name, planned, before, run))
        if time.monotonic() > over:
            break
    release(tx, going)
    give_up_waiting(tx, failed)
    record_deliveries(tx, notes, actor=run.saving.actor)
    _update(standing, going, failed)
    return left | {one.event_id for one in going}


def release_undos(tx: Tx, run: Run, standing: Standing) -> set[str]:
    """Let the next records be taken back of events of which nothing rests on these any more.

    Answers these events. The caller holds them.
    """
    ready = {
        event_id: names
        for event_id, deliveries in standing.items()
        if (names := ready_to_undo(deliveries, run.workflow.predecessors))
    }
    begin_held_back(tx, [(one, name) for one, names in ready.items() for name in names])
    return set(ready)


Planned = tuple[str, PlannedDelivery | Rejected]
"""The name of a delivery with what it is sent, or with why that cannot be computed."""


def _plan(
    run: Run, event_id: str, payloads: Mapping[str, object], names: Sequence[str], before: Before
) -> Sequence[Planned]:
    """What each of an event's deliveries is sent; where the computation breaks, none of them is."""
    try:
        return list(_planned(run, payloads[event_id], names, before))
    except Exception as error:
        log.exception("event %s: what comes after its records cannot be computed", event_id)
        why = Rejected(reason=Reason.RULE_ERROR, detail=f"{type(error).__name__}: {error}")
        return [(name, why) for name in names]


def _planned(run: Run, payload: object, names: Sequence[str], before: Before) -> Iterator[Planned]:
    waiting = [before.waiting[name] for name in names]
    for destination in dict.fromkeys(one.destination for one in waiting):
        planned = plan_after(payload, run.workflow, destination, before.records)
        for one in waiting:
            if one.destination == destination:
                yield one.name, planned if isinstance(planned, Rejected) else planned[one.item]


def _going(event_id: str, name: str, planned: PlannedDelivery) -> Released:
    return Released(event_id=event_id, name=name, send=planned.send, confirm=planned.confirm)


def _not_computable(event_id: str, name: str, rejected: Rejected) -> NotComputable:
    return NotComputable(
        event_id=event_id, name=name, reason=rejected.reason, error=rejected.detail
    )


def _note(
    event_id: str, name: str, planned: PlannedDelivery, before: Before, run: Run
) -> DeliveryNote:
    """What was waited for, and which fields were computed from which parts of records."""
    fields = [one for one in run.workflow.destination(planned.destination).fields if one.awaits]
    known = record_values(before.records)
    used = {part: known.get(part) for one in fields for part in one.awaits}
    detail: dict[str, object] = {"after": list(planned.after)}
    if fields:
        detail |= {"computed": [one.name for one in fields], "from": Value(value=used)}
    if planned.defaulted:
        detail["defaulted"] = list(planned.defaulted)
    return DeliveryNote(
        event_id=event_id,
        name=name,
        action="proceed",
        target=DeliveryState.PENDING,
        detail=detail,
    )


def _failure_note(one: NotComputable) -> DeliveryNote:
    return DeliveryNote(
        event_id=one.event_id,
        name=one.name,
        action="fail",
        target=DeliveryState.FAILED,
        reason=one.reason,
        detail={"detail": one.error},
    )


def _update(standing: Standing, going: Sequence[Released], failed: Sequence[NotComputable]) -> None:
    """Put in the states that these deliveries have now."""
    pending = {(one.event_id, one.name) for one in going}
    given_up: Mapping[tuple[str, str], NotComputable] = {
        (one.event_id, one.name): one for one in failed
    }
    for event_id in {where[0] for where in (*pending, *given_up)}:
        for place, one in enumerate(standing[event_id]):
            where = (event_id, one.name)
            if where in pending:
                standing[event_id][place] = replace(one, state=DeliveryState.PENDING)
            elif where in given_up:
                told = given_up[where]
                standing[event_id][place] = replace(
                    one, state=DeliveryState.FAILED, reason=told.reason, error=told.error
                )

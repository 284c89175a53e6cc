"""What time does to requests: one that nobody answered is a quarantine, and never a yes."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.approvals.requests import RequestState
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.store.approvals.requests import (
    Ending,
    EventRequest,
    due_requests,
    end_requests,
    lock_requests,
)
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_events
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.values import iso_time, now_of

_MOST = 500  # in one turn
_TOGETHER = 100  # in one transaction
ACTOR = "keeper"


def end_late_requests(store: Store) -> int:
    """Quarantine the events about which nobody decided in time; how many there were."""
    with store.read() as tx:
        due = due_requests(tx, most=_MOST)
    by_version: dict[int, list[EventRequest]] = {}
    for one in due:
        by_version.setdefault(one.workflow_id, []).append(one)
    shelf, ended = WorkflowShelf(), 0
    for some in by_version.values():
        for first in range(0, len(some), _TOGETHER):
            with store.write() as tx:
                ended += _end(tx, some[first : first + _TOGETHER], shelf)
    return ended


def _end(tx: Tx, due: Sequence[EventRequest], shelf: WorkflowShelf) -> int:
    """End those of one version that wait still, now that they are held."""
    ids = sorted(one.event_id for one in due)
    hold_events(tx, ids)
    now = now_of(tx)
    late = [
        one
        for one in lock_requests(tx, ids).values()
        if one.state is RequestState.WAITING and one.decide_by <= now
    ]
    for one in late:
        workflow = shelf.take(tx, one.workflow_id).workflow
        quarantine_events(
            tx,
            [one.event_id],
            source=State.AWAITING_APPROVAL,
            workflow=workflow,
            reason=Reason.APPROVAL_LATE,
            detail=f"nobody decided until {iso_time(one.decide_by)}; {workflow.owners.approver}"
            " is its approver",
            actor=ACTOR,
        )
    end_requests(tx, [one.id for one in late], Ending(state=RequestState.LATE, by=ACTOR))
    return len(late)

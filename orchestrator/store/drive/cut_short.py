"""Groups whose decisions were cut short: at the end of their turn, or with their process."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, case, select, update

from orchestrator.domain.lifecycle import STAGE_OF, State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import events
from orchestrator.store.drive.claim import ALONE_AFTER, finish_group
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.workflows import WorkflowShelf


def put_back(tx: Connection, ids: Sequence[str], *, epoch: int, source: State) -> None:
    """Give events back that a stage did not get to: due now, and it was not a start of theirs."""
    _PUT_BACK.run(tx, ids=list(ids), epoch=epoch, state=source, suspect=None, starts=0)


def end_of_start(
    tx: Connection,
    ids: Sequence[str],
    *,
    epoch: int,
    source: State,
    suspect: str,
    seconds: float,
    start_limit: int,
    actor: str,
) -> None:
    """The time limit of `seconds` ended a process while it decided on the event `suspect`.

    Its companions are due at once as if nothing had been, and it is due alone. Where it was alone
    already it is quarantined. All that the process still saved before it ended is left as it is.
    """
    if list(ids) == [suspect]:
        _quarantine(tx, suspect, epoch, source, seconds, actor)
    else:
        starts = min(ALONE_AFTER, start_limit - 1)
        _PUT_BACK.run(tx, ids=list(ids), epoch=epoch, state=source, suspect=suspect, starts=starts)
    finish_group(tx, epoch)


def _quarantine(
    tx: Connection, event_id: str, epoch: int, source: State, seconds: float, actor: str
) -> None:
    row = tx.execute(_WORKFLOW, {"id": event_id, "epoch": epoch, "state": source}).one_or_none()
    if row is None:
        return
    quarantine_events(
        tx,
        [event_id],
        source=source,
        workflow=WorkflowShelf().take(tx, row.workflow_id).workflow,
        reason=Reason.START_LIMIT,
        detail=(
            f"the decision at {STAGE_OF[source]} on this event alone was not made in {seconds:g} s,"
            " so its process was ended"
        ),
        actor=actor,
        epoch=epoch,
    )


_OURS = (events.c.state == bindparam("state"), events.c.epoch == bindparam("epoch"))

_WORKFLOW = select(events.c.workflow_id).where(events.c.id == bindparam("id"), *_OURS)

_PUT_BACK = Prepared(
    lambda dialect: (
        update(events)
        # What is due by now was put back before, in a commit whose answer was lost.
        .where(among(dialect, events.c.id), *_OURS, events.c.due_at > now_ms())
        .values(
            due_at=now_ms(),
            starts=case(
                (events.c.id == bindparam("suspect"), bindparam("starts")),
                (events.c.starts > 0, events.c.starts - 1),
                else_=0,
            ),
        )
    )
)

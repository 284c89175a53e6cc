"""What time does to changes: one that nobody decided expires, an approved one goes live."""

from __future__ import annotations

from orchestrator.domain.access.actor import Actor, process
from orchestrator.domain.changes.states import OPEN, ChangeMove, ChangeState
from orchestrator.domain.errors import Refused, WorkflowConflict
from orchestrator.operations.changes.freeze import wait_for_thaw
from orchestrator.operations.changes.go_live import go_live
from orchestrator.operations.changes.hold import hold_by_itself
from orchestrator.operations.changes.rollout.waiting import wait_for_rollout
from orchestrator.operations.changes.tell import tell_authors
from orchestrator.store.changes.changes import LockedChange, due_changes, move_change
from orchestrator.store.clocks.alerts import AlertKind
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.views.values import now_of

_MOST = 100  # in one turn
KEEPER = process("keeper")


def keep_time_of_changes(store: Store) -> int:
    """Move what is due, each in a transaction of its own; how many."""
    with store.read() as tx:
        tokens = due_changes(tx, most=_MOST)
    return sum(_keep(store, token) for token in tokens)


def _keep(store: Store, token: str) -> int:
    try:
        with store.write() as tx:
            change = _held(tx, token)
            if change is None:
                return 0
            if change.state is ChangeState.APPROVED and change.expires_at > now_of(tx):
                go_live(tx, change, KEEPER)
            else:
                _end(tx, change, "nobody decided in time", KEEPER)
    except (Refused, WorkflowConflict) as error:
        with store.write() as tx:
            change = _held(tx, token)
            if change is not None:
                _end(tx, change, str(error), KEEPER)
    return 1


def _held(tx: Tx, token: str) -> LockedChange | None:
    """The change, if it is due."""
    change = hold_by_itself(tx, token)
    # Somebody may have edited, decided or frozen it since it was found: it may have another time.
    if change is None or not _is_due(change, now_of(tx)):
        return None
    if change.state is not ChangeState.APPROVED:
        return change
    waits = wait_for_thaw(tx, change) or wait_for_rollout(tx, change)
    return None if waits else change


def _is_due(change: LockedChange, now: int) -> bool:
    if change.state is ChangeState.APPROVED:
        return min(change.go_live_at or 0, change.expires_at) <= now
    return change.state in OPEN and change.expires_at <= now


def _end(tx: Tx, change: LockedChange, why: str, actor: Actor) -> None:
    """It is over: its approval came too late, or does not hold when its time has come."""
    move_change(tx, change, ChangeMove.EXPIRE, actor=actor.name, detail={"why": why})
    tell_authors(tx, change, AlertKind.EXPIRED, actor=actor, news=why)

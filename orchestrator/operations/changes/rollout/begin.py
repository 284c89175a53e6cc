"""Begin a rollout, and end it: what `go_live` calls when it has checked who said yes."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.changes.rollout import Mode, Rollout
from orchestrator.domain.changes.states import ChangeMove
from orchestrator.domain.errors import Refused
from orchestrator.domain.workflows.ordering.keys import Ordering
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.store.changes.changes import LockedChange, move_change
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.workflows import LiveWorkflow, live_workflow
from orchestrator.store.rollout.arms import add_first_arm, end_failed, end_passed, lock_arm
from orchestrator.store.rollout.outcomes import count_base
from orchestrator.store.views.values import now_of

MOVES = {Mode.SHADOW: ChangeMove.START_SHADOW, Mode.CANARY: ChangeMove.START_CANARY}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """The version that is tried beside the live one."""

    row: int  # its id
    version: int
    ordering: Ordering | None


def check_can_roll(workflow: Workflow, live: LiveWorkflow | None, rollout: Rollout | None) -> None:
    """Raises Refused where a version with a rollout cannot share the events with the live one."""
    if rollout is None:
        return
    if live is None:
        raise _cannot_compare(workflow.name)
    if live.trigger_type != workflow.trigger_type:
        raise _cannot_share("takes another trigger")
    if live.ordering != workflow.ordering:
        raise _cannot_share("orders its events by another key")


def begin_rollout(tx: Tx, change: LockedChange, candidate: Candidate, actor: Actor) -> None:
    """Let the candidate begin with the first step. Raises Refused where it cannot."""
    live = live_workflow(tx, change.client, change.workflow)
    if live is None or change.rollout is None:
        raise _cannot_compare(change.workflow)
    if live.ordering != candidate.ordering:
        raise _cannot_share("orders its events by another key")
    step = Rollout.from_text(change.rollout).steps()[0]
    before = count_base(tx, change.client, change.workflow, now_of(tx))
    add_first_arm(
        tx, change=change.id, version=candidate.row, base=live.id, step=step, before=before
    )
    told = {
        "version": candidate.version,
        "subject": change.subject,
        "step": step.number,
        "share": step.share,
    }
    move_change(tx, change, MOVES[step.mode], actor=actor.name, detail=told)


def finish_rollout(tx: Tx, change: LockedChange) -> int:
    """End the last step of a rollout, which passed; the id of the candidate's row.

    Raises Refused where it is over.
    """
    arm = lock_arm(tx, change.id)
    if arm is None:
        raise _is_over(change)
    end_passed(tx, arm)
    return arm.version


def abandon_rollout(tx: Tx, change: LockedChange, why: str) -> None:
    """End a rollout that goes back: the live version decides about what comes from now on."""
    arm = lock_arm(tx, change.id)
    if arm is not None:
        end_failed(tx, arm, why)


def _is_over(change: LockedChange) -> Refused:
    return Refused(
        f"the rollout of change {change.token} is over",
        field="change",
        fix=f"see `meshline change show {change.token}`",
    )


_AT_ONCE = "propose it without --shadow, --canary and --each"


def _cannot_compare(workflow: str) -> Refused:
    return Refused(
        f"no version of {workflow!r} is live, so there is none to compare it with",
        field="rollout",
        fix=_AT_ONCE,
    )


def _cannot_share(what: str) -> Refused:
    return Refused(
        f"it {what} than the live version, so the two cannot share the events",
        field="rollout",
        fix=_AT_ONCE,
    )

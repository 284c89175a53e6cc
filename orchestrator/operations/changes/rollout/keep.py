"""What time and events do to rollouts: a keeper judges each step, goes on, or goes back."""

from __future__ import annotations

from orchestrator.domain.changes.rollout import Mode, Rollout
from orchestrator.domain.changes.states import ROLLING, ChangeMove
from orchestrator.domain.errors import Refused, WorkflowConflict
from orchestrator.operations.changes.freeze import is_frozen_now
from orchestrator.operations.changes.go_live import go_live
from orchestrator.operations.changes.hold import hold_by_itself, hold_governance
from orchestrator.operations.changes.keep_time import KEEPER
from orchestrator.operations.changes.rollout.begin import MOVES
from orchestrator.operations.changes.rollout.go_back import go_back, tidy
from orchestrator.operations.changes.rollout.judging import count_outcomes, is_decided, verdict_on
from orchestrator.operations.changes.rollout.shadow import look_as_shadow
from orchestrator.store.changes.changes import (
    LockedChange,
    find_locked,
    move_change,
    rolling_changes,
)
from orchestrator.store.changes.views import named_by_number
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.rollout.arms import Arm, add_next_arm, find_arm, lock_arm, untidy_arms
from orchestrator.store.rollout.outcomes import newly_ended


def keep_rollouts(store: Store) -> int:
    """Judge every rollout once, each in a transaction of its own; how many moved on or went back.

    A keeper that is killed leaves each as it was or as it is after its move: the next one goes on.
    """
    with store.read() as tx:
        tokens, untidy = rolling_changes(tx), untidy_arms(tx)
    for arm in untidy:
        _tidy(store, arm)
    return sum(_keep(store, token) for token in tokens)


def _keep(store: Store, token: str) -> int:
    against = look_as_shadow(store, token)
    if against is None and not _may_move(store, token):
        return 0
    try:
        with store.write(ring=True) as tx:  # a relay may wait until these events are judged
            change = _held(tx, token)
            return 0 if change is None else _judge(tx, change, against)
    except (Refused, WorkflowConflict) as error:
        # Its approval does not hold any more, or what is live is another version.
        with store.write(ring=True) as tx:
            change = _held(tx, token)
            if change is not None:
                go_back(tx, change, str(error), KEEPER)
        return 1


def _may_move(store: Store, token: str) -> bool:
    """Whether there is anything to write: an event that ended, or a step that is over."""
    with store.read() as tx:
        change = find_locked(tx, token)
        arm = None if change is None else find_arm(tx, change.id)
        if change is None or change.rollout is None or arm is None:
            return False
        if arm.mode is Mode.CANARY and newly_ended(tx, arm, most=1):
            return True
        return is_decided(tx, change, Rollout.from_text(change.rollout), arm)


def _held(tx: Tx, token: str) -> LockedChange | None:
    """The change, if its version is rolled out."""
    change = hold_by_itself(tx, token)
    return change if change is not None and change.state in ROLLING else None


def _judge(tx: Tx, change: LockedChange, against: str | None) -> int:
    arm = lock_arm(tx, change.id)
    if arm is None or change.rollout is None:
        return 0
    rollout = Rollout.from_text(change.rollout)
    alarm = against
    if arm.mode is Mode.CANARY:
        arm, alarm = count_outcomes(tx, arm)
    if alarm is not None:
        go_back(tx, change, alarm, KEEPER)
        return 1
    verdict = verdict_on(tx, change, rollout, arm)
    if verdict.failed:
        go_back(tx, change, verdict.says, KEEPER)
        return 1
    if not verdict.passed or is_frozen_now(tx, change.client):
        return 0  # a freeze holds back every step towards being live
    _go_on(tx, change, rollout, arm)
    return 1


def _go_on(tx: Tx, change: LockedChange, rollout: Rollout, arm: Arm) -> None:
    """The next step; after the last one it is live for all. Raises as `go_live`."""
    step = rollout.step_after(arm.step)
    if step is None:
        go_live(tx, change, KEEPER)
        return
    add_next_arm(tx, arm, step)
    move = MOVES[step.mode] if arm.mode is Mode.SHADOW else ChangeMove.STEP
    told = {"step": step.number, "share": step.share, "events": arm.events, "bad": arm.bad}
    move_change(tx, change, move, actor=KEEPER.name, detail=told)


def _tidy(store: Store, arm: Arm) -> None:
    with store.read() as tx:
        named = named_by_number(tx, arm.change)
    if named is None:
        return
    with store.write(ring=True) as tx:
        hold_governance(tx, named.client)
        tidy(tx, named.client, named.workflow, arm, KEEPER)

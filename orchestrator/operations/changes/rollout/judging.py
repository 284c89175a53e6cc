"""Judge the step that a rollout is at: let outcomes count, and say what follows."""

from __future__ import annotations

from orchestrator.domain.changes.betting import Wealth
from orchestrator.domain.changes.rollout import Mode, Rollout
from orchestrator.domain.changes.verdict import (
    Looked,
    Outcome,
    Progress,
    Verdict,
    alarm_of,
    alarm_of_first,
    judge_shadow,
    judge_step,
)
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.database.engine import Tx
from orchestrator.store.rollout.arms import Arm, keep_counts, lock_arm
from orchestrator.store.rollout.outcomes import count_ended, count_taken, newly_ended
from orchestrator.store.rollout.shadow import count_left, is_through
from orchestrator.store.views.values import now_of

_MOST_JUDGED = 1_000  # in one transaction; the others count in the next turn


def count_outcomes(tx: Tx, arm: Arm) -> tuple[Arm, str | None]:
    """Let what ended since count: the step as it is then, and why one event ends the rollout."""
    ended = newly_ended(tx, arm, most=_MOST_JUDGED)
    if not ended:
        return arm, None
    wealth, rate = arm.wealth, arm.before.rate
    alarms = [alarm_of(one.stopped) for one in ended if one.stopped is not None]
    for one in ended:
        wealth = wealth.after(is_bad=one.outcome is not Outcome.DELIVERED, base_rate=rate)
    bad = sum(one.outcome is not Outcome.DELIVERED for one in ended)
    count_ended(tx, ended)
    keep_counts(tx, arm, events=len(ended), bad=bad, wealth=wealth)
    after = lock_arm(tx, arm.change)
    alarms.append(_alarm_of_first(tx, arm, wealth))
    return after or arm, next((one for one in alarms if one is not None), None)


def _alarm_of_first(tx: Tx, arm: Arm, wealth: Wealth) -> str | None:
    if wealth.bad < wealth.events:
        return None  # most often; nothing has to be counted then
    return alarm_of_first(wealth, count_taken(tx, arm.change).quarantined, arm.before)


def verdict_on(tx: Tx, change: LockedChange, rollout: Rollout, arm: Arm) -> Verdict:
    """What follows from a step as it is, with a sentence for people."""
    if arm.mode is Mode.SHADOW:
        return judge_shadow(rollout, looked_at(tx, change, arm))
    return judge_step(rollout, _progress(tx, arm))


def is_decided(tx: Tx, change: LockedChange, rollout: Rollout, arm: Arm) -> bool:
    """Whether the verdict on a step is that it failed or passed; it counts no events for that."""
    if arm.mode is Mode.SHADOW:
        verdict = judge_shadow(rollout, _looked(tx, change, arm, left=0))
    else:
        verdict = judge_step(rollout, _progress(tx, arm))
    return verdict.failed or verdict.passed


def _progress(tx: Tx, arm: Arm) -> Progress:
    now = now_of(tx)
    return Progress(
        share=arm.share,
        judged=arm.events,
        lasted=(now - arm.since) // 1000,
        whole=(now - arm.began_at) // 1000,
        wealth=arm.wealth,
        base=arm.before,
    )


def time_over(change: LockedChange, arm: Arm) -> int:
    """When the time of a shadow is over, in milliseconds since 1970."""
    rollout = None if change.rollout is None else Rollout.from_text(change.rollout)
    return arm.since + ((rollout and rollout.shadow_seconds) or 0) * 1000


def looked_at(tx: Tx, change: LockedChange, arm: Arm) -> Looked:
    """How far a shadow is with what was accepted before its time was over, or it was stopped."""
    now = now_of(tx)
    until = min(now, time_over(change, arm), arm.stopped_at or now)
    left = count_left(tx, change.client, change.workflow, arm, until=until)
    return _looked(tx, change, arm, left=left)


def _looked(tx: Tx, change: LockedChange, arm: Arm, *, left: int) -> Looked:
    return Looked(
        lasted=(now_of(tx) - arm.since) // 1000,
        events=arm.events,
        left=left,
        is_through=is_through(arm, until=time_over(change, arm)),
    )

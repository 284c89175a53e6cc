"""Judge the step that a rollout is at: let outcomes count, and say what follows."""

from __future__ import annotations

from orchestrator.domain.changes.betting import Wealth
from orchestrator.domain.changes.rollout import Mode, Rollout
from orchestrator.domain.changes.verdict import (
    Outcome,
    Progress,
    Verdict,
    alarm_of,
    alarm_of_first,
    judge_shadow,
    judge_step,
)
from orchestrator.store.database.engine import Tx
from orchestrator.store.rollout.arms import Arm, keep_counts, lock_arm
from orchestrator.store.rollout.outcomes import count_ended, count_taken, newly_ended

_MOST_JUDGED = 1_000  # in one transaction; the others count in the next turn


def count_outcomes(tx: Tx, arm: Arm) -> tuple[Arm, str | None]:
    """Let what ended since count: the step as it is then, and why one event ends the rollout."""
    ended = newly_ended(tx, arm, most=_MOST_JUDGED)
    if not ended:
        return arm, None
    wealth, rate = arm.wealth, arm.before.rate
    alarms = [alarm_of(one.stopped) for one in ended if one.stopped is not None]
    for one in ended:
        wealth = wealth.after(is_bad=one.outcome is not Outcome.DELIVERED, base=rate)
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


def verdict_on(rollout: Rollout, arm: Arm, now: int) -> Verdict:
    """What follows from a step as it is."""
    lasted = (now - arm.since) // 1000
    if arm.mode is Mode.SHADOW:
        return judge_shadow(rollout, lasted)
    progress = Progress(
        share=arm.share,
        judged=arm.events,
        lasted=lasted,
        whole=(now - arm.began_at) // 1000,
        wealth=arm.wealth,
        base=arm.before,
    )
    return judge_step(rollout, progress)

"""What follows from a step of a rollout: it fails, it passed, or there is not enough yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import ceil

from orchestrator.domain.changes.betting import Wealth, events_to_see, highest_rate
from orchestrator.domain.changes.rollout import MOST_AT_ONCE, MOST_SECONDS, WHOLE, Rollout
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.durations import told_seconds

BASE_DAYS = 28
"""So many days before a rollout are its base: what became of their events, and of which causes."""

CATCH_UP_SECONDS = 86_400
"""For so much longer than the longest rollout may a shadow catch up; then it goes back."""

MOST_LEFT = 100_000
"""Events that a shadow has not looked at are counted up to here."""

_DAY = 86_400
_TOO_OFTEN = 0.5  # of a base that fails more often, three bad events in a row say too little


class Outcome(StrEnum):
    """What became of an event of the canary."""

    DELIVERED = "delivered"
    LATE = "late"  # delivered after its time
    QUARANTINED = "quarantined"  # also where its handoff failed


@dataclass(frozen=True, kw_only=True, slots=True)
class Stopped:
    """Why an event of the canary went into quarantine."""

    event: str
    reason: str  # a Reason; `unknown` where it was moved without a stay in quarantine
    seen: bool  # the base had the cause within `BASE_DAYS`


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """What became of the workflow's events before the rollout began."""

    events: int  # that came to an end, or into quarantine
    bad: int  # of these, the ones in quarantine, given up, replayed, or late
    seconds: int  # from the first of them to the begin

    @property
    def rate(self) -> float:
        """The highest share of bad events that goes with it."""
        return highest_rate(self.events, self.bad)


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far a step of a canary is."""

    share: int  # of all events, in ten-thousandths
    judged: int  # events of this step whose outcome counts
    lasted: int  # seconds since the step began
    whole: int  # seconds since the rollout began
    wealth: Wealth  # over all steps
    base: Base


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """How far a shadow is with the events that were accepted since it began."""

    lasted: int  # seconds since then
    events: int  # that it has looked at
    left: int  # accepted, and not looked at yet; `MOST_LEFT` stands for that many or more
    is_through: bool  # it has looked at everything that was accepted in its time

    def told(self) -> str:
        """The coverage in words.

        >>> Looked(lasted=60, events=3, left=1, is_through=False).told()
        'it has looked at 3 of 4 events (75%)'
        """
        if self.left >= MOST_LEFT:
            return f"it has looked at {self.events:,} events, {MOST_LEFT:,} or more are left"
        accepted = self.events + self.left
        # Rounded down: 100 % says that nothing is left.
        share = f" ({100 * self.events // accepted}%)" if accepted else ""
        return f"it has looked at {self.events:,} of {accepted:,} events{share}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What follows, and why, in a sentence."""

    failed: bool
    passed: bool  # neither: not enough yet
    says: str


def alarm_of(stopped: Stopped) -> str | None:
    """Why this one event ends the rollout; None: it counts as one of many."""
    if stopped.reason == Reason.HANDOFF_MISMATCH:
        return f"of event {stopped.event}, what was read back is not what was sent"
    if not stopped.seen:
        reason = stopped.reason.replace("_", " ")
        return (
            f"event {stopped.event} is in quarantine ({reason}) for a cause that the version"
            f" before has not had in {BASE_DAYS} days"
        )
    return None


def alarm_of_first(wealth: Wealth, quarantined: int, base: Base) -> str | None:
    """Why the first events of a candidate end its rollout, without waiting for the bets.

    None unless all that were judged failed, at least `MOST_AT_ONCE` of them into quarantine, and
    the base is known to fail less than every other time.
    """
    if wealth.bad < wealth.events or quarantined < MOST_AT_ONCE or base.rate >= _TOO_OFTEN:
        return None
    return (
        f"each of its first {wealth.events} events failed or was late, {quarantined} of them are in"
        f" quarantine, and of the version before at most {base.rate:.1%} fail or are late"
    )


def judge_shadow(rollout: Rollout, looked: Looked) -> Verdict:
    """The verdict on a shadow: its time has to be over, and everything of it looked at.

    It reads the oldest events first, so a part of them would say nothing about the last ones.
    """
    time_left = max((rollout.shadow_seconds or 0) - looked.lasted, 0)
    if not time_left and looked.is_through:
        says = f"its time beside the live version is over, and {looked.told()}"
        return Verdict(failed=False, passed=True, says=says)
    if looked.lasted >= MOST_SECONDS + CATCH_UP_SECONDS:
        says = f"it did not look at everything within {told_seconds(MOST_SECONDS)} and a day more"
        return Verdict(failed=True, passed=False, says=f"{says}: {looked.told()}")
    lacks = (
        f"it decides beside the live version for {_about(time_left / _DAY)} more, and so far"
        if time_left
        else "its time is over, and"
    )
    says = f"not enough yet: {lacks} {looked.told()}"
    return Verdict(failed=False, passed=False, says=says + ("" if time_left else _behind(looked)))


def _behind(looked: Looked) -> str:
    """How long the other events of its time take at the pace so far."""
    if not looked.events:
        return "; nobody knows how long that takes before a keeper looks at some"
    about = _about(looked.left * max(looked.lasted, 1) / looked.events / _DAY)
    return f"; the others take {about}{' or more' if looked.left >= MOST_LEFT else ''}"


def judge_step(rollout: Rollout, progress: Progress) -> Verdict:
    """The verdict on a step in which no single event raised an alarm."""
    wealth, base = progress.wealth, progress.base
    if wealth.is_worse:
        says = (
            f"{wealth.bad} of {wealth.events} events failed or were late, and of the version before"
            f" at most {base.rate:.1%} do"
        )
        return Verdict(failed=True, passed=False, says=says)
    missing = max(rollout.each_events - progress.judged, 0)
    left = max(rollout.each_seconds - progress.lasted, 0)
    if not missing and not left:
        return Verdict(failed=False, passed=True, says=f"{progress.judged} events were judged")
    if progress.whole >= MOST_SECONDS:
        says = f"it did not come to its end within {told_seconds(MOST_SECONDS)}"
        return Verdict(failed=True, passed=False, says=says)
    return Verdict(failed=False, passed=False, says=_not_enough(progress, missing, left))


def _not_enough(progress: Progress, missing: int, left: int) -> str:
    """What the step lacks, and how long that takes at the rate of the days before."""
    lacks = [f"{missing} more events"] if missing else []
    lacks += [_about(left / _DAY)] if left else []
    says = f"not enough yet: this step needs {' and '.join(lacks)}"
    per_day = _per_day(progress.base) * progress.share / WHOLE
    if missing:
        says += (
            f"; at {_number(per_day)} events a day, {_about(missing / per_day)}"
            if per_day
            else "; no event came in the days before, so nobody knows how long that takes"
        )
    return says + _power(progress.base, per_day)


def _power(base: Base, per_day: float) -> str:
    """After how long a candidate that is worse would be found out by its rate alone."""
    seen = base.bad / base.events if base.events else 0.0
    worse = max(2 * base.rate, 0.05)
    needed = events_to_see(base.rate, worse) if worse < 1 else None
    if needed is None or not per_day:
        return ""
    return f"; a rise from {seen:.1%} to {worse:.1%} shows in {_about(needed / per_day)}"


def _per_day(base: Base) -> float:
    return base.events * _DAY / max(base.seconds, _DAY)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def _about(days: float) -> str:
    """A length of time, rounded up."""
    for size, unit in ((1.0, "days"), (1 / 24, "hours"), (1 / 1440, "minutes")):
        if days >= 2 * size:
            return f"about {ceil(days / size)} {unit}"
    return f"about {max(ceil(days * _DAY), 1)} seconds"

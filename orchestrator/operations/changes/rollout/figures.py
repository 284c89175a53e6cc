"""The figures of a rollout: its steps, what became of its events, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.changes.rollout import Mode, Rollout, told_share
from orchestrator.domain.errors import IllegalMove
from orchestrator.operations.changes.hold import no_change
from orchestrator.operations.changes.rollout.judging import looked_at, verdict_on
from orchestrator.store.changes.changes import LockedChange, find_locked
from orchestrator.store.changes.views import ChangeView, show_change
from orchestrator.store.database.engine import Tx
from orchestrator.store.drive.repin import count_early
from orchestrator.store.quarantine.workflows import version_of
from orchestrator.store.rollout.arms import Arm, list_arms
from orchestrator.store.rollout.outcomes import Taken, count_taken, stopped_events
from orchestrator.store.rollout.shadow import CountedDifference, count_differences
from orchestrator.store.views.values import iso, iso_time

_MOST_DIFFERENCES = 50
_MOST_NAMED = 20  # events in quarantine that are named


@dataclass(frozen=True, kw_only=True, slots=True)
class RolloutStep:
    """One step that began. Times are ISO 8601 in UTC."""

    step: int  # 0 is the shadow, 1 the first share of the canary
    mode: str  # shadow or canary
    share: str  # of all events, such as 5%
    since: str
    stopped_at: str | None  # None: it is under way
    because: str | None  # why it went back; None: it passed, or is under way
    events: int  # whose outcome counts; of a shadow, those that it looked at
    bad: int  # of these, in quarantine or late; of a shadow, those that it decides otherwise
    left: int | None  # of a shadow, accepted in its time and not looked at, to 100,000


@dataclass(frozen=True, kw_only=True, slots=True)
class RolloutFigures:
    """How far a rollout is."""

    change: str  # its token
    client: str
    workflow: str
    state: str  # of the change
    rollout: str  # its steps in words
    version: int  # the candidate
    base_version: int  # that decides about the other events
    steps: tuple[RolloutStep, ...]  # that began, the first one first
    taken: Taken  # the events that the candidate decided about
    stopped: tuple[str, ...]  # ids of those in quarantine, the first ones
    not_routed: int  # events of a candidate that went back which wait for the live version
    differences: tuple[CountedDifference, ...]  # of a shadow, those of the most events first
    base_events: int  # of the workflow, in the 28 days before
    base_bad: int  # of these, in quarantine or late
    says: str  # the verdict, in a sentence


def show_rollout(tx: Tx, token: str, clients: frozenset[str] | None) -> RolloutFigures:
    """The figures of a change's rollout. Raises NotFound, IllegalMove where none began."""
    change = show_change(tx, token, clients)
    if change is None:
        raise no_change(token)
    found = figures_of(tx, change)
    if found is None:
        said = "it names no steps" if change.rollout is None else "it has not begun"
        raise IllegalMove(
            f"nothing of change {token} was rolled out: {said}",
            field="state",
            fix=f"see `meshline change show {token}`",
        )
    return found


def figures_of(tx: Tx, change: ChangeView) -> RolloutFigures | None:
    """The same of a change that was read; None where no rollout began."""
    locked = find_locked(tx, change.change) if change.rollout is not None else None
    arms = [] if locked is None else list_arms(tx, locked.id)
    if locked is None or locked.rollout is None or not arms or change.rollout is None:
        return None
    last = arms[-1]
    gone_back = last.stop_reason is not None
    return RolloutFigures(
        change=change.change,
        client=change.client,
        workflow=change.workflow,
        state=change.state,
        rollout=change.rollout,
        version=version_of(tx, last.version),
        base_version=version_of(tx, last.base),
        steps=tuple(_step(one, _left(tx, locked, one)) for one in arms),
        taken=count_taken(tx, locked.id),
        stopped=stopped_events(tx, locked.id, most=_MOST_NAMED),
        not_routed=count_early(tx, last.version) if gone_back else 0,
        differences=count_differences(tx, locked.id, most=_MOST_DIFFERENCES),
        base_events=last.before.events,
        base_bad=last.before.bad,
        says=_says(tx, locked, last),
    )


def _says(tx: Tx, change: LockedChange, last: Arm) -> str:
    if last.stop_reason is not None:
        return f"it went back: {last.stop_reason}"
    if last.stopped_at is not None:
        return "every step passed"
    return verdict_on(tx, change, Rollout.from_text(change.rollout or ""), last).says


def _left(tx: Tx, change: LockedChange, arm: Arm) -> int | None:
    if arm.mode is not Mode.SHADOW or change.rollout is None:
        return None
    return looked_at(tx, change, arm).left


def _step(arm: Arm, left: int | None) -> RolloutStep:
    return RolloutStep(
        step=arm.step,
        mode=arm.mode.value,
        share=told_share(arm.share),
        since=iso_time(arm.since),
        stopped_at=iso(arm.stopped_at),
        because=arm.stop_reason,
        events=arm.events,
        bad=arm.bad,
        left=left,
    )

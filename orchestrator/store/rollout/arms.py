"""The steps of rollouts as rows, and the pointer from a live version to the candidate beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from orchestrator.domain.changes.betting import Wealth
from orchestrator.domain.changes.canary import Canary
from orchestrator.domain.changes.rollout import Mode, Step
from orchestrator.domain.changes.verdict import Base
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.prepared import storable
from orchestrator.store.database.schema import rollout_arms, workflow_versions
from orchestrator.store.quarantine.workflows import TrialState

_A = rollout_arms.c


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """A step of a rollout as its row has it. Times in ms since 1970.

    It is called arm, as one of a clinical trial, for a version of a workflow is tried in it.
    """

    id: int
    change: int
    version: int  # the id of the candidate's row
    base: int  # of that of the version that was live when it began
    step: int  # 0 is the shadow, 1 the first share of the canary
    mode: Mode
    share: int  # of all events, in ten-thousandths
    began_at: int  # the rollout
    since: int  # this step
    stopped_at: int | None
    stop_reason: str | None
    events: int  # of this step, whose outcome counts
    bad: int
    wealth: Wealth  # over all steps so far
    before: Base  # what became of the workflow's events before the rollout
    cursor: str  # of a shadow: the last event that it looked at


def add_first_arm(
    tx: Connection, *, change: int, version: int, base: int, step: Step, before: Base
) -> None:
    """Begin a rollout with this step; `version` and `base` are ids of rows, as in `Arm`."""
    canary = Canary(version=version, change=change, share=step.share)
    _add(tx, step, canary, base=base, began_at=None, before=before, wealth=Wealth())


def add_next_arm(tx: Connection, arm: Arm, step: Step) -> None:
    """End a step that passed, and begin the next one."""
    end_passed(tx, arm)
    canary = Canary(version=arm.version, change=arm.change, share=step.share)
    _add(
        tx,
        step,
        canary,
        base=arm.base,
        began_at=arm.began_at,
        before=arm.before,
        wealth=arm.wealth,
    )


def _add(
    tx: Connection,
    step: Step,
    canary: Canary,
    *,
    base: int,
    began_at: int | None,
    before: Base,
    wealth: Wealth,
) -> None:
    """A step that begins now, and the rollout with it where `began_at` is None."""
    now = now_ms()
    tx.execute(
        insert(rollout_arms).values(
            change_id=canary.change,
            version_id=canary.version,
            base_id=base,
            step=step.number,
            mode=step.mode.value,
            share=step.share,
            began_at=now if began_at is None else began_at,
            since=now,
            events=0,
            bad=0,
            all_events=wealth.events,
            all_bad=wealth.bad,
            log_wealth=wealth.log,
            base_events=before.events,
            base_bad=before.bad,
            base_seconds=before.seconds,
            cursor="",
            tidy=False,
        )
    )
    _point(tx, base, canary)


def end_passed(tx: Connection, arm: Arm) -> None:
    """End a step that passed; no event of it has to be given to another version."""
    _end(tx, arm, None)
    note_tidy(tx, arm)


def end_failed(tx: Connection, arm: Arm, why: str) -> None:
    """End a rollout that goes back: no new event is the candidate's from this commit on."""
    _end(tx, arm, why)
    table = workflow_versions.c
    stopped = update(workflow_versions).where(table.id == arm.version, table.live.is_(False))
    tx.execute(stopped.values(trial=TrialState.STOPPED.value))
    tx.execute(update(workflow_versions).where(table.id == arm.base).values(canary=None))


def note_tidy(tx: Connection, arm: Arm) -> None:
    """No event of a candidate that went back waits for it any more."""
    tx.execute(update(rollout_arms).where(_A.id == arm.id).values(tidy=True))


def keep_counts(tx: Connection, arm: Arm, *, events: int, bad: int, wealth: Wealth) -> None:
    """Add what was judged since to a step."""
    tx.execute(
        update(rollout_arms)
        .where(_A.id == arm.id)
        .values(
            events=_A.events + events,
            bad=_A.bad + bad,
            all_events=wealth.events,
            all_bad=wealth.bad,
            log_wealth=wealth.log,
        )
    )


def lock_arm(tx: Connection, change: int) -> Arm | None:
    """The step of a change's rollout that is under way, held; None: it is over."""
    found = select(rollout_arms).where(_A.change_id == change, _A.stopped_at.is_(None))
    row = tx.execute(found.with_for_update()).one_or_none()
    return None if row is None else _of(row)


def find_arm(tx: Connection, change: int) -> Arm | None:
    """The same without holding it, for a look."""
    found = select(rollout_arms).where(_A.change_id == change, _A.stopped_at.is_(None))
    row = tx.execute(found).one_or_none()
    return None if row is None else _of(row)


def list_arms(tx: Connection, change: int) -> list[Arm]:
    """Every step that a rollout took, the first one first."""
    found = select(rollout_arms).where(_A.change_id == change).order_by(_A.id)
    return [_of(row) for row in tx.execute(found)]


def untidy_arms(tx: Connection) -> Sequence[Arm]:
    """The last steps of rollouts that went back, whose events may still wait for the candidate."""
    found = select(rollout_arms).where(~_A.tidy, _A.stopped_at.is_not(None)).order_by(_A.id)
    return [_of(row) for row in tx.execute(found)]


def _end(tx: Connection, arm: Arm, why: str | None) -> None:
    ended = {"stopped_at": now_ms(), "stop_reason": None if why is None else storable(why)}
    tx.execute(update(rollout_arms).where(_A.id == arm.id).values(ended))


def _point(tx: Connection, base: int, canary: Canary) -> None:
    """What is accepted from this commit on is shared between the two."""
    table = workflow_versions.c
    tx.execute(
        update(workflow_versions)
        .where(table.id == base, table.live)
        .values(canary=canary.text() if canary.share else None)
    )


def _of(row: Any) -> Arm:
    return Arm(
        id=row.id,
        change=row.change_id,
        version=row.version_id,
        base=row.base_id,
        step=row.step,
        mode=Mode(row.mode),
        share=row.share,
        began_at=row.began_at,
        since=row.since,
        stopped_at=row.stopped_at,
        stop_reason=row.stop_reason,
        events=row.events,
        bad=row.bad,
        wealth=Wealth(events=row.all_events, bad=row.all_bad, log=row.log_wealth),
        before=Base(events=row.base_events, bad=row.base_bad, seconds=row.base_seconds),
        cursor=row.cursor,
    )

"""Backtest a change: what it would have decided about past events, kept beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.backtest import Tally
from orchestrator.domain.changes.backtest_result import (
    BacktestResult,
    QuarantinedGroup,
    result_of,
    said_of,
)
from orchestrator.domain.changes.backtest_sums import read_sums, write_sums
from orchestrator.domain.changes.gates.evidence import Evidence, recorded
from orchestrator.domain.changes.states import OPEN, ChangeKind, ChangeState
from orchestrator.domain.errors import Refused
from orchestrator.domain.jobs import UNFINISHED, JobState
from orchestrator.operations.changes.backtesting.decide_past import (
    MOST_EVENTS,
    Question,
    Standing,
    new_seed,
    run_backtest,
)
from orchestrator.operations.changes.backtesting.decide_quarantined import decide_quarantined
from orchestrator.operations.changes.hold import held_change, no_change
from orchestrator.operations.changes.keep_evidence import keep_evidence_of
from orchestrator.store.changes.backtests import (
    NewBacktest,
    RunningBacktest,
    add_backtest,
    end_backtest,
    keep_standing,
    running_backtest,
)
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.changes.past_events import Past, Span
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.views.jobs import backtest_job_of
from orchestrator.store.views.values import iso_time, now_of
from orchestrator.store.views.workflow_versions import show_workflow

WEEKS = 4
"""How far back it looks where nobody says it."""

MOST_WEEKS = 520

_NOT_APPROVED = (ChangeState.DRAFT, ChangeState.AWAITING_APPROVAL)
_WEEK_MS = 7 * 86_400_000
_KEEP_SECONDS = 5.0  # between two times that the sums are kept


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody wants to know."""

    weeks: int = WEEKS
    most: int = MOST_EVENTS
    seed: int | None = None  # by which a sample is chosen; None: any
    processes: int | None = None  # None: one for each core, and none for few events


@dataclass(frozen=True, kw_only=True)
class Backtested:
    """What a backtest found."""

    change: str  # its token
    client: str
    workflow: str
    digest: str  # of the result: 64 hex digits
    subject: str | None  # what an approval covers from now on; None: it was approved without this
    result: BacktestResult


def backtest_change(
    store: Store,
    token: str,
    *,
    actor: Actor,
    asked: Asked | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Backtested:
    """Decide about the events of the last weeks by the live version and by the proposed one.

    One that was stopped goes on where it was. `progress` hears how many of how many events are
    done, and may end it by raising. Raises NotFound, Forbidden, and Refused where the change is
    over, nothing was live before it, or somebody else runs the same.
    """
    asked = asked or Asked()
    with store.write() as tx:
        change = held_change(tx, token, actor, Act.BACKTEST_CHANGE)
        refuse_second_backtest(tx, change)
        row = begin_backtest(tx, change, asked, actor)
    return go_on_with_backtest(
        store, change, row, actor=actor, processes=asked.processes, progress=progress
    )


def go_on_with_backtest(
    store: Store,
    change: LockedChange,
    row: RunningBacktest,
    *,
    actor: Actor,
    processes: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    within: Callable[[Tx, int, int], None] = lambda _tx, _done, _total: None,
) -> Backtested:
    """Look at what is left, and keep the result.

    `within` is called in each transaction that keeps the sums, with so many of how many events, and
    may refuse it by raising. Raises as `backtest_change`.
    """
    with store.read() as tx:
        question = _question(tx, change, row)
    run = _Run(store=store, row=row, change=change, actor=actor, progress=progress, within=within)
    standing = Standing(tally=read_sums(row.sums) if row.sums else Tally(), cursor=row.cursor)
    past = run_backtest(store, question, standing, processes=processes, step=run.step)
    group = None
    if change.kind is ChangeKind.AMEND:
        group = decide_quarantined(store, question, step=lambda: run.step(standing, past))
    return run.end(standing, past, group)


def refuse_second_backtest(tx: Tx, change: LockedChange) -> None:
    """Raises Refused where a job backtests the change, or is about to. It has to be held."""
    job = backtest_job_of(tx, change.token)
    if job is not None and JobState(job.state) in UNFINISHED:
        raise Refused(
            f"job {job.id} backtests this change; {job.started_by} started it at {job.started_at}",
            field="change",
            fix=f"see `meshline jobs show {job.id}`",
        )


@dataclass(kw_only=True)
class _Run:
    """One that is under way: its sums are kept now and then, and at the end."""

    store: Store
    row: RunningBacktest
    change: LockedChange
    actor: Actor
    progress: Callable[[int, int], None]
    within: Callable[[Tx, int, int], None]
    _kept: str | None = None  # the cursor that the row has
    _at: float = field(default_factory=time.monotonic)  # counting the past may take a lease's time

    def step(self, standing: Standing, past: Past) -> None:
        total = sum(past.with_payload.values())
        try:
            self.progress(standing.tally.looked_at, total)
        except BaseException:
            self._keep(standing, total)
            raise
        if time.monotonic() - self._at > _KEEP_SECONDS:
            self._keep(standing, total)

    def _keep(self, standing: Standing, total: int) -> None:
        before, sums = self._before, write_sums(standing.tally)
        with self.store.write() as tx:
            self.within(tx, standing.tally.looked_at, total)
            kept = keep_standing(tx, self.row.id, before=before, cursor=standing.cursor, sums=sums)
        if not kept:
            raise _somebody_else(self.change)
        self._kept, self._at = standing.cursor, time.monotonic()

    @property
    def _before(self) -> str:
        return self.row.cursor if self._kept is None else self._kept

    def end(self, standing: Standing, past: Past, group: QuarantinedGroup | None) -> Backtested:
        total = sum(past.with_payload.values())
        result = result_of(
            standing.tally,
            since=iso_time(self.row.since),
            until=iso_time(self.row.until),
            base_version=self.row.base_version,
            events=past.events,
            with_payload=total,
            seed=self.row.seed if total > self.row.most else None,
            group=group,
        )
        with self.store.write() as tx:
            change = held_change(tx, self.change.token, self.actor, Act.BACKTEST_CHANGE)
            self.within(tx, result.looked_at, result.looked_at)
            if not end_backtest(
                tx, self.row.id, result, before=self._before, actor=self.actor.name
            ):
                raise _somebody_else(self.change)
            subject = self._as_evidence(tx, change, result)
            _record(tx, self.change, result, self.actor, subject)
        return Backtested(
            change=self.change.token,
            client=self.change.client,
            workflow=self.change.workflow,
            digest=result.digest(),
            subject=subject,
            result=result,
        )

    def _as_evidence(self, tx: Tx, change: LockedChange, result: BacktestResult) -> str | None:
        """What an approval covers from now on; None where it is not of this."""
        same = (change.round, change.base_version) == (self.row.round, self.row.base_version)
        if not same or change.state not in _NOT_APPROVED:
            return None
        piece = recorded(Evidence(backtest=said_of(result)))[0]
        return keep_evidence_of(tx, change, piece, by=self.actor.name)


def check_backtestable(change: LockedChange) -> int:
    """The version that it is compared with.

    Raises Refused where it decides about nothing, or cannot go live any more.
    """
    if change.state not in OPEN:
        raise Refused(
            f"change {change.token} is {change.state.replace('_', ' ')} already",
            field="change",
            fix="backtest one that may still go live, see `meshline change list`",
        )
    if change.kind is ChangeKind.RETIRE:
        raise Refused(
            "after a retirement nothing is accepted, so it decides about no event",
            field="change",
            fix="look at `meshline workflow list` for what the workflow takes today",
        )
    if change.base_version is None:
        raise Refused(
            "no version was live before it, so there are no events to decide about again",
            field="change",
            fix="try payloads: `meshline workflow try FILE --data …`",
        )
    return change.base_version


def begin_backtest(tx: Tx, change: LockedChange, asked: Asked, actor: Actor) -> RunningBacktest:
    """The row of one that was stopped, or a new one, of a change that is held. Raises Refused."""
    base = check_backtestable(change)
    before = running_backtest(tx, change.id, change.round, base)
    if before is not None and before.until - before.since == asked.weeks * _WEEK_MS:
        return before
    until = now_of(tx)
    new = NewBacktest(
        change_id=change.id,
        round=change.round,
        base_version=base,
        since=until - asked.weeks * _WEEK_MS,
        until=until,
        seed=new_seed() if asked.seed is None else asked.seed,
        most=asked.most,
    )
    return add_backtest(tx, new, actor=actor.name)


def _question(tx: Tx, change: LockedChange, row: RunningBacktest) -> Question:
    span = Span(client=change.client, workflow=change.workflow, since=row.since, until=row.until)
    base = show_workflow(tx, change.client, change.workflow, version=row.base_version)
    if base is None:
        raise no_change(change.token)
    return Question(
        before=orjson.dumps(base.shown.definition).decode(),
        after=change.definition,
        span=span,
        seed=row.seed,
        most=row.most,
    )


def _somebody_else(change: LockedChange) -> Refused:
    return Refused(
        f"somebody else backtests change {change.token} at the same time",
        field="change",
        fix=f"wait for theirs, and see `meshline change show {change.token}`",
    )


def _record(
    tx: Tx, change: LockedChange, result: BacktestResult, actor: Actor, subject: str | None
) -> None:
    told: dict[str, object] = {
        "change": change.token,
        "round": change.round,
        "digest": result.digest(),
        "events": result.looked_at,
        "newly_refused": result.refused,
        "newly_passing": result.passing,
    }
    if subject is not None:
        told["subject"] = subject
    audit.record(
        tx,
        actor=actor.name,
        action="backtest_change",
        client=change.client,
        workflow=change.workflow,
        detail=told,
    )

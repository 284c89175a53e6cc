"""Backtest a change as a job: somebody asks for it, and a keeper looks at the events."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from orchestrator.domain.access.actor import Actor, process
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Refused
from orchestrator.domain.jobs import Instructions, JobKind
from orchestrator.domain.whys import optional_why
from orchestrator.operations.changes.backtest import (
    Asked,
    begin_backtest,
    check_backtestable,
    go_on_with_backtest,
    refuse_second_backtest,
)
from orchestrator.operations.changes.hold import check_seen, held_change
from orchestrator.store.changes.backtests import backtest_of_number, give_to_job
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.jobs import LockedJob, add_job


class Steps(Protocol):
    """What the work tells of each step, and what may end it."""

    def note(self, tx: Tx, done: int, failed: int = 0, items: int | None = None) -> None:
        """Within a step's transaction: so many of all items are done with it, if it may be."""

    def pause(self, seconds: float) -> None:
        """Between two steps: keep the lease."""


def start_backtest_job(
    store: Store,
    token: str,
    *,
    actor: Actor,
    asked: Asked | None = None,
    why: str | None = None,
    seen: Collection[str] = (),
) -> int:
    """Let a keeper backtest a change; the job's number.

    Which events it looks at, and by which seed, is settled now. One that was stopped goes on where
    it was. `seen` are digests of the change that somebody looked at. Raises as `backtest_change`,
    Refused where a job does it already, ChangedSinceSeen.
    """
    why = optional_why(why)
    with store.write() as tx:
        # Held: of two who start it at once, the second sees the first.
        change = held_change(tx, token, actor, Act.BACKTEST_CHANGE)
        check_seen(change, seen)
        refuse_second_backtest(tx, change)
        row = begin_backtest(tx, change, asked or Asked(), actor)
        job = add_job(
            tx,
            JobKind.BACKTEST,
            items=0,  # whoever carries it out counts them: of a million that takes seconds
            actor=actor,
            clients=[change.client],
            asked=Instructions(change=token, backtest=row.id),
            why=why,
        )
        give_to_job(tx, row.id, job)
    return job


def carry_out_backtest(store: Store, job: LockedJob, step: Steps) -> None:
    """Go on with it. One that was ended when its keeper died is not done again.

    Raises Refused where its change was edited, decided about or overtaken since.
    """
    token, number = job.asked.change or "", job.asked.backtest or 0
    actor = process(job.starter.name)  # whose right `step` asks for
    with store.write() as tx:
        change = held_change(tx, token, actor, Act.BACKTEST_CHANGE)
        row = backtest_of_number(tx, number)
        if row is None:
            return
        check_backtestable(change)
        if (row.round, row.base_version) != (change.round, change.base_version):
            raise Refused(
                f"change {token} was edited since the job was started",
                field="change",
                fix="start another backtest of it",
            )
    go_on_with_backtest(
        store,
        change,
        row,
        actor=actor,
        progress=lambda _done, _total: step.pause(0),
        within=lambda tx, done, total: step.note(tx, done, items=total),
    )

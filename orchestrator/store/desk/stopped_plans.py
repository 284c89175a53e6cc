"""Replay plans that somebody began to run, and that nobody runs on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from orchestrator.domain.jobs import UNFINISHED
from orchestrator.store.database.clock import after
from orchestrator.store.database.schema import jobs, plan_events, plans
from orchestrator.store.desk.plans import outcomes
from orchestrator.store.views.values import iso

_QUIET_SECONDS = 60.0  # the slowest run replays an event every ten seconds


@dataclass(frozen=True, kw_only=True)
class StoppedPlan:
    """A plan that is half run."""

    token: str
    by: str  # who ran it last
    at: str | None  # when it replayed its last event, or began
    events: int
    waiting: int  # events that it would still replay
    repeats: int  # deliveries of it that may arrive twice
    job: int | None  # that ran it last, and was stopped or failed


def stopped_plans(tx: Connection) -> list[StoppedPlan]:
    """Plans that have events left and replayed none for a minute, the oldest first.

    A plan whose job is unfinished is not among them: a keeper runs it. A run that keeps an order
    may wait that long for an event under way; to run such a plan a second time does no harm.
    """
    table = plan_events.c
    last = select(func.max(table.done_at)).where(table.plan_id == plans.c.id).scalar_subquery()
    at = func.coalesce(last, plans.c.started_at)
    of_it = jobs.alias("of_it").c
    newest = select(func.max(of_it.id)).where(of_it.plan == plans.c.token).scalar_subquery()
    goes_on = jobs.c.state.in_([one.value for one in UNFINISHED])
    rows = tx.execute(
        select(plans, at.label("at"), jobs.c.id.label("job"))
        .select_from(plans)
        .join(jobs, jobs.c.id == newest, isouter=True)
        .where(plans.c.state == "running", at < after(-_QUIET_SECONDS))
        .where(jobs.c.id.is_(None) | ~goes_on)
        .order_by(plans.c.id)
    ).all()
    found = [
        StoppedPlan(
            token=row.token,
            by=row.started_by,
            at=iso(row.at),
            events=row.events,
            waiting=outcomes(tx, row.id).get("waiting", 0),
            repeats=row.repeats,
            job=row.job,
        )
        for row in rows
    ]
    return [one for one in found if one.waiting]

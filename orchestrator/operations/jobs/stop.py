"""Stop a job after the step that it is at, and resume one that was stopped or failed."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import IllegalMove
from orchestrator.domain.jobs import JobMove, JobState
from orchestrator.domain.whys import optional_why
from orchestrator.operations.access.allow import allow
from orchestrator.operations.jobs.show import no_job
from orchestrator.operations.jobs.start import refuse_second_run
from orchestrator.operations.replay.fit_plan import permitted_plan
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.jobs import LockedJob, lock_job, move_job
from orchestrator.store.views.jobs import last_word_on


def stop_job(
    store: Store,
    number: int,
    *,
    actor: Actor,
    why: str | None = None,
    compare: Callable[[Tx], None] = lambda _: None,
) -> JobState:
    """Stop it; what is done stays done. Answers its state: a keeper may still be at a step.

    `compare` looks before anything is written, and raises where it is not as the person saw it.
    Raises NotFound, Forbidden, IllegalMove for a job that is at its end.
    """
    why = optional_why(why)
    with store.write() as tx:
        job = _held(tx, number, actor, Act.STOP_JOB)
        compare(tx)
        return _move(tx, job, JobMove.STOP, actor=actor, why=why)


def resume_job(
    store: Store,
    number: int,
    *,
    actor: Actor,
    why: str | None = None,
    compare: Callable[[Tx], None] = lambda _: None,
) -> JobState:
    """Let a keeper continue with what is left; its state then.

    It acts on the word of the person who started it. `compare` looks before anything is written,
    and raises where it is not as the person saw it. Raises NotFound, Forbidden, IllegalMove for a
    job that neither was stopped nor failed, Refused where its plan cannot run or another job runs
    it.
    """
    why = optional_why(why)
    with store.write() as tx:
        job = _held(tx, number, actor, Act.RESUME_JOB)
        compare(tx)
        if job.plan is not None and job.state in (JobState.STOPPED, JobState.FAILED):
            permitted_plan(tx, job.plan, actor, lock=True)
            refuse_second_run(tx, job.plan)
        return _move(tx, job, JobMove.RESUME, actor=actor, why=why)


def _held(tx: Tx, number: int, actor: Actor, act: Act) -> LockedJob:
    job = lock_job(tx, number)
    if job is None:
        raise no_job(number)
    allow(tx, actor, act, job.clients, unseen=no_job(number))
    return job


def _move(tx: Tx, job: LockedJob, move: JobMove, *, actor: Actor, why: str | None) -> JobState:
    """Move it; where that is not allowed, the error says who did what to it last."""
    try:
        return move_job(tx, job, move, actor=actor.name, why=why)
    except IllegalMove as error:
        last = last_word_on(tx, job.id)
        if last is None:
            raise
        raise IllegalMove(
            f"{error.detail}: {last.by} {last.did} it at {last.at}",
            field=error.field,
            fix=error.fix,
        ) from None

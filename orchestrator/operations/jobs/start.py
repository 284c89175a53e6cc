"""Start a job: a row that the next keeper with a free hand carries out."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.errors import Refused
from orchestrator.domain.jobs import Instructions, JobKind
from orchestrator.domain.whys import optional_why
from orchestrator.operations.replay.fit_plan import (
    clients_of,
    live_versions,
    permitted_plan,
    refuse_repeats,
)
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.jobs import add_job
from orchestrator.store.views.jobs import unfinished_job_of


def start_plan_job(
    store: Store,
    token: str,
    *,
    actor: Actor,
    send_again: bool = False,
    rate: float | None = None,
    why: str | None = None,
    compare: Callable[[Tx], None] = lambda _: None,
) -> int:
    """Let a keeper run a replay plan, at most `rate` events in a second; the job's number.

    It acts on the actor's word, who may do it at this moment. `compare` looks before anything
    is written, and raises where it is not as the person saw it. Raises NotFound, Forbidden; Refused
    for a plan that cannot run, or that a job runs already.
    """
    why = optional_why(why)
    with store.write() as tx:
        # Held: of two who start it at once, the second sees the first.
        plan = permitted_plan(tx, token, actor, lock=True)
        compare(tx)
        if plan.state == "done":
            raise Refused(
                f"the plan was run: {plan.started_by} did, and it ended at {plan.finished_at}",
                field="plan",
                fix=f"`meshline quarantine plan show {token}` says what came of each event",
            )
        refuse_second_run(tx, token)
        refuse_repeats(plan, send_again=send_again)
        live_versions(tx, plan)
        return add_job(
            tx,
            JobKind.RUN_PLAN,
            items=plan.events,
            actor=actor,
            clients=clients_of(plan),
            plan=token,
            asked=Instructions(send_again=send_again, rate=rate),
            why=why,
        )


def refuse_second_run(tx: Tx, token: str) -> None:
    """Raises Refused where a job runs the plan, or is about to. The plan has to be held."""
    if job := unfinished_job_of(tx, token):
        raise Refused(
            f"job {job.id} runs this plan; {job.started_by} started it at {job.started_at}",
            field="plan",
            fix=f"see `meshline jobs show {job.id}`",
        )

"""Approve a change and let the replay plan run that was made under it: one yes, one transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.domain.access.actor import Actor, mail_of, who
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.states import ChangeState
from orchestrator.domain.errors import ChangedSinceSeen, Forbidden, NotFound, Refused
from orchestrator.domain.jobs import Instructions, JobKind
from orchestrator.operations.changes.decide import decide_in
from orchestrator.operations.changes.hold import held_change
from orchestrator.operations.changes.show import Settled
from orchestrator.operations.jobs.start import refuse_second_run
from orchestrator.operations.replay.fit_plan import (
    clients_of,
    live_versions,
    permitted_plan,
    refuse_repeats,
)
from orchestrator.store.access.people import find_person
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.jobs import add_job
from orchestrator.store.desk.plans import StoredPlan, find_plan


def approve_with_plan(
    store: Store,
    token: str,
    plan: str,
    *,
    actor: Actor,
    digest: str | None = None,
    why: str | None = None,
    seen: Collection[str] = (),
) -> Settled:
    """Approve a change as `decide_change` does; once it is live, a keeper runs the plan.

    The plan runs on the word of who made it, who may run plans: an approver only says yes. `digest`
    is the plan's, as somebody saw it. Raises as `decide_change`, and Refused for a plan that was
    not made under the change as it is, that was run, or whose maker may not run it.
    """
    with store.write() as tx:
        held_change(tx, token, actor, Act.DECIDE_CHANGE)
        stored, maker = _held_plan(tx, token, plan, digest)
        if seen and stored.subject not in seen:
            raise ChangedSinceSeen(
                f"plan {plan} was made under another round of change {token}",
                field="plan",
                fix="look at it again, and decide then",
            )
        told = {"plan": plan, "plan_digest": stored.digest}
        same = (stored.subject or "",)
        done = decide_in(tx, token, Decision.APPROVE, actor=actor, why=why, seen=same, told=told)
        if done.state != ChangeState.LIVE:
            raise Refused(
                f"change {token} is not live by the approval yet, and the plan could run only then",
                field="plan",
                fix="approve it without the plan, and let somebody run the plan once it is live",
            )
        live_versions(tx, stored)
        job = add_job(
            tx,
            JobKind.RUN_PLAN,
            items=stored.events,
            actor=maker,
            clients=clients_of(stored),
            plan=plan,
            asked=Instructions(),
            why=f"approved with change {token} by {who(actor.name)}",
        )
        return replace(done, job=job)


def _held_plan(tx: Tx, token: str, plan: str, digest: str | None) -> tuple[StoredPlan, Actor]:
    """The plan, held, with its maker, who may run it now. Raises Refused, ChangedSinceSeen."""
    stored = find_plan(tx, plan, lock=True)
    if stored is None or stored.change != token:
        raise Refused(
            f"plan {plan} was not made under change {token}",
            field="plan",
            fix=f"`meshline change show {token}` names the plan that was",
        )
    if digest is not None and digest != stored.digest:
        raise ChangedSinceSeen(
            f"plan {plan} is not what you looked at: its digest is {stored.digest}",
            field="plan",
            fix="look at it again, and decide then",
        )
    if stored.state != "ready":
        raise Refused(f"plan {plan} is {stored.state}", field="plan", fix="make another plan")
    refuse_second_run(tx, plan)
    refuse_repeats(stored, send_again=False)
    return stored, _maker(tx, stored)


def _maker(tx: Tx, plan: StoredPlan) -> Actor:
    """Who made a plan, as somebody on whose word a job acts. Raises Refused."""
    mail = mail_of(plan.planned_by)
    try:
        # Nobody but a person: a job acts on the word of somebody who can lose the right to it.
        maker = Actor(name=plan.planned_by, person=find_person(tx, mail or "").id)
        permitted_plan(tx, plan.token, maker)
    except (Forbidden, NotFound):
        raise Refused(
            f"{who(plan.planned_by)}, who made plan {plan.token}, may not run it",
            field="plan",
            fix="let an operator make another plan under the change",
        ) from None
    return maker

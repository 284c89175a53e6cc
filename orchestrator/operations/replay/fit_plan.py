"""Whether a replay plan may run: it is whole, young, agreed to, and its versions are live."""

from __future__ import annotations

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.operations.access.allow import allow
from orchestrator.operations.replay.under_change import check_made
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plans import StoredPlan, find_plan
from orchestrator.store.quarantine.workflows import LiveWorkflow, live_workflow, publication
from orchestrator.store.views.values import iso_time

_UNFIT = {
    "freezing": "the plan was never finished",
    "expired": "the plan is older than what is kept",
}


def permitted_plan(tx: Tx, token: str, actor: Actor, *, lock: bool = False) -> StoredPlan:
    """The plan of a token, which the actor may run now; with `lock` its runs wait for each other.

    Raises NotFound, Forbidden, Refused.
    """
    plan = find_plan(tx, token, lock=lock)
    if plan is None:
        raise _no_plan(token)
    if plan.state in _UNFIT:
        raise Refused(_UNFIT[plan.state], field="plan", fix="make another plan")
    allow(tx, actor, Act.RUN_PLAN, clients_of(plan), unseen=_no_plan(token))
    return plan


def clients_of(plan: StoredPlan) -> list[str]:
    """The clients whose events are in a plan."""
    return sorted({one.client for one in plan.workflows})


def _no_plan(token: str) -> NotFound:
    return NotFound(f"there is no plan {token!r}", fix="see `meshline quarantine plan list`")


def refuse_repeats(plan: StoredPlan, *, send_again: bool) -> None:
    """Raises Refused where something may arrive twice and nobody agreed to that."""
    if plan.repeats and not send_again:
        raise Refused(
            f"{plan.repeats} deliveries may arrive twice, and nobody can look them up",
            field="plan",
            fix=f"see `meshline quarantine plan show {plan.token}`, look into the tool, then"
            " allow it (--yes-send-again, over HTTP `send_again`), or plan without those events",
        )


def live_versions(tx: Tx, plan: StoredPlan) -> dict[tuple[str, str], LiveWorkflow]:
    """The live versions, all of them those that the plan was made with. Raises Refused.

    Of a plan under a change it is the version that this change made.
    """
    found = {}
    for one in plan.workflows:
        live = live_workflow(tx, one.client, one.workflow)
        if plan.change is not None:
            check_made(tx, plan, live)
        elif live is None or live.id != one.id:
            now = "no version is live"
            if live:
                now = f"version {live.version} is live"
                now += _published_since(tx, live.id, plan.planned_at)
            raise Refused(
                f"{one.workflow} was planned under version {one.version}, and {now}",
                field="plan",
                fix="make a new plan",
            )
        if live is not None:
            found[live.client, live.name] = live
    return found


def _published_since(tx: Tx, version: int, at: str) -> str:
    """Who published a version, where that came after `at`, an ISO time."""
    told = publication(tx, version)
    published = iso_time(told.published_at)
    return f", published by {told.published_by} at {published}" if published > at else ""

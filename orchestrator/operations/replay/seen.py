"""What of a replay plan a run of it is compared with, and who ran it since somebody looked."""

from __future__ import annotations

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import ChangedSinceSeen
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plans import StoredPlan, find_plan
from orchestrator.store.views.jobs import jobs_of_plan


def digest_of_plan(tx: Tx, plan: StoredPlan) -> str:
    """The digest of what people decide about a plan by: what it does, and who ran it."""
    jobs = [[one.id, one.state] for one in jobs_of_plan(tx, plan.token)]
    return strict_json.digest([plan.token, plan.state, plan.started_at, plan.finished_at, jobs])


def compare_plan(tx: Tx, token: str, seen: str) -> None:
    """Raises ChangedSinceSeen where a plan is not as somebody saw it. The plan has to be held."""
    plan = find_plan(tx, token)
    if plan is None or digest_of_plan(tx, plan) == seen:
        return
    jobs = jobs_of_plan(tx, token)
    if jobs:
        told = f"{jobs[0].started_by} started job {jobs[0].id} with it at {jobs[0].started_at}"
    else:
        told = f"{plan.started_by} ran it at {plan.started_at}"
    raise ChangedSinceSeen(
        f"plan {token} changed since you saw it: {told}", fix="look at it again, and decide then"
    )

"""A replay plan under a change: it runs once the change is live, and by the approver's one yes."""

from __future__ import annotations

import pytest

from orchestrator.domain.access.roles import Role
from orchestrator.domain.errors import ChangedSinceSeen, Forbidden, Refused
from orchestrator.operations.changes.freeze import freeze_changes, thaw_changes
from orchestrator.operations.changes.show import explain_change
from orchestrator.operations.jobs.approve_with_plan import approve_with_plan
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.plans import StoredPlan, find_plan
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.jobs import find_job
from tests.leads import lead_workflow
from tests.people import ADMIN, logged_in, withdraw
from tests.store.changes.governed import (
    APPROVER,
    AUTHOR,
    approver,
    author,
    change,
    decide,
    govern,
    live_version,
    proposed,
)
from tests.store.changes.healing import AMENDED, planned, stalled


def kept(store: Store, plan: str) -> StoredPlan:
    with store.read() as tx:
        found = find_plan(tx, plan)
    assert found is not None
    return found


@pytest.fixture
def governed(store: Store) -> Store:
    govern(store)
    stalled(store)
    return store


def test_one_yes_makes_the_version_live_and_heals_what_waited(governed: Store) -> None:
    token = proposed(governed, AMENDED)
    plan = planned(governed, token)
    seen = change(governed, token).digest
    with governed.read() as tx:
        shown = explain_change(tx, token, None).plan

    done = approve_with_plan(
        governed, token, plan.token, actor=approver(governed), digest=plan.digest, seen=(seen,)
    )
    carry_out_next_job(governed, keeper="k", lease_seconds=30)

    assert shown is not None and (shown.token, shown.digest) == (plan.token, plan.digest)
    assert (plan.events, done.state, live_version(governed)) == (3, "live", 2)
    with governed.read() as tx:
        job = find_job(tx, done.job or 0)
        (said,) = list_audit(tx, action="approve_change")
        began = list_audit(tx, action="start_job")[0]
    assert job is not None and (job.state, job.done) == ("done", 3)
    assert kept(governed, plan.token).state == "done"
    assert said.detail is not None and said.actor.startswith(f"person:{APPROVER}")
    assert (said.detail["subject"], said.detail["plan"]) == (seen, plan.token)
    assert said.detail["plan_digest"] == plan.digest == kept(governed, plan.token).digest
    # An approver runs nothing: the plan runs on the word of the operator who made it.
    assert began.actor.startswith(f"person:{AUTHOR}")
    assert began.detail and f"approved with change {token} by person:{APPROVER}" in str(
        began.detail
    )


def test_nothing_is_sent_before_the_change_is_live_and_then_anybody_who_may_runs_it(
    governed: Store,
) -> None:
    token = proposed(governed, AMENDED)
    plan = planned(governed, token)

    with pytest.raises(Refused, match=f"goes with change {token}, which is not live yet"):
        run_plan(governed, plan.token, actor=author(governed))
    decide(governed, token)

    assert run_plan(governed, plan.token, actor=author(governed)).replayed == 3


def test_an_author_does_not_approve_with_a_plan_either(governed: Store) -> None:
    token = proposed(governed, AMENDED)
    plan = planned(governed, token)

    with pytest.raises(Forbidden):
        approve_with_plan(governed, token, plan.token, actor=author(governed))

    assert (live_version(governed), kept(governed, plan.token).state) == (1, "ready")


def test_a_plan_of_an_earlier_round_is_not_run_and_nothing_is_live(governed: Store) -> None:
    token = proposed(governed, AMENDED)
    plan = planned(governed, token)
    later = lead_workflow(AMENDED.replace("15m", "16m"))
    publish_workflow(governed, later, actor=author(governed), change=token)

    for seen in ((), (change(governed, token).digest,)):
        with pytest.raises(ChangedSinceSeen):
            approve_with_plan(governed, token, plan.token, actor=approver(governed), seen=seen)
    assert live_version(governed) == 1
    decide(governed, token)
    with pytest.raises(Refused, match="is not what is live"):
        run_plan(governed, plan.token, actor=author(governed))


def test_a_plan_of_what_is_live_or_of_another_change_does_not_go_with_one(governed: Store) -> None:
    token, other = proposed(governed, AMENDED), proposed(governed)
    plan = planned(governed, token)

    with pytest.raises(Refused, match=f"was not made under change {other}"):
        approve_with_plan(governed, other, plan.token, actor=approver(governed))
    with pytest.raises(ChangedSinceSeen, match="its digest is"):
        approve_with_plan(governed, token, plan.token, actor=approver(governed), digest="0" * 64)
    # Under the other change the leads would come straight back.
    with pytest.raises(Refused):
        planned(governed, other)
    assert live_version(governed) == 1


def test_whose_word_does_not_count_any_more_lets_no_plan_run(governed: Store) -> None:
    token = proposed(governed, AMENDED)
    plan = planned(governed, token)
    withdraw(governed, AUTHOR, Role.OPERATOR, "acme")

    with pytest.raises(Refused, match=f"person:{AUTHOR}, who made plan {plan.token}, may not run"):
        approve_with_plan(governed, token, plan.token, actor=approver(governed))

    assert live_version(governed) == 1


def test_a_change_with_a_time_takes_no_plan_along(governed: Store) -> None:
    done = publish_workflow(governed, lead_workflow(AMENDED), actor=author(governed), at="2h")
    assert done.change is not None
    plan = planned(governed, done.change)

    with pytest.raises(Refused, match="is not live by the approval yet"):
        approve_with_plan(governed, done.change, plan.token, actor=approver(governed))

    assert change(governed, done.change).state == "awaiting_approval"


def test_while_changes_are_frozen_no_plan_is_run_by_an_approval(governed: Store) -> None:
    token = proposed(governed, AMENDED)
    plan = planned(governed, token)
    admin = logged_in(governed, ADMIN)
    freeze_changes(governed, "acme", until="2h", why="the sale", actor=admin)

    with pytest.raises(Refused, match="is not live by the approval yet"):
        approve_with_plan(governed, token, plan.token, actor=approver(governed))

    assert change(governed, token).state == "awaiting_approval"
    thaw_changes(governed, "acme", why="it is over", actor=admin)
    assert approve_with_plan(governed, token, plan.token, actor=approver(governed)).job

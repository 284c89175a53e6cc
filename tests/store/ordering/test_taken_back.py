"""What a bad version made of ordered events is taken back and sent again in their order."""

from __future__ import annotations

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import Refused
from orchestrator.operations.replay.freeze_outcomes import OutcomesPlan
from orchestrator.operations.replay.plan_outcomes import plan_outcomes
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.operations.rollback_workflow import rollback_workflow
from orchestrator.presenting.replay_plans import told_effects
from orchestrator.store.database.engine import Store
from orchestrator.store.desk.plans import find_plan, list_plans, planned_events
from orchestrator.store.views.events.show import show_event
from tests.leads import CATALOG
from tests.ordered_leads import ORDERED, PASSING, accept_lead, drive_all, publish_ordered

ME = login("cli:tester")
BAD = ORDERED.replace('"Onboard " + email', '"Welcome " + email')


def planned(store: Store) -> OutcomesPlan:
    rollback_workflow(store, "acme", "leads", why="odd titles", actor=ME)
    return plan_outcomes(store, "acme", "leads", catalog=CATALOG, actor=ME)


def test_the_last_of_each_key_is_sent_again_before_what_came_later_and_an_earlier_one_stays(
    store: Store,
) -> None:
    publish_ordered(store)
    publish_ordered(store, BAD)
    first, second, other = accept_lead(store, 1), accept_lead(store, 1), accept_lead(store, 2)
    drive_all(store)

    plan = planned(store)
    assert (plan.events, plan.followed, plan.more_followed) == (2, [first], 0)
    later = accept_lead(store, 1)  # it waits for its turn when the plan runs
    assert plan.token is not None
    assert run_plan(store, plan.token, actor=ME).replayed == 2

    ran = [sorted(group) for group in drive_all(store)]  # keys have no order among each other
    assert ran == [sorted([second, other]), [later]]


def test_what_is_followed_between_the_plan_and_its_run_stays_and_the_others_go(
    store: Store,
) -> None:
    publish_ordered(store)
    publish_ordered(store, BAD)
    first, other = accept_lead(store, 1), accept_lead(store, 2)
    drive_all(store)
    plan = planned(store)
    accept_lead(store, 1)
    drive_all(store)
    assert plan.token is not None

    ran = run_plan(store, plan.token, actor=ME)

    assert (ran.replayed, ran.followed, ran.before, ran.waiting) == (1, 1, 0, 0)
    assert drive_all(store) == [[other]]
    with store.read() as tx:
        stays, kept = show_event(tx, first), find_plan(tx, plan.token)
        assert kept is not None
        by_id = {one.id: one for one in planned_events(tx, kept.id, limit=10)}
        (listed,) = list_plans(tx, limit=10)
    assert (by_id[first].replayed_at, by_id[first].outcome) == (None, "left as it was made")
    assert by_id[other].replayed_at is not None
    assert (listed.done, ran.outcomes) == (1, {"left as it was made": 1, "accepted": 1})
    assert stays is not None and stays.state == "delivered"
    assert "leave_as_made" in {row.action for row in stays.history}
    assert "1 left as they were made" in told_effects(kept)[-1]
    again = run_plan(store, plan.token, actor=ME)
    assert (again.replayed, again.followed, again.before) == (0, 1, 1)


def test_between_versions_that_order_otherwise_nothing_is_planned(store: Store) -> None:
    publish_ordered(store)
    publish_ordered(store, PASSING.replace("data.email\n", "data.tier\n"))
    with pytest.raises(Refused, match="order their events differently"):
        planned(store)

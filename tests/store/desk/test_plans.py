"""A replay plan: frozen, refused on other ground, gone on with after a crash, each event once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, func, select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Action, Idempotency, Proof
from orchestrator.domain.errors import NotFound, Refused, WorkflowConflict
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.repair.amend import mend_events
from orchestrator.operations.repair.publish_amendment import publish_amendment
from orchestrator.operations.replay.plan import ReplayPlan, plan_replay
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, deliveries, events, plan_events, plans
from orchestrator.store.desk.plans import find_plan, list_plans, planned_events
from orchestrator.store.drive.claim import finish_group
from orchestrator.store.drive.stages import Saving, save_delivered
from orchestrator.store.quarantine.actions import discard, effective_payloads, quarantine_events
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import (
    CATALOG,
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead,
    lead_workflow,
    publish_leads,
    renamed_lead,
)
from tests.store.desk.recipes import RECIPE

ALL = Selection(workflow="leads")
MAIL = {
    "fake": {"record": Action(name="record", idempotency=Idempotency.NONE, proof=Proof.RECEIPT)}
}


def quarantined(store: Store, count: int) -> list[str]:
    """Leads of a form that calls `tier` otherwise."""
    publish_leads(store)
    accepted = accept_batch(store, [renamed_lead(n) for n in range(count)], actor="key:test")
    validate_leads(store)
    return [one.id for one in accepted]


def mended(store: Store, count: int) -> list[str]:
    ids = quarantined(store, count)
    mend_events(store, ALL, RECIPE, actor=login("cli:ada"))
    return ids


def planned(store: Store, catalog: Any = CATALOG) -> ReplayPlan:
    return plan_replay(store, ALL, catalog=catalog, actor=login("cli:ada"))


def replays(store: Store) -> dict[str, int]:
    """How often the audit says that each event was replayed."""
    with store.read() as tx:
        table = audit.c
        rows = tx.execute(
            select(table.event_id, func.count())
            .where(table.action == "replay")
            .group_by(table.event_id)
        )
        return {row[0]: row[1] for row in rows}


class Cut(Exception):
    """The process is gone."""


def cut(_: float) -> None:
    raise Cut


def test_a_plan_says_what_goes_where_and_sends_nothing(store: Store) -> None:
    ids = mended(store, 3)

    plan = planned(store)

    assert (plan.events, plan.repeats) == (3, 0)
    assert plan.effects == {"send": {"crm": 3, "desk": 3}}
    assert [one.version for one in plan.workflows] == [1]
    assert replays(store) == {}
    with store.read() as tx:
        row = find_plan(tx, plan.token)
        assert row is not None
        rows = planned_events(tx, row.id, limit=10)
    assert [one.id for one in rows] == sorted(ids)
    assert {one.outcome for one in rows} == {"waiting"}


def test_its_selection_is_read_once_and_tells_how_far_the_plan_is(store: Store) -> None:
    mended(store, 3)
    told: list[tuple[int, int]] = []
    readings: list[str] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def note(_: Any, __: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("SELECT quarantine.event_id") or "count(" in statement:
            readings.append(statement)

    plan_replay(
        store,
        ALL,
        catalog=CATALOG,
        actor=login("cli:ada"),
        progress=lambda *some: told.append(some),
    )

    assert len(readings) == 1, readings
    assert told == [(3, 3)]


def test_running_it_replays_each_event_once_and_again_changes_nothing(store: Store) -> None:
    ids = mended(store, 3)
    token = planned(store).token

    first = run_plan(store, token, actor=login("cli:ada"))
    again = run_plan(store, token, actor=login("cli:ada"))

    assert (first.replayed, first.outcomes) == (3, {"accepted": 3})
    assert (again.replayed, again.before) == (0, 3)
    assert replays(store) == dict.fromkeys(ids, 1)
    with store.read() as tx:
        (told,) = list_plans(tx, limit=5)
    assert (told.state, told.done, told.planned_by) == ("done", 3, "cli:ada")


def test_events_come_due_in_the_order_of_their_acceptance(store: Store) -> None:
    mended(store, 5)

    token = planned(store).token
    with pytest.raises(Cut):
        run_plan(store, token, actor=login("cli:ada"), rate=2, pause=cut)
    run_plan(store, token, actor=login("cli:ada"))

    with store.read() as tx:
        due = tx.execute(select(events.c.id, events.c.due_at).order_by(events.c.due_at)).all()
    assert [row.id for row in due] == sorted(row.id for row in due)
    assert len({row.due_at for row in due}) == 5


def test_a_run_that_is_cut_off_is_gone_on_with(store: Store) -> None:
    ids = mended(store, 5)
    token = planned(store).token

    for _ in range(2):
        with pytest.raises(Cut):
            run_plan(store, token, actor=login("cli:ada"), rate=2, pause=cut)
    assert len(replays(store)) == 4

    ran = run_plan(store, token, actor=login("cli:ada"))

    assert (ran.replayed, ran.before, ran.outcomes) == (1, 4, {"accepted": 5})
    assert replays(store) == dict.fromkeys(ids, 1)


def test_no_more_go_out_in_a_second_than_the_rate(store: Store) -> None:
    mended(store, 5)
    now, waits = [100.0], []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    run_plan(
        store,
        planned(store).token,
        actor=login("cli:ada"),
        rate=2,
        clock=lambda: now[0],
        pause=pause,
    )

    assert waits == [1, 1]


def same_lead(number: int) -> Any:
    """A lead of one of two people, by turns."""
    return renamed_lead(number % 2)


def in_order(store: Store, count: int) -> tuple[list[str], str]:
    """Leads of two people and their plan; the ids in the order of acceptance."""
    publish_leads(store)
    ids = []
    for number in range(count):
        ids += [one.id for one in accept_batch(store, [same_lead(number)], actor="key:test")]
    validate_leads(store)
    mend_events(store, ALL, RECIPE, actor=login("cli:ada"))
    made = plan_replay(store, ALL, catalog=CATALOG, actor=login("cli:ada"), order_by="email")
    return ids, made.token


def under_way(store: Store) -> list[str]:
    with store.read() as tx:
        found = select(events.c.id).where(events.c.due_at.is_not(None)).order_by(events.c.id)
        return list(tx.execute(found).scalars())


def deliver(store: Store) -> None:
    for group in claim_groups(store):
        drive_to_routed(store, group)
        saving = Saving(actor="worker:dispatch", epoch=group.epoch, lease_seconds=60)
        with store.write() as tx:
            save_delivered(tx, group.ids, lead_workflow(), saving)
            finish_group(tx, group.epoch)


def test_events_with_the_same_fact_go_one_after_the_other(store: Store) -> None:
    ids, token = in_order(store, 6)
    seen: list[list[str]] = []

    def work(_: float) -> None:
        seen.append(under_way(store))
        deliver(store)

    ran = run_plan(store, token, actor=login("cli:ada"), pause=work)

    seen.append(under_way(store))
    assert seen == [ids[0:2], ids[2:4], ids[4:6]]
    assert (ran.replayed, ran.waiting) == (6, 0)
    assert replays(store) == dict.fromkeys(ids, 1)


def test_what_comes_back_keeps_only_its_own_behind_it_and_another_run_goes_on(
    store: Store,
) -> None:
    ids, token = in_order(store, 6)

    def work(_: float) -> None:
        bad = [one for one in under_way(store) if one == ids[0]]
        with store.write() as tx:
            quarantine_events(
                tx, bad, source=State.ACCEPTED, workflow=lead_workflow(),
                reason=Reason.RULE_ERROR, detail="no", actor="worker",
            )  # fmt: skip
        deliver(store)

    ran = run_plan(store, token, actor=login("cli:ada"), pause=work)
    assert (ran.replayed, ran.waiting) == (4, 2)
    assert ids[2] not in replays(store)
    with store.read() as tx:
        assert [one.state for one in list_plans(tx, limit=1)] == ["running"]

    with store.write() as tx:
        discard(tx, [ids[0]], why="a test", actor="cli:ada")
    again = run_plan(store, token, actor=login("cli:ada"), pause=lambda _: deliver(store))

    assert (again.replayed, again.before, again.waiting) == (2, 4, 0)
    assert replays(store) == dict.fromkeys(ids, 1)


def test_an_order_by_what_is_no_fact_is_refused(store: Store) -> None:
    mended(store, 1)

    with pytest.raises(Refused, match=r"has no fact 'mail'.*email"):
        plan_replay(store, ALL, catalog=CATALOG, actor=login("cli:ada"), order_by="mail")

    with store.read() as tx:
        assert list_plans(tx, limit=5) == []


def test_a_published_version_is_other_ground(store: Store) -> None:
    mended(store, 2)
    token = planned(store).token
    publish_amendment(store, "acme", "leads", RECIPE, actor=login("cli:bo"))

    with pytest.raises(Refused, match="planned under version 1, and version 2 is live"):
        run_plan(store, token, actor=login("cli:ada"))
    assert replays(store) == {}


def test_an_event_that_was_amended_or_moved_since_is_other_ground(store: Store) -> None:
    first, second, third = mended(store, 3)
    token = planned(store).token
    again = recipe_of([{"map": "tier", "values": {"enterprise": "pro"}}])
    mend_events(store, Selection(ids=(first,)), again, actor=login("cli:bo"), again=True)
    replay_events(store, Selection(ids=(second,)), actor=login("cli:bo"))

    with pytest.raises(Refused, match=f"2 events of plan {token}") as refused:
        run_plan(store, token, actor=login("cli:ada"))

    assert first in str(refused.value)
    assert second in str(refused.value)
    assert third not in replays(store)


def test_ground_that_changes_under_a_run_stops_it_before_the_chunk(store: Store) -> None:
    ids = mended(store, 4)
    token = planned(store).token
    again = recipe_of([{"map": "tier", "values": {"enterprise": "pro"}}])

    def meddle(_: float) -> None:
        mend_events(store, Selection(ids=(max(ids),)), again, actor=login("cli:bo"), again=True)

    with pytest.raises(Refused, match="1 events of plan"):
        run_plan(store, token, actor=login("cli:ada"), rate=2, pause=meddle)

    assert len(replays(store)) == 2


def test_what_would_come_straight_back_is_left_out(store: Store) -> None:
    ids = quarantined(store, 2)
    mend_events(store, Selection(ids=(ids[0],)), RECIPE, actor=login("cli:ada"))

    plan = planned(store)

    assert plan.events == 1
    assert [(one.id, one.reason) for one in plan.left_out] == [(ids[1], "contract_violation")]


def test_a_plan_of_nothing_that_passes_is_refused(store: Store) -> None:
    quarantined(store, 2)

    with pytest.raises(Refused, match="none of 2 events would pass"):
        planned(store)
    with pytest.raises(NotFound, match="no plan 'x'"):
        run_plan(store, "x", actor=login("cli:ada"))


def test_a_standing_amendment_lets_events_pass_that_nobody_touched(store: Store) -> None:
    quarantined(store, 2)
    publish_amendment(store, "acme", "leads", RECIPE, actor=login("cli:ada"))

    assert planned(store).events == 2


def made_before(store: Store, event_id: str, **crm: Any) -> None:
    """The event has a delivery to the CRM in this state."""
    with store.write() as tx:
        tx.execute(
            deliveries.insert().values(
                **{
                    "event_id": event_id,
                    "name": "crm",
                    "destination": "crm",
                    "connector": "fake",
                    "action": "record",
                    "send": "{}",
                    "confirm": "[]",
                    "attempt": 1,
                    "unknown": False,
                    "updated_at": 0,
                    **crm,
                }
            )
        )


@pytest.mark.parametrize(
    ("crm", "catalog", "effect"),
    [
        ({"state": "confirmed", "record_id": "r1"}, CATALOG, "done"),
        ({"state": "failed", "reason": "destination_refused"}, CATALOG, "send"),
        ({"state": "failed", "reason": "handoff_mismatch", "record_id": "r1"}, CATALOG, "look"),
        ({"state": "failed", "reason": "unknown_outcome", "unknown": True}, CATALOG, "look"),
        ({"state": "failed", "reason": "unknown_outcome", "unknown": True}, MAIL, "again"),
        ({"state": "sending"}, MAIL, "again"),
        ({"state": "sending"}, {}, "again"),
        ({"state": "pending"}, MAIL, "send"),
        ({"state": "undone", "record_id": "r1"}, MAIL, "anew"),
    ],
)
def test_each_delivery_says_whether_it_would_be_repeated(
    store: Store, crm: dict[str, Any], catalog: Any, effect: str
) -> None:
    (event_id,) = mended(store, 1)
    made_before(store, event_id, **crm)

    plan = planned(store, catalog)

    assert plan.effects[effect]["crm"] == 1
    assert plan.repeats == (effect == "again")


def test_what_may_arrive_twice_needs_a_yes_and_the_audit_has_it(store: Store) -> None:
    (event_id,) = mended(store, 1)
    made_before(store, event_id, state="failed", reason="unknown_outcome", unknown=True)
    token = planned(store, MAIL).token

    with pytest.raises(Refused, match="1 deliveries may arrive twice"):
        run_plan(store, token, actor=login("cli:ada"))
    run_plan(store, token, actor=login("cli:ada"), send_again=True)

    with store.read() as tx:
        said = tx.execute(
            select(audit.c.actor, audit.c.destination).where(audit.c.action == "send_again")
        ).all()
        assert [tuple(one) for one in said] == [("cli:ada", "crm")]
        assert tx.execute(select(deliveries.c.unknown)).scalar_one() is False


def test_a_delivery_that_the_new_plan_leaves_out_is_told(store: Store) -> None:
    (event_id,) = mended(store, 1)
    made_before(store, event_id, state="failed", destination="fax")

    assert planned(store).effects["drop"] == {"fax": 1}


def test_a_plan_whose_making_was_cut_off_never_runs(store: Store) -> None:
    mended(store, 1)
    token = planned(store).token
    with store.write() as tx:
        tx.execute(update(plans).values(state="freezing"))

    with pytest.raises(Refused, match="never finished"):
        run_plan(store, token, actor=login("cli:ada"))


def test_a_valid_lead_is_not_touched_by_a_standing_amendment(store: Store) -> None:
    publish_leads(store)
    publish_amendment(store, "acme", "leads", RECIPE, actor=login("cli:ada"))
    (good,) = accept_leads(store, 1)
    (bad,) = accept_batch(store, [renamed_lead(9)], actor="key:test")
    validate_leads(store)

    with store.read() as tx:
        rows = tx.execute(select(events.c.id, events.c.state))
        states = {row.id: row.state for row in rows}
        told = tx.execute(select(audit).where(audit.c.action == "amend")).one()
    assert states == {good: "validated", bad.id: "validated"}
    assert (told.event_id, told.actor) == (bad.id, "workflow:leads")
    assert '"version":2' in told.detail


def test_a_standing_amendment_takes_no_good_value_out_of_an_event_that_broke_elsewhere(
    store: Store,
) -> None:
    tier = "    tier: {enum: [enterprise, pro]}\n"
    text = TEXT.replace(tier, tier + "    phone: {type: string, minLength: 5}\n")
    publish_leads(store, text + "amend: [{drop: phone}, {map: tier, values: {'Pro ': pro}}]\n")
    leads = [lead(1, tier="Pro ", phone="+4930123456"), lead(2, tier="pro", phone="-")]

    broke_elsewhere, broke_there = accept_batch(store, leads, actor="key:test")
    validate_leads(store)

    with store.read() as tx:
        kept = effective_payloads(tx, [broke_elsewhere.id, broke_there.id])
        told = tx.execute(select(audit).where(audit.c.action == "amend")).all()
    steps = {row.event_id: str(row.detail) for row in told}
    assert kept == {
        broke_elsewhere.id: {"email": "lead-1@example.com", "tier": "pro", "phone": "+4930123456"},
        broke_there.id: {"email": "lead-2@example.com", "tier": "pro"},
    }
    assert '"steps":[{"map":"tier"}]' in steps[broke_elsewhere.id]
    assert '"steps":[{"drop":"phone"}]' in steps[broke_there.id]


def test_a_version_that_comes_between_keeps_an_amendment_from_undoing_it(store: Store) -> None:
    publish_leads(store)
    publish_amendment(store, "acme", "leads", RECIPE, actor=login("cli:ada"))

    with pytest.raises(WorkflowConflict, match="version 1 of 'leads' is not live any more"):
        publish_workflow(store, lead_workflow(), actor=login("cli:bo"), instead_of=1)


def test_no_payload_stands_in_a_plan(store: Store) -> None:
    mended(store, 1)
    planned(store)

    with store.read() as tx:
        assert "example.com" not in tx.execute(select(plan_events.c.effects)).scalar_one()


def test_who_runs_a_plan_second_is_told_who_began_it(store: Store) -> None:
    mended(store, 3)
    token = planned(store).token
    with pytest.raises(Cut):
        run_plan(store, token, actor=login("cli:ada"), rate=1, pause=cut)

    second = run_plan(store, token, actor=login("cli:bo"))
    third = run_plan(store, token, actor=login("cli:eve"))

    assert second.begun and second.begun.by == "cli:ada"
    assert (second.replayed, second.before, second.finished) == (2, 1, None)
    assert third.finished and third.finished.by == "cli:bo"
    assert (third.replayed, third.begun) == (0, None)


def test_a_plan_on_other_ground_says_who_changed_what_and_when(store: Store) -> None:
    first, second, third = mended(store, 3)
    token = planned(store).token
    other = recipe_of([{"map": "tier", "values": {"enterprise": "pro"}}])
    mend_events(store, Selection(ids=(first,)), other, actor=login("cli:bo"), again=True)
    replay_events(store, Selection(ids=(second,)), actor=login("cli:eve"))

    with pytest.raises(Refused) as refused:
        run_plan(store, token, actor=login("cli:ada"))

    told = str(refused.value)
    assert f"{first} (amended by cli:bo at 20" in told
    assert f"{second} (replayed by cli:eve at 20" in told
    assert third not in told


def test_a_plan_under_another_version_says_who_published_it(store: Store) -> None:
    mended(store, 1)
    token = planned(store).token
    publish_amendment(store, "acme", "leads", RECIPE, actor=login("cli:bo"))

    with pytest.raises(Refused, match="version 2 is live, published by cli:bo at 20"):
        run_plan(store, token, actor=login("cli:ada"))


def test_a_run_that_was_refused_before_it_replayed_anything_has_not_begun(store: Store) -> None:
    ids = mended(store, 2)
    token = planned(store).token

    def discard_one() -> float:  # after the first look, before the first chunk
        with store.write() as tx:
            discard(tx, ids[:1], why="spam", actor="cli:bo")
        return 0.0

    with pytest.raises(Refused, match="1 events of plan"):
        run_plan(store, token, actor=login("cli:ada"), clock=discard_one)

    with store.read() as tx:
        (shown,) = list_plans(tx, limit=5)
    assert (shown.state, shown.started_by, shown.done) == ("ready", None, 0)

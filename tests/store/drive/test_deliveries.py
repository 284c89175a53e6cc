"""Deliveries: one run at a time, and never a second send without a look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Confirmed, Seen
from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.trace_context import read_trace
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.dispatch.admit_deliveries import Run, not_begun
from orchestrator.operations.dispatch.settle_run import save_outcomes, settle_calls
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries
from orchestrator.store.drive.deliveries import (
    COUNTED,
    NotMade,
    Taken,
    allow_resend,
    delivery_key,
    load_deliveries,
    save_done,
    save_not_made,
    take_deliveries,
)
from orchestrator.store.drive.lost_answers import still_in_hand
from orchestrator.store.drive.planned_deliveries import plan_deliveries
from orchestrator.store.drive.stages import Saving, hand_back, workflow_id_of
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.events.show import show_event
from orchestrator.store.views.quarantine.selection import Selection
from tests.leads import (
    CATALOG,
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead,
    lead_workflow,
    publish_leads,
    routed_leads,
)


def test_a_run_takes_each_delivery_of_the_matching_route(store: Store) -> None:
    ids, epoch = routed_leads(store, tier="enterprise")

    with store.write() as tx:
        taken = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)

    assert sorted(one.name for one in taken) == ["crm", "desk"]
    assert {one.attempt for one in taken} == {1}
    crm = next(one for one in taken if one.name == "crm")
    assert crm.fields == {"email": "lead-0@example.com", "tier": "enterprise"}
    assert crm.key == f"{ids[0]}.crm" and not crm.unknown


def test_a_delivery_is_taken_with_the_trace_of_its_event(store: Store) -> None:
    publish_leads(store)
    trace = read_trace(f"00-{'a' * 32}-{'b' * 16}-01", "rojo=1")
    accepted = accept_batch(store, [lead(1), replace(lead(2), trace=trace)], actor="key:test")
    (group,) = claim_groups(store)
    drive_to_routed(store, group)

    with store.write() as tx:
        taken = take_deliveries(tx, group.ids, epoch=group.epoch, run_id="run-1", run_seconds=30)

    assert {one.event_id: one.trace for one in taken} == {
        accepted[0].id: None,
        accepted[1].id: trace,
    }


def test_the_same_message_delivered_twice_finds_another_run_and_leaves_it_alone(
    store: Store,
) -> None:
    ids, epoch = routed_leads(store)

    with store.write() as tx:
        first = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        second = take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

    assert len(first) == 1 and second == []


def test_a_run_that_is_gone_leaves_an_unknown_outcome(store: Store) -> None:
    ids, epoch = routed_leads(store)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        tx.execute(update(deliveries).values(run_until=after(-1)))

        (again,) = take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

    assert again.unknown and again.attempt == 2


def test_a_run_that_lost_its_delivery_cannot_settle_it(store: Store) -> None:
    ids, epoch = routed_leads(store)
    row = (ids[0], "crm", "confirmed", "r-1")
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        tx.execute(update(deliveries).values(run_until=after(-1)))
        take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

        save_done(tx, "run-1", [row])

        (standing,) = load_deliveries(tx, ids, epoch)[ids[0]]
    assert standing.state == "sending"


@pytest.mark.parametrize("state", [DeliveryState.WAITING, DeliveryState.SUPERSEDED])
def test_the_answer_to_a_call_of_an_earlier_plan_sends_nothing_that_waits_or_is_superseded(
    store: Store, state: DeliveryState
) -> None:
    ids, epoch = routed_leads(store, tier="enterprise")
    with store.write() as tx:
        taken = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        tx.execute(update(deliveries).values(state=state, unknown=True))

        saved = save_not_made(tx, "run-1", [not_begun(one) for one in taken if one.name == "crm"])
        done = save_done(tx, "run-1", [(ids[0], "desk", "confirmed", "r-1")])

        standing = load_deliveries(tx, ids, epoch)[ids[0]]
    assert saved | done == set()
    assert {(one.state, one.unknown) for one in standing} == {(state, True)}


def test_a_confirmed_delivery_is_never_taken_again(store: Store) -> None:
    ids, epoch = routed_leads(store)
    row = (ids[0], "crm", "confirmed", "r-1")
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=0)
        save_done(tx, "run-1", [row])

        assert take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30) == []


def test_an_epoch_that_is_over_takes_nothing(store: Store) -> None:
    ids, epoch = routed_leads(store)

    with store.write() as tx:
        assert take_deliveries(tx, ids, epoch=epoch - 1, run_id="run", run_seconds=30) == []


def test_a_replay_plans_anew_and_keeps_what_was_made(store: Store) -> None:
    ids, epoch = routed_leads(store, tier="enterprise")
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        save_done(tx, "run-1", [(ids[0], "crm", "confirmed", "r-1")])
        save_not_made(tx, "run-1", [given_up(ids[0], "desk")])
        quarantine_events(
            tx,
            ids,
            source=State.ROUTED,
            workflow=lead_workflow(),
            reason=Reason.UNKNOWN_OUTCOME,
            detail="desk: cut",
            actor="worker:dispatch",
        )
    replay_events(store, Selection(ids=tuple(ids)), actor=login("cli:tester"))

    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        taken = take_deliveries(tx, ids, epoch=group.epoch, run_id="run-2", run_seconds=30)

    assert [(one.name, one.attempt, one.unknown) for one in taken] == [("desk", 1, True)]


def given_up(event_id: str, destination: str) -> NotMade:
    return NotMade(
        event_id=event_id,
        name=destination,
        state=DeliveryState.FAILED,
        after_ms=0,
        unknown=True,
        reason=Reason.UNKNOWN_OUTCOME,
        error="cut",
    )


def test_what_a_call_finds_out_about_its_record_is_kept_for_the_next(store: Store) -> None:
    """An address that only the create said, and that the record was there before."""
    ids, epoch = routed_leads(store)
    made = replace(
        given_up(ids[0], "crm"),
        state=DeliveryState.PENDING,
        record_id="r-1",
        seen=Seen(url="https://crm.example/r-1", version="v1", updated=True),
    )
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        save_not_made(tx, "run-1", [made])
        (again,) = take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)
        where = (ids[0], "crm")
        save_done(tx, "run-2", [(*where, "confirmed", "r-1")], {where: Seen(version="v2")})
        row = tx.execute(select(deliveries)).one()

    assert again.seen == made.seen
    assert (row.record_url, row.record_version) == ("https://crm.example/r-1", "v2")
    assert row.record_updated


def test_who_sends_again_forgets_the_record_that_there_was(store: Store) -> None:
    ids, epoch = routed_leads(store)
    seen = Seen(url="https://crm.example/r-1", version="v1", updated=True)
    lost = replace(given_up(ids[0], "crm"), record_id="r-1", seen=seen)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        save_not_made(tx, "run-1", [lost])
        allow_resend(tx, ids)
        row = tx.execute(select(deliveries)).one()

    assert (row.record_id, row.record_url, row.record_version) == (None, None, None)
    assert not row.record_updated


def test_a_run_that_lost_its_delivery_is_told_so(store: Store) -> None:
    ids, epoch = routed_leads(store)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=-1)
        take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

        late = save_done(tx, "run-1", [(ids[0], "crm", "confirmed", "r-1")])
        later = save_not_made(tx, "run-1", [given_up(ids[0], "crm")])
        mine = save_done(tx, "run-2", [(ids[0], "crm", "confirmed", "r-1")])

    assert (late, later, mine) == (set(), set(), {(ids[0], "crm")})


def test_what_a_run_took_in_a_commit_without_an_answer_it_takes_again(store: Store) -> None:
    ids, epoch = routed_leads(store)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
    with store.write() as tx:
        (again,) = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)

    assert not again.unknown


def test_a_taken_delivery_knows_how_many_of_its_event_are_open(store: Store) -> None:
    ids, epoch = routed_leads(store, tier="enterprise")
    accept_leads(store, 1, tier="enterprise")
    (other,) = claim_groups(store)
    drive_to_routed(store, other)
    with store.write() as tx:
        both = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=-1)
        save_done(tx, "run-1", [(ids[0], "crm", "confirmed", "r-1")])
        left = take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

    assert [one.open for one in both] == [2, 2]
    assert [(one.name, one.open) for one in left] == [("desk", 1)]


def test_of_many_deliveries_a_run_takes_so_many_and_the_next_ones_then(store: Store) -> None:
    ids, epoch = routed_leads(store, tier="pro")
    with store.write() as tx:
        many = [
            PlannedDelivery(
                destination="lines", connector="fake", action="record", send={}, confirm=(), item=n
            )
            for n in range(COUNTED + 2)
        ]
        plan_deliveries(tx, {ids[0]: many}, again=[])

        def take(run: str, most: int | None) -> list[Taken]:
            return take_deliveries(tx, ids, epoch=epoch, run_id=run, run_seconds=30, most=most)

        first, again, rest = take("run-1", 2), take("run-2", 0), take("run-2", None)
        assert len(first) == 2 and again == []
        assert len({one.key for one in [*first, *rest]}) == COUNTED + 3  # with that to the crm
        assert {one.open for one in first} == {COUNTED}


def test_an_event_is_delivered_only_when_more_than_are_counted_are_made(store: Store) -> None:
    ids, epoch = routed_leads(store, tier="pro")
    with store.write() as tx:
        many = [
            PlannedDelivery(
                destination="lines", connector="fake", action="record", send={}, confirm=(), item=n
            )
            for n in range(COUNTED)
        ]
        plan_deliveries(tx, {ids[0]: many}, again=[])
        taken = take_deliveries(tx, ids, epoch=epoch, run_id="r", run_seconds=30, most=COUNTED)
        saving = Saving(actor="worker:dispatch", epoch=epoch, lease_seconds=60)
        workflow = WorkflowShelf().take(tx, workflow_id_of(tx, ids[0]))
        run = Run(id="r", workflow=workflow, saving=saving)
        actions = {("fake", "record"): CATALOG["fake"]["record"]}
        outcomes = settle_calls(
            run, taken, {one.key: Confirmed(record_id="r-1") for one in taken}, actions
        )

        save_outcomes(tx, run, ids, outcomes, actions)

    with store.read() as tx:
        event = show_event(tx, ids[0])
    assert event and event.state == "routed"  # one more is to be made


def test_after_a_lost_answer_a_run_keeps_what_it_has_still_to_settle_and_gives_back_the_rest(
    store: Store,
) -> None:
    ids, epoch = routed_leads(store, tier="enterprise")
    more = accept_leads(store, 2, tier="pro")
    (other,) = claim_groups(store)
    drive_to_routed(store, other)
    with store.write() as tx:
        taken = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        crm, desk = sorted(taken, key=lambda one: one.name)
        # The commit whose answer was lost: it put the desk off, and took what is next.
        save_not_made(tx, "run-1", [not_begun(desk, 60_000)])
        take_deliveries(tx, more[:1], epoch=other.epoch, run_id="run-1", run_seconds=30)
        take_deliveries(tx, more[1:], epoch=other.epoch, run_id="run-2", run_seconds=30)

        kept = still_in_hand(tx, [*ids, *more], "run-1", taken)

        table = deliveries.c
        rows = tx.execute(select(table.event_id, table.name, table.state, table.attempt))
        now = {(row.event_id, row.name): (row.state, row.attempt) for row in rows}
    assert kept == [crm]
    assert now == {
        (ids[0], "crm"): ("sending", 1),
        (ids[0], "desk"): ("pending", 0),
        (more[0], "crm"): ("pending", 0),
        (more[1], "crm"): ("sending", 1),
    }


def test_a_plan_that_leaves_out_a_call_of_unknown_outcome_says_so(store: Store) -> None:
    ids, epoch = routed_leads(store, tier="enterprise")
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=0)
        tx.execute(update(deliveries).values(state="failed", unknown=True))
        crm = PlannedDelivery(
            destination="crm", connector="fake", action="record", send={}, confirm=()
        )

        plan_deliveries(tx, {ids[0]: [crm]}, again=ids)

        standing = load_deliveries(tx, ids, epoch)[ids[0]]
        (row,) = list_audit(tx, event_id=ids[0], action="abandon")
    assert [(one.name, one.state) for one in standing] == [("crm", "pending")]
    assert row.destination == "desk"


def left_out_and_planned_again(
    store: Store, was: Mapping[str, object]
) -> tuple[str, bool, int | None]:
    """Key, doubt and time of a delivery that was so, left out of a plan, and is in the next."""
    ids, epoch = routed_leads(store, tier="enterprise")
    crm, desk = (
        PlannedDelivery(destination=name, connector="fake", action="record", send={}, confirm=())
        for name in ("crm", "desk")
    )
    table = deliveries.c
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        tx.execute(update(deliveries).where(table.name == "desk").values(was))
        plan_deliveries(tx, {ids[0]: [crm]}, again=ids)
        plan_deliveries(tx, {ids[0]: [crm, desk]}, again=ids)
        plan_deliveries(tx, {ids[0]: [crm, desk]}, again=ids)
        row = tx.execute(select(deliveries).where(table.name == "desk")).one()
    assert row.state == "pending"
    key = delivery_key("", row.name, row.generation)
    return key, bool(row.unknown), row.due_at


IN_AN_HOUR = 4_102_444_800_000


@pytest.mark.parametrize(
    "was",
    [
        {"state": "sending", "run_until": IN_AN_HOUR},
        {"state": "failed", "unknown": True, "due_at": IN_AN_HOUR},
        {"state": "superseded", "unknown": True, "due_at": IN_AN_HOUR},
    ],
)
def test_what_may_be_there_is_looked_for_also_where_a_plan_left_it_out(
    store: Store, was: Mapping[str, object]
) -> None:
    assert left_out_and_planned_again(store, was) == (".desk", True, IN_AN_HOUR)


def test_a_record_that_does_not_match_is_looked_for_too(store: Store) -> None:
    was = {"state": "failed", "record_id": "r-1", "reason": "handoff_mismatch"}

    assert left_out_and_planned_again(store, was)[:2] == (".desk", True)


@pytest.mark.parametrize(
    "was", [{"state": "undone", "record_id": "r-1"}, {"state": "failed", "generation": 1}]
)
def test_what_was_taken_back_is_made_under_another_key_also_where_a_plan_left_it_out(
    store: Store, was: Mapping[str, object]
) -> None:
    assert left_out_and_planned_again(store, was)[:2] == (".desk.1", False)


def test_events_that_a_dispatch_did_not_get_to_are_due_when_a_delivery_is(store: Store) -> None:
    ids, epoch = routed_leads(store)
    with store.write() as tx:
        hand_back(tx, ids, epoch)

    (again,) = claim_groups(store)

    assert list(again.ids) == ids and again.epoch > epoch


def test_a_replay_of_a_call_that_was_never_settled_looks_before_it_sends(store: Store) -> None:
    ids, epoch = routed_leads(store)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=0)
        quarantine_events(
            tx,
            ids,
            source=State.ROUTED,
            workflow=lead_workflow(),
            reason=Reason.START_LIMIT,
            detail="started 6 times",
            actor="relay",
        )
    replay_events(store, Selection(ids=tuple(ids)), actor=login("cli:tester"))
    (group,) = claim_groups(store)
    drive_to_routed(store, group)

    with store.write() as tx:
        (taken,) = take_deliveries(tx, ids, epoch=group.epoch, run_id="run-2", run_seconds=30)

    assert taken.unknown


def test_the_audit_and_the_event_say_which_fields_were_sent_a_default(store: Store) -> None:
    text = TEXT.replace(
        "facts: {email: data.email, tier: data.tier}",
        "facts: {email: data.email, tier: data.tier, note: {value: data.note, optional: true}}",
    )
    text = text.replace("email, tier: tier}, confirm", "email, tier: tier, note: NOTE}, confirm")
    text = text.replace("NOTE", "{value: note, default: '\"secret words\"'}")
    publish_leads(
        store, text.replace("    tier: {enum", "    note: {type: string}\n    tier: {enum")
    )
    (without,) = accept_leads(store, 1)
    (noted,) = accept_leads(store, 1, note="call")
    for group in claim_groups(store):
        drive_to_routed(store, group)

    with store.read() as tx:
        shown = {one: show_event(tx, one) for one in (without, noted)}

    details = {
        one: [row.detail for row in view.history if row.action == "route"]
        for one, view in shown.items()
        if view
    }
    assert details == {
        without: [{"route": 2, "when": 'tier == "pro"', "to": ["crm"], "defaulted": ["crm.note"]}],
        noted: [{"route": 2, "when": 'tier == "pro"', "to": ["crm"]}],
    }
    assert "secret words" not in str(details)

"""Deliveries: one run at a time, and never a second send without a look."""

from __future__ import annotations

from sqlalchemy import update

from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.replay_events import replay_events
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries
from orchestrator.store.drive.deliveries import (
    NotMade,
    load_deliveries,
    save_done,
    save_not_made,
    take_deliveries,
)
from orchestrator.store.drive.planned_deliveries import plan_deliveries
from orchestrator.store.drive.stages import hand_back
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.selection import Selection
from tests.leads import (
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead_workflow,
    publish_leads,
)


def routed(store: Store, **fields: str) -> tuple[list[str], int]:
    publish_leads(store)
    ids = accept_leads(store, 1, **fields)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    return ids, group.epoch


def test_a_run_takes_each_delivery_of_the_matching_route(store: Store) -> None:
    ids, epoch = routed(store, tier="enterprise")

    with store.write() as tx:
        taken = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)

    assert sorted(one.destination for one in taken) == ["crm", "desk"]
    assert {one.attempt for one in taken} == {1}
    crm = next(one for one in taken if one.destination == "crm")
    assert crm.fields == {"email": "lead-0@example.com", "tier": "enterprise"}
    assert crm.key == f"{ids[0]}.crm" and not crm.unknown


def test_the_same_message_delivered_twice_finds_another_run_and_leaves_it_alone(
    store: Store,
) -> None:
    ids, epoch = routed(store)

    with store.write() as tx:
        first = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        second = take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

    assert len(first) == 1 and second == []


def test_a_run_that_is_gone_leaves_an_unknown_outcome(store: Store) -> None:
    ids, epoch = routed(store)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        tx.execute(update(deliveries).values(run_until=after(-1)))

        (again,) = take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

    assert again.unknown and again.attempt == 2


def test_a_run_that_lost_its_delivery_cannot_settle_it(store: Store) -> None:
    ids, epoch = routed(store)
    row = (ids[0], "crm", "confirmed", "r-1")
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
        tx.execute(update(deliveries).values(run_until=after(-1)))
        take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

        save_done(tx, "run-1", [row])

        (standing,) = load_deliveries(tx, ids, epoch)[ids[0]]
    assert standing.state == "sending"


def test_a_confirmed_delivery_is_never_taken_again(store: Store) -> None:
    ids, epoch = routed(store)
    row = (ids[0], "crm", "confirmed", "r-1")
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=0)
        save_done(tx, "run-1", [row])

        assert take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30) == []


def test_an_epoch_that_is_over_takes_nothing(store: Store) -> None:
    ids, epoch = routed(store)

    with store.write() as tx:
        assert take_deliveries(tx, ids, epoch=epoch - 1, run_id="run", run_seconds=30) == []


def test_a_replay_plans_anew_and_keeps_what_was_made(store: Store) -> None:
    ids, epoch = routed(store, tier="enterprise")
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
    replay_events(store, Selection(ids=tuple(ids)), actor="cli:tester")

    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        taken = take_deliveries(tx, ids, epoch=group.epoch, run_id="run-2", run_seconds=30)

    assert [(one.destination, one.attempt, one.unknown) for one in taken] == [("desk", 1, True)]


def given_up(event_id: str, destination: str) -> NotMade:
    return NotMade(
        event_id=event_id,
        destination=destination,
        state=DeliveryState.FAILED,
        after_ms=0,
        unknown=True,
        reason=Reason.UNKNOWN_OUTCOME,
        error="cut",
    )


def test_a_run_that_lost_its_delivery_is_told_so(store: Store) -> None:
    ids, epoch = routed(store)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=-1)
        take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

        late = save_done(tx, "run-1", [(ids[0], "crm", "confirmed", "r-1")])
        later = save_not_made(tx, "run-1", [given_up(ids[0], "crm")])
        mine = save_done(tx, "run-2", [(ids[0], "crm", "confirmed", "r-1")])

    assert (late, later, mine) == (set(), set(), {(ids[0], "crm")})


def test_what_a_run_took_in_a_commit_without_an_answer_it_takes_again(store: Store) -> None:
    ids, epoch = routed(store)
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)
    with store.write() as tx:
        (again,) = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)

    assert not again.unknown


def test_a_taken_delivery_knows_how_many_of_its_event_are_open(store: Store) -> None:
    ids, epoch = routed(store, tier="enterprise")
    accept_leads(store, 1, tier="enterprise")
    (other,) = claim_groups(store)
    drive_to_routed(store, other)
    with store.write() as tx:
        both = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=-1)
        save_done(tx, "run-1", [(ids[0], "crm", "confirmed", "r-1")])
        left = take_deliveries(tx, ids, epoch=epoch, run_id="run-2", run_seconds=30)

    assert [one.open for one in both] == [2, 2]
    assert [(one.destination, one.open) for one in left] == [("desk", 1)]


def test_a_plan_that_leaves_out_a_call_of_unknown_outcome_says_so(store: Store) -> None:
    ids, epoch = routed(store, tier="enterprise")
    with store.write() as tx:
        take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=0)
        tx.execute(update(deliveries).values(state="failed", unknown=True))
        crm = PlannedDelivery(
            destination="crm", connector="fake", action="record", send={}, confirm=()
        )

        plan_deliveries(tx, {ids[0]: [crm]}, again=ids)

        standing = load_deliveries(tx, ids, epoch)[ids[0]]
        (row,) = list_audit(tx, event_id=ids[0], action="abandon")
    assert [(one.destination, one.state) for one in standing] == [("crm", "pending")]
    assert row.destination == "desk"


def test_events_that_a_dispatch_did_not_get_to_are_due_when_a_delivery_is(store: Store) -> None:
    ids, epoch = routed(store)
    with store.write() as tx:
        hand_back(tx, ids, epoch)

    (again,) = claim_groups(store)

    assert list(again.ids) == ids and again.epoch > epoch


def test_a_replay_of_a_call_that_was_never_settled_looks_before_it_sends(store: Store) -> None:
    ids, epoch = routed(store)
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
    replay_events(store, Selection(ids=tuple(ids)), actor="cli:tester")
    (group,) = claim_groups(store)
    drive_to_routed(store, group)

    with store.write() as tx:
        (taken,) = take_deliveries(tx, ids, epoch=group.epoch, run_id="run-2", run_seconds=30)

    assert taken.unknown

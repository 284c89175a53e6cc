"""Claims: a lease, an epoch, groups; and what happens when nobody finishes them."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select, update

from orchestrator.domain.lifecycle import Stage
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, groups
from orchestrator.store.drive.claim import Group, finish_group, give_back, others_wait, renew_group
from orchestrator.store.drive.stages import Saving, hand_back, save_valid
from orchestrator.store.views.events.show import show_event
from tests.leads import (
    LIMITS,
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead,
    publish_leads,
)

OTHER = TEXT.replace("workflow: leads", "workflow: updates").replace("lead.created", "lead.updated")


def let_leases_run_out(store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(events).where(events.c.due_at.is_not(None)).values(due_at=after(-1)))
        tx.execute(update(groups).values(lease_until=after(-1)))


def test_due_events_are_claimed_once_in_groups_of_a_size(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 5)

    claimed = claim_groups(store, replace(LIMITS, group_size=2))

    assert [len(group.ids) for group in claimed] == [2, 2, 1]
    assert sorted(one for group in claimed for one in group.ids) == sorted(ids)
    assert {group.stage for group in claimed} == {Stage.VALIDATE}
    assert claim_groups(store) == []


def test_the_relay_holds_back_while_enough_groups_are_unfinished(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 6)
    limits = replace(LIMITS, group_size=1, groups_in_flight=2)

    first = claim_groups(store, limits)
    none = claim_groups(store, limits)
    with store.write() as tx:
        finish_group(tx, first[0].epoch)
    one_more = claim_groups(store, limits)

    assert (len(first), len(none), len(one_more)) == (2, 0, 1)


def test_a_lease_that_ran_out_is_claimed_again_under_a_higher_epoch(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 3)
    (first,) = claim_groups(store)

    let_leases_run_out(store)
    (second,) = claim_groups(store)

    assert second.ids == first.ids and second.epoch > first.epoch


def test_a_message_of_an_earlier_epoch_changes_nothing(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 1)
    (first,) = claim_groups(store)
    let_leases_run_out(store)
    (second,) = claim_groups(store)

    with store.write() as tx:
        late = save_valid(tx, first.ids, saving(first.epoch))
        mine = save_valid(tx, second.ids, saving(second.epoch))
        twice = save_valid(tx, second.ids, saving(second.epoch))

    assert (late, mine, twice) == ([], list(second.ids), [])


def test_an_event_goes_on_from_the_stage_that_its_state_names(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 1)
    (group,) = claim_groups(store)
    with store.write() as tx:
        save_valid(tx, group.ids, saving(group.epoch))

    let_leases_run_out(store)
    (again,) = claim_groups(store)

    assert again.stage is Stage.ROUTE


def test_a_claim_that_did_not_reach_the_broker_is_due_at_once_and_costs_no_start(
    store: Store,
) -> None:
    publish_leads(store)
    accept_leads(store, 2)

    for _ in range(LIMITS.start_limit + 2):
        (group,) = claim_groups(store)
        with store.write() as tx:
            give_back(tx, group)

    (group,) = claim_groups(store)
    assert len(group.ids) == 2


def test_events_that_start_without_progress_are_split_and_then_quarantined(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 3)
    sizes = []

    for _ in range(LIMITS.start_limit):
        sizes.append([len(group.ids) for group in claim_groups(store)])
        let_leases_run_out(store)
    after_the_last = claim_groups(store)

    assert sizes[:2] == [[3], [3]]
    assert sizes[-1] == [1, 1, 1]
    assert after_the_last == []
    with store.read() as tx:
        event = show_event(tx, ids[0])
    assert event and (event.state, event.reason) == ("quarantined", "start_limit")
    assert event.quarantine and event.quarantine.recovery_lead == "triage@acme.example"


def saving(epoch: int) -> Saving:
    return Saving(actor="worker:validate", epoch=epoch, lease_seconds=60)


def test_a_group_that_was_finished_after_all_is_not_given_back_to_life(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 1)
    (group,) = claim_groups(store)
    with store.write() as tx:
        save_valid(tx, group.ids, saving(group.epoch))
        tx.execute(update(events).values(state="delivered", due_at=None))

        give_back(tx, group)

        due = tx.execute(select(events.c.due_at)).scalar_one()
    assert due is None
    assert claim_groups(store) == []


def test_the_oldest_event_is_claimed_first_whatever_its_workflow(store: Store) -> None:
    publish_leads(store)
    publish_leads(store, TEXT.replace("workflow: leads", "workflow: others").replace(
        "lead.created", "other.created"))  # fmt: skip
    (old,) = accept_batch(store, [replace(lead(1), type="other.created")], actor="key:test")
    with store.write() as tx:
        tx.execute(update(events).values(due_at=after(-60)))
    accept_leads(store, 1)

    (claimed,) = claim_groups(store, replace(LIMITS, groups_in_flight=1))

    assert claimed.ids == (old.id,)


def test_a_hand_back_takes_back_one_start_and_not_all(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 1)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        tx.execute(update(events).values(starts=4))

        hand_back(tx, group.ids, group.epoch)

        assert tx.execute(select(events.c.starts)).scalar_one() == 3


def test_a_flood_of_one_workflow_keeps_no_other_waiting(store: Store) -> None:
    publish_leads(store)
    publish_leads(store, OTHER)
    flood = accept_leads(store, 9)
    (late,) = accept_batch(store, [lead(1, type="lead.updated")], actor="key:test")

    claimed = claim_groups(store, replace(LIMITS, group_size=2, groups_in_flight=2))

    assert [group.ids for group in claimed] == [tuple(flood[:2]), (late.id,)]


def test_a_client_with_many_workflows_has_no_more_turns_than_one_with_one(store: Store) -> None:
    publish_leads(store)
    publish_leads(store, OTHER)
    publish_leads(store, TEXT.replace("client: acme", "client: globex"))
    accept_leads(store, 3)
    accept_batch(store, [lead(one, type="lead.updated") for one in range(3)], actor="key:test")
    theirs = accept_batch(store, [lead(one, client="globex") for one in range(3)], actor="key:test")

    claimed = claim_groups(store, replace(LIMITS, group_size=1, groups_in_flight=4))

    assert len([group for group in claimed if group.ids[0] in {one.id for one in theirs}]) == 2


def test_a_group_that_gives_no_sign_of_life_holds_nobody_back(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 2)
    limits = replace(LIMITS, group_size=1, groups_in_flight=1, patience_seconds=5)
    (silent,) = claim_groups(store, limits)
    assert claim_groups(store, limits) == []

    with store.write() as tx:  # five of its sixty seconds are over
        tx.execute(update(groups).values(lease_until=after(limits.lease_seconds - 6)))
    (other,) = claim_groups(store, limits)
    with store.write() as tx:
        renew_group(tx, silent.epoch, limits.lease_seconds)
        finish_group(tx, other.epoch)

    assert claim_groups(store, limits) == []


def test_others_wait_when_they_are_due_or_on_their_way(store: Store) -> None:
    publish_leads(store)
    publish_leads(store, OTHER)
    accept_leads(store, 1)
    (mine,) = claim_groups(store)

    seen = []
    seen.append(waiting(store, mine))
    accept_batch(store, [lead(7, type="lead.updated")], actor="key:test")
    seen.append(waiting(store, mine))
    claim_groups(store)
    seen.append(waiting(store, mine))

    assert seen == [False, True, True]


def waiting(store: Store, group: Group) -> bool:
    with store.write() as tx:
        return others_wait(tx, group.workflow_id)

"""Deliveries: one run at a time, and never a second send without a look."""

from __future__ import annotations

from sqlalchemy import update

from orchestrator.store.clock import after
from orchestrator.store.deliveries import save_done, standing_deliveries, take_deliveries
from orchestrator.store.engine import Store
from orchestrator.store.schema import deliveries
from tests.leads import accept_leads, claim_groups, drive_to_routed, publish_leads


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

        (standing,) = standing_deliveries(tx, ids, epoch)[ids[0]]
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

"""Deliveries of items: each has a name that stays its own through every replay."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select, update

from orchestrator.domain.event import PlannedDelivery
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries
from orchestrator.store.drive.abandoned import abandon_unplanned
from orchestrator.store.drive.deliveries import take_deliveries
from orchestrator.store.drive.planned_deliveries import plan_deliveries
from tests.leads import routed_leads


def lines(*keys: str | int) -> Sequence[PlannedDelivery]:
    return [
        PlannedDelivery(
            destination="lines", connector="fake", action="record", send={}, confirm=(), item=key
        )
        for key in keys
    ]


def planned(store: Store, event_id: str, *keys: str | int, again: bool = True) -> dict[str, str]:
    """The names of the event's items by key, after a plan of these."""
    with store.write() as tx:
        plan_deliveries(tx, {event_id: lines(*keys)}, again=[event_id] if again else [])
        table = deliveries.c
        rows = tx.execute(select(table.item, table.name).where(table.destination == "lines"))
        return {row.item: row.name for row in rows}


@pytest.fixture
def event_id(store: Store) -> str:
    ids, _ = routed_leads(store, tier="pro")
    return ids[0]


def test_items_are_numbered_in_their_order(store: Store, event_id: str) -> None:
    assert planned(store, event_id, "b", 7, again=False) == {
        '"b"': "lines.item-1",
        "7": "lines.item-2",
    }


def test_an_item_keeps_its_name_whatever_is_before_it(store: Store, event_id: str) -> None:
    planned(store, event_id, "b", "c", again=False)

    assert planned(store, event_id, "a", "c", "b") == {
        '"b"': "lines.item-1",
        '"c"': "lines.item-2",
        '"a"': "lines.item-3",
    }


def test_a_number_whose_call_may_have_arrived_is_never_anothers(
    store: Store, event_id: str
) -> None:
    planned(store, event_id, "a", "b", again=False)
    with store.write() as tx:
        tx.execute(update(deliveries).values(unknown=True))
    planned(store, event_id, "a")

    assert planned(store, event_id, "a", "c") == {'"a"': "lines.item-1", '"c"': "lines.item-3"}


@pytest.mark.parametrize(
    "was",
    [
        {"state": "failed", "attempt": 2},
        {"state": "pending", "attempt": 0},  # replayed since, and its calls are not counted
        {"state": "undone", "attempt": 1, "record_id": "r-1"},
        {"state": "pending", "generation": 1},
    ],
)
def test_a_number_is_never_anothers_whatever_became_of_the_first(
    store: Store, event_id: str, was: dict[str, object]
) -> None:
    planned(store, event_id, "a", "b", again=False)
    with store.write() as tx:
        tx.execute(update(deliveries).where(deliveries.c.name == "lines.item-2").values(was))
    planned(store, event_id, "a")

    assert planned(store, event_id, "a", "c") == {'"a"': "lines.item-1", '"c"': "lines.item-3"}


def test_an_item_that_comes_back_has_its_own_number_and_is_looked_for(
    store: Store, event_id: str
) -> None:
    planned(store, event_id, "a", "b", again=False)
    with store.write() as tx:
        tx.execute(update(deliveries).values(unknown=True))
    planned(store, event_id, "a")
    planned(store, event_id, "a", "c")

    assert planned(store, event_id, "c", "b", "a") == {
        '"a"': "lines.item-1",
        '"b"': "lines.item-2",
        '"c"': "lines.item-3",
    }
    assert unknown(store) == {"lines.item-1": True, "lines.item-2": True, "lines.item-3": False}


def test_a_plan_of_ever_so_many_items_drops_what_it_leaves_out(store: Store, event_id: str) -> None:
    planned(store, event_id, "a", "b", again=False)
    with store.write() as tx:
        wanted = ["lines.item-1", *(f"others.item-{number}" for number in range(130_000))]
        abandon_unplanned(tx, {event_id: wanted}, actor="worker:route")

    assert unknown(store) == {"lines.item-1": False}


def unknown(store: Store) -> dict[str, bool]:
    table = deliveries.c
    with store.read() as tx:
        rows = tx.execute(select(table.name, table.unknown).where(table.destination == "lines"))
        return {row.name: bool(row.unknown) for row in rows}


def test_a_tool_is_given_another_key_for_each_item(store: Store) -> None:
    ids, epoch = routed_leads(store, tier="pro")
    planned(store, ids[0], "a", "b")

    with store.write() as tx:
        taken = take_deliveries(tx, ids, epoch=epoch, run_id="run-1", run_seconds=30)

    assert sorted(one.key for one in taken) == [
        f"{ids[0]}.lines.item-1",
        f"{ids[0]}.lines.item-2",
    ]

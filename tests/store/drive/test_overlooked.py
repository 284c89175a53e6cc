"""What is due later than its deliveries is found by any relay, made due, and told."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries, events
from orchestrator.store.drive import overlooked
from orchestrator.store.drive.claim import finish_group
from orchestrator.store.drive.deliveries import take_deliveries
from orchestrator.store.drive.overlooked import Search, catch_up, count_overlooked, last_woken
from orchestrator.store.views.audit import list_audit
from tests.leads import accept_leads, claim_groups, drive_to_routed, publish_leads


def asleep(store: Store, count: int = 1, *, group_at_work: bool = False) -> list[str]:
    """Leads whose deliveries are due for a minute, themselves due in an hour."""
    publish_leads(store)
    ids = accept_leads(store, count)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        tx.execute(update(deliveries).values(due_at=after(-60)))
        tx.execute(update(events).values(due_at=after(3_600)))
        if not group_at_work:
            finish_group(tx, group.epoch)
    return ids


def due_in_ms(store: Store) -> int:
    """Until the last of the events is due."""
    with store.read() as tx:
        return int(tx.execute(select(func.max(events.c.due_at) - now_ms())).scalar_one())


def test_an_overlooked_event_is_woken_and_the_audit_names_it(store: Store) -> None:
    (event_id,) = asleep(store)
    with store.read() as tx:
        assert count_overlooked(tx) == 1
        assert last_woken(tx) == (0, None)

    assert Search().wake_overlooked(store) == [event_id]

    assert due_in_ms(store) <= 0
    with store.read() as tx:
        row = list_audit(tx, newest_first=True)[0]
        assert (row.action, row.event_id, row.destination) == ("wake", event_id, "crm")
        assert row.actor == "relay"
        assert count_overlooked(tx) == 0
        assert last_woken(tx)[0] == 1


def test_it_is_woken_once(store: Store) -> None:
    asleep(store, 3)
    assert len(Search().wake_overlooked(store)) == 3

    assert Search().wake_overlooked(store) == []


def test_a_run_that_is_gone_is_found_when_its_time_is_over(store: Store) -> None:
    # Given a delivery that a run took, and an event that is due in an hour
    (event_id,) = asleep(store)
    with store.write() as tx:
        values = {"state": DeliveryState.SENDING, "run_id": "r", "run_until": after(60)}
        tx.execute(update(deliveries).values(**values))

    # Then it is left alone for as long as the run may be calling
    assert Search().wake_overlooked(store) == []
    with store.write() as tx:
        tx.execute(update(deliveries).values(run_until=after(-60)))
    assert Search().wake_overlooked(store) == [event_id]


def test_an_event_with_nothing_left_to_wait_for_is_overlooked(store: Store) -> None:
    (event_id,) = asleep(store)
    with store.write() as tx:
        tx.execute(update(deliveries).values(state=DeliveryState.CONFIRMED, due_at=None))

    assert Search().wake_overlooked(store) == [event_id]


@pytest.mark.parametrize("state", ["held", "pending later"])
def test_what_waits_for_its_time_or_its_breaker_is_left_alone(store: Store, state: str) -> None:
    asleep(store)
    with store.write() as tx:
        held = {"state": DeliveryState.HELD, "held_by": "fake"}
        tx.execute(update(deliveries).values(**(held if state == "held" else {"due_at": after(9)})))

    assert Search().wake_overlooked(store) == []
    assert due_in_ms(store) > 0


def test_what_a_group_at_work_has_in_hand_is_left_alone(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 2)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        tx.execute(update(deliveries).values(due_at=after(-60)))
        take_deliveries(tx, ids[:1], epoch=group.epoch, run_id="r", run_seconds=30)

    assert Search().wake_overlooked(store) == []


def test_a_look_is_bounded_and_the_next_goes_on_behind_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given ten events that wait, the overlooked one the last of them
    ids = asleep(store, 10)
    with store.write() as tx:
        for place, one in enumerate(ids):
            this = events.c.id == one
            tx.execute(update(events).where(this).values(due_at=after(1_000 + place)))
        others = deliveries.c.event_id.in_(ids[:-1])
        tx.execute(update(deliveries).where(others).values(due_at=after(3_600)))
    monkeypatch.setattr(overlooked, "MOST_LOOKED_AT", 4)
    search = Search()

    looks = [search.wake_overlooked(store) for _ in range(4)]

    assert looks == [[], [], [ids[-1]], []]
    assert search.wake_overlooked(store) == []  # and it begins anew


def test_a_run_that_settles_for_another_epoch_sees_to_it_that_the_event_is_not_late(
    store: Store,
) -> None:
    (event_id,) = asleep(store)

    with store.write() as tx:
        catch_up(tx, [event_id])

    assert due_in_ms(store) <= -59_000
    with store.read() as tx:
        assert last_woken(tx)[0] == 0

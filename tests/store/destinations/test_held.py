"""Held deliveries go out when nothing blocks their circuit; one of them tries an open breaker."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from orchestrator.domain.delivery.blockers import HeldEvents
from orchestrator.domain.delivery.breakers import BreakerState
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import circuits, deliveries, events
from orchestrator.store.destinations.breakers import note_taken, take_probe
from orchestrator.store.destinations.circuits import resume_circuit, troubled_circuits
from orchestrator.store.destinations.ending_pauses import (
    change_pause,
    end_pause,
    end_pauses,
    ended_pauses,
)
from orchestrator.store.destinations.held_deliveries import (
    nudge_open_breakers,
    release_held,
    tend_held_deliveries,
)
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.events.held_deliveries import held_beside, put_off
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import now_of
from tests.details import detail_of
from tests.store.destinations.holds import cooled_down, opened, pending
from tests.store.stalled import held, paused


def due(store: Store) -> list[str]:
    """The events that a relay would claim."""
    with store.read() as tx:
        rows = tx.execute(select(events.c.id).where(events.c.due_at <= now_ms()))
        return sorted(rows.scalars())


def planned(store: Store, name: str = "fake") -> None:
    """A pause whose time is over."""
    paused(store, name)
    with store.write() as tx:
        tx.execute(update(circuits).where(circuits.c.name == name).values(paused_until=after(-1)))


def test_what_waits_for_its_turn_in_a_rate_says_so_and_what_is_retried_does_not(
    store: Store,
) -> None:
    paused(store)
    (event_id,) = held(store, 1)
    with store.write() as tx:
        resume_circuit(tx, "fake", why=None, actor="cli:tester")
        release_held(tx)
        tx.execute(update(circuits).values(postponed_until=after(60)))
        tx.execute(update(deliveries).values(due_at=after(30)))

    with store.read() as tx:
        waiting = put_off(tx, event_id)
    assert {(one.what, one.by) for one in waiting} == {("rate", "fake")}

    with store.write() as tx:
        tx.execute(update(deliveries).values(failing_since=now_ms()))
        assert put_off(tx, event_id) == []


def test_a_pause_ends_by_itself_and_the_audit_says_so(store: Store) -> None:
    held(store, 3)
    planned(store)

    assert tend_held_deliveries(store) == 3

    with store.read() as tx:
        assert troubled_circuits(tx) == {}
        ended = list_audit(tx, action="end_pause")
    assert [one.actor for one in ended] == ["relay"]
    assert detail_of(ended[0])["why"] == "a migration" and detail_of(ended[0])["by"] == "cli:tester"
    assert tend_held_deliveries(store) == 0


def test_a_pause_ends_although_nothing_waits_for_it(store: Store) -> None:
    planned(store)

    tend_held_deliveries(store)

    with store.read() as tx:
        assert troubled_circuits(tx) == {}


def test_a_pause_that_was_given_another_end_meanwhile_goes_on(store: Store) -> None:
    planned(store)
    with store.read() as tx:
        assert ended_pauses(tx) == ["fake"]
        later = now_of(tx) + 60_000

    with store.write() as tx:
        change_pause(tx, "fake", why="it takes long", actor="cli:tester", until=later)
    with store.write() as tx:
        assert not end_pause(tx, "fake", "relay") and end_pauses(tx) == []


def test_the_end_of_a_pause_is_no_end_of_what_comes_after_it(store: Store) -> None:
    planned(store)
    tend_held_deliveries(store)

    opened(store)

    with store.read() as tx:
        assert troubled_circuits(tx)["fake"].until is None


def test_the_end_of_a_pause_leaves_an_open_breaker_open(store: Store) -> None:
    opened(store, "fake.record")
    planned(store)

    tend_held_deliveries(store)

    with store.read() as tx:
        assert list(troubled_circuits(tx)) == ["fake.record"]


def test_what_waits_at_a_paused_circuit_waits(store: Store) -> None:
    held(store, 3)
    paused(store)

    assert tend_held_deliveries(store) == 0
    assert due(store) == [] == pending(store)


def test_what_waited_is_due_once_its_circuit_is_resumed(store: Store) -> None:
    ids = held(store, 3)
    paused(store)
    with store.write() as tx:
        resume_circuit(tx, "fake", why="done", actor="cli:tester")

    assert tend_held_deliveries(store) == 3
    assert due(store) == ids == pending(store)
    assert tend_held_deliveries(store) == 0


def test_what_waits_at_a_circuit_that_is_gone_is_let_go(store: Store) -> None:
    ids = held(store, 2, circuit="forgotten")

    assert tend_held_deliveries(store) == 2
    assert pending(store) == ids


def test_an_event_with_two_held_deliveries_is_due_with_both(store: Store) -> None:
    (event_id,) = held(store, 1, tier="enterprise")

    assert tend_held_deliveries(store) == 2
    assert pending(store) == [event_id, event_id]


def test_many_are_let_go_bit_by_bit_the_oldest_first(store: Store) -> None:
    ids = held(store, 5)

    with store.write() as tx:
        assert release_held(tx, most=2) == 2
    assert pending(store) == ids[:2]
    assert [
        tend_held_deliveries(store, most=2),
        tend_held_deliveries(store, most=2),
        tend_held_deliveries(store),
    ] == [2, 1, 0]


def test_only_what_waits_at_the_circuit_that_is_not_blocked_is_let_go(store: Store) -> None:
    held(store, 2)
    paused(store)
    mine = held(store, 2, circuit="acme/leads/crm")

    assert tend_held_deliveries(store) == 2
    assert pending(store) == mine


def test_an_open_breaker_lets_nothing_go_before_it_may_be_tried(store: Store) -> None:
    held(store, 3)
    opened(store)

    assert tend_held_deliveries(store) == 0


def test_one_held_delivery_the_oldest_is_sent_to_try_an_open_breaker(store: Store) -> None:
    ids = held(store, 3)
    opened(store)
    cooled_down(store)

    assert tend_held_deliveries(store) == 1
    assert pending(store) == ids[:1] == due(store)
    with store.read() as tx:
        assert troubled_circuits(tx)["fake"].breaker is BreakerState.HALF_OPEN


def test_while_no_worker_comes_no_second_one_is_sent(store: Store) -> None:
    held(store, 3)
    opened(store)
    cooled_down(store)

    assert [tend_held_deliveries(store) for _ in range(3)] == [1, 0, 0]


def test_after_a_try_that_failed_the_next_one_is_sent_in_its_time(store: Store) -> None:
    held(store, 3)
    opened(store)
    cooled_down(store)
    tend_held_deliveries(store)
    with store.write() as tx:
        assert take_probe(tx, "fake", 30_000)
    opened(store)
    assert tend_held_deliveries(store) == 0

    cooled_down(store)
    with store.write() as tx:
        tx.execute(update(circuits).values(nudged_at=after(-2)))
    assert tend_held_deliveries(store) == 1


def test_one_that_was_sent_and_never_tried_is_given_up_after_a_minute(store: Store) -> None:
    held(store, 3)
    opened(store)
    cooled_down(store)
    tend_held_deliveries(store)
    with store.write() as tx:
        tx.execute(update(circuits).values(nudged_at=after(-61), probe_at=after(-120)))

    with store.write() as tx:
        assert nudge_open_breakers(tx) == 1


def test_a_success_lets_the_others_go(store: Store) -> None:
    ids = held(store, 3)
    opened(store)
    with store.write() as tx:
        note_taken(tx, "fake", "worker:dispatch")

    assert tend_held_deliveries(store) == 3
    assert pending(store) == ids


@pytest.mark.parametrize(("state", "waits"), [("quarantined", False), ("accepted", True)])
def test_an_event_that_is_not_dispatched_now_is_not_made_due(
    store: Store, state: str, waits: bool
) -> None:
    held(store, 1)
    with store.write() as tx:
        tx.execute(update(events).values(state=state, due_at=after(60) if waits else None))

    tend_held_deliveries(store)

    assert due(store) == []


def test_what_is_held_is_counted_by_what_holds_it_and_each_event_once(store: Store) -> None:
    paused(store)
    one, *_ = held(store, 3, tier="enterprise")
    with store.write() as tx:
        there = (deliveries.c.event_id == one, deliveries.c.destination == "desk")
        tx.execute(update(deliveries).where(*there).values(held_by="gone"))

    with store.read() as tx:
        found = held_beside(tx, Selection())
        elsewhere = held_beside(tx, Selection(client="globex"))

    assert found.events == 3
    holders = [(holder.by, holder.what, holder.events) for holder in found.by]
    assert holders == [("fake", "pause", 3), ("gone", "nothing any more", 1)]
    assert elsewhere == HeldEvents(events=0, by=())

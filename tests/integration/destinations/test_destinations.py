"""Destinations that fail: what passes is tried again, what may be stored is looked up first."""

from __future__ import annotations

from itertools import count

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.views.events.show import EventView, show_event
from orchestrator.store.views.quarantine.selection import Selection
from tests.integration.system import System
from tests.leads import lead

pytestmark = pytest.mark.processes

TICKETS = "/helpdesk/tickets"
NUMBERS = count()  # of leads: no story's contact is another one's


@pytest.mark.parametrize(
    ("mode", "how"),
    [
        ("error", {}),
        ("error_after_store", {}),
        ("cut_after_store", {}),
        ("rate_limit", {"seconds": 1}),
        ("garbage", {}),
    ],
)
def test_a_call_that_fails_in_passing_ends_as_one_ticket(
    system: System, mode: str, how: dict[str, object]
) -> None:
    system.fail_next(mode, path=TICKETS, **how)

    event = settled(system)

    assert event.state == "delivered"
    assert system.count_by_key("helpdesk/tickets") == {f"{event.id}.desk": 1}
    assert "retry" in [row.action for row in event.history]
    desk = next(one for one in event.deliveries if one.destination == "desk")
    # What a destination asks us to wait for is not an attempt.
    assert desk.attempt == (1 if mode == "rate_limit" else 2)


def test_a_refusal_stands_in_quarantine_at_once_and_a_replay_makes_only_what_is_missing(
    system: System,
) -> None:
    system.fail_next("error", path=TICKETS, status=422)

    event = settled(system)

    assert (event.state, event.stage) == ("quarantined", "dispatch")
    assert event.reason == "destination_refused"
    states = {one.destination: one.state for one in event.deliveries}
    assert states == {"crm": "confirmed", "desk": "failed"}

    replay_events(system.store, Selection(ids=(event.id,)), actor=login("cli:tester"))
    system.wait_until_settled(1)

    (contact,) = system.ledger("crm/contacts")
    assert contact["creates"] == 1
    assert len(system.ledger("helpdesk/tickets")) == 1
    assert show(system, event.id).state == "delivered"


def test_a_slow_destination_gets_what_a_dispatch_has_time_for_and_the_rest_later(
    system: System,
) -> None:
    system.fail_next("slow", path=TICKETS, count=80, seconds=0.9)

    ids = accept(system, 80)

    counts = system.wait_until_settled(80)
    assert counts["delivered"] == 80
    tickets = system.count_by_key("helpdesk/tickets")
    assert tickets == {f"{one}.desk": 1 for one in ids}


def settled(system: System) -> EventView:
    (event_id,) = accept(system, 1)
    system.wait_until_settled(1)
    return show(system, event_id)


def accept(system: System, how_many: int) -> list[str]:
    leads = [lead(next(NUMBERS), tier="enterprise") for _ in range(how_many)]
    return [one.id for one in accept_batch(system.store, leads, actor="key:test")]


def show(system: System, event_id: str) -> EventView:
    with system.store.read() as tx:
        event = show_event(tx, event_id)
    assert event is not None
    return event

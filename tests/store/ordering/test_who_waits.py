"""People see for whom an event waits, and how many wait behind one that is stopped."""

from __future__ import annotations

import pytest

from orchestrator.cli.events.page import put_event
from orchestrator.operations.replay.judge import with_next_steps
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.counts import count_late, count_under_way
from orchestrator.store.views.events.show import EventView, show_event
from orchestrator.store.views.quarantine.list import list_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.values import now_of
from tests.ordered_leads import accept_lead, drive, publish_ordered, turn


def shown(store: Store, event_id: str) -> EventView:
    with store.read() as tx:
        found = show_event(tx, event_id)
    assert found
    return found


def page(store: Store, event_id: str, capsys: pytest.CaptureFixture[str]) -> str:
    with store.read() as tx:
        advised = with_next_steps(tx, show_event(tx, event_id))
        now = now_of(tx)
    assert advised
    put_event(advised, now)
    return " ".join(capsys.readouterr().out.split())


def test_a_page_says_for_whom_an_event_waits_and_since_when(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_ordered(store)
    broken, second, third = (accept_lead(store, 1, tier=tier) for tier in ("gold", "pro", "pro"))
    drive(store, turn(store))

    waits = shown(store, third).waits_for
    assert waits
    assert (waits.event, waits.state, waits.before) == (broken, "quarantined", 2)
    assert shown(store, second).waits_for != waits
    told = page(store, third, capsys)
    assert f"waits for event {broken}, which is quarantined since" in told
    assert "2 events go before it. Its clocks run on" in told
    assert "2 events wait for it" in page(store, broken, capsys)


def test_a_long_line_is_counted_up_to_a_bound(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.store.views.lines.MOST_COUNTED", 2)
    publish_ordered(store)
    first, *_, last = [accept_lead(store, 1) for _ in range(5)]
    turn(store)

    assert shown(store, first).followers == 2
    waits = shown(store, last).waits_for
    assert waits and (waits.event, waits.before) == (first, 2)


def test_who_goes_waits_for_nobody(store: Store) -> None:
    publish_ordered(store)
    alone = accept_lead(store, 1)
    before = shown(store, alone)
    turn(store)

    assert before.waits_for is None
    assert before.due_at is None
    assert shown(store, alone).waits_for is None
    assert shown(store, alone).due_at


def test_the_list_of_the_quarantine_counts_who_waits_behind(store: Store) -> None:
    publish_ordered(store)
    broken, *_ = [accept_lead(store, 1, tier=tier) for tier in ("gold", "pro", "pro")]
    other = accept_lead(store, 2, tier="gold")
    drive(store, turn(store))

    with store.read() as tx:
        listed = list_quarantine(tx, Selection())

    assert {one.id: one.followers for one in listed} == {broken: 2, other: 0}


def test_who_waits_is_under_way_and_never_late_for_a_relay(store: Store) -> None:
    publish_ordered(store)
    for tier in ("gold", "pro"):
        accept_lead(store, 1, tier=tier)
    drive(store, turn(store))

    with store.read() as tx:
        assert count_under_way(tx) == 1
        assert count_late(tx, seconds=-60) == 0

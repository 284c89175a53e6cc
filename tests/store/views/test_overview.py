"""What the first page of the desk counts, on every kind of store."""

from __future__ import annotations

from dataclasses import fields

import pytest
from sqlalchemy import select, text

from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import quarantine
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.views.overview.attention import Attention, count_attention
from orchestrator.store.views.overview.bounded import Bounded, bounded, count_up_to
from orchestrator.store.views.overview.stages import StageRow, list_stages
from orchestrator.store.views.overview.traffic import Traffic, count_traffic
from tests.dashboard.filled import fill
from tests.dashboard.holding import hold
from tests.store.approvals.asked import asked_leads

HOUR_MS = 3_600_000


def attention(store: Store, clients: list[str] | None = None) -> dict[str, int]:
    with store.read() as tx:
        found: Attention = count_attention(tx, clients=clients)
    names = [one.name for one in fields(Attention) if one.name != "mine"]
    return {name: getattr(found, name).count for name in names}


def stages(store: Store, **of: list[str]) -> list[StageRow]:
    with store.read() as tx:
        return list(list_stages(tx, **of).rows)


def traffic(store: Store, **of: list[str]) -> Traffic:
    with store.read() as tx:
        return count_traffic(tx, **of)


def test_an_empty_store_needs_nobody(store: Store) -> None:
    assert set(attention(store).values()) == {0}
    assert stages(store) == []
    assert {one.arrived for one in traffic(store).day} == {0}


def test_what_needs_somebody_is_counted(store: Store) -> None:
    fill(store)
    with store.write() as tx:
        tx.execute(text("UPDATE incidents SET recover_by = 1 WHERE id = 1"))
        letter = DeadLetter(
            queue="meshline", task=None, error="no task", headers="{}", content_type=None,
            content_encoding=None, body=b"x",
        )  # fmt: skip
        keep_dead_letter(tx, letter)

    assert attention(store) == {
        "overdue": 1, "unacknowledged": 2, "blocked": 0, "held": 0, "dead_letters": 1,
        "quarantined": 3, "to_approve": 0,
    }  # fmt: skip
    assert attention(store, clients=["other"])["quarantined"] == 0
    assert attention(store, clients=["acme"])["quarantined"] == 3


def test_events_that_wait_for_a_yes_are_counted_for_their_client(store: Store) -> None:
    asked_leads(store, 2)

    assert attention(store)["to_approve"] == 2
    assert attention(store, clients=["acme"])["to_approve"] == 2
    assert attention(store, clients=["other"])["to_approve"] == 0


def test_what_is_held_back_is_counted_by_circuits_and_by_deliveries(store: Store) -> None:
    hold(store)

    found = attention(store)

    assert (found["blocked"], found["held"], found["quarantined"]) == (2, 1, 0)
    assert attention(store, clients=["acme"])["held"] == 1
    assert attention(store, clients=["other"])["held"] == 0


def test_a_clock_that_a_planned_pause_stopped_is_not_overdue(store: Store) -> None:
    fill(store)
    with store.write() as tx:
        tx.execute(text("UPDATE incidents SET recover_by = 2, stopped_at = 1 WHERE id = 1"))

    assert attention(store)["overdue"] == 0


def test_a_count_stops_behind_its_bound_and_says_so(store: Store) -> None:
    fill(store)
    with store.read() as tx:
        counts = [
            bounded(tx.scalar(select(count_up_to(quarantine, most=most))) or 0, most)
            for most in (2, 3, 5, 9)
        ]

    assert counts[0] == Bounded(count=2, more=True)
    assert counts[0].told() == "2 or more"
    assert counts[-1] == Bounded(count=5, more=False)


def test_events_are_counted_by_workflow_and_stage_with_the_oldest(store: Store) -> None:
    fill(store)

    rows = stages(store)

    told = [(one.workflow, one.stage, one.under_way.count, one.quarantined.count) for one in rows]
    assert told == [("leads", "validate", 2, 2), ("leads", "dispatch", 0, 1)]
    assert rows[0].oldest and rows[0].oldest_quarantined
    assert rows[1].oldest is None and rows[1].oldest_quarantined
    assert stages(store, clients=["other"]) == []


def test_the_oldest_is_the_one_that_was_accepted_first(store: Store) -> None:
    filled = fill(store)
    with store.write() as tx:
        tx.execute(
            text("UPDATE events SET accepted_at = 60000 WHERE id = :id"), {"id": filled.replayed}
        )

    assert stages(store)[0].oldest == "1970-01-01T00:01:00.000Z"


def test_the_last_day_and_week_are_counted_by_their_spans(store: Store) -> None:
    filled = fill(store)
    with store.write() as tx:  # delivered an hour after it came: still of today
        tx.execute(
            text("UPDATE events SET accepted_at = accepted_at - :hour WHERE id = :id"),
            {"hour": HOUR_MS, "id": filled.delivered},
        )

    found = traffic(store)

    assert (len(found.day), len(found.week)) == (24, 28)
    assert [one.hours for one in (found.day[0], found.week[0])] == [1, 6]
    for spans in (found.day, found.week):
        assert sum(one.arrived for one in spans) == 7
        assert sum(one.delivered for one in spans) == 1
        assert sum(one.stalled for one in spans) == 5
    assert [one.arrived for one in found.day[-2:]] == [1, 6]
    assert found.day[-1].delivered == 1
    assert not found.newest_only
    assert sum(one.arrived for one in traffic(store, clients=["other"]).day) == 0


@pytest.mark.parametrize("hours", [24, 7 * 24])
def test_what_came_before_is_not_counted(store: Store, hours: int) -> None:
    filled = fill(store)
    with store.write() as tx:
        tx.execute(
            text("UPDATE quarantine SET since = since - :past WHERE event_id = :id"),
            {"past": hours * HOUR_MS, "id": filled.refused},
        )

    found = traffic(store)

    assert sum(one.stalled for one in found.day) == 4
    assert sum(one.stalled for one in found.week) == (5 if hours == 24 else 4)

"""Doors, relays and workers at once: never two of a key, nobody left asleep, the order kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sqlalchemy import func, select

from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, events, ordered_events
from orchestrator.store.ordering.lines import ASLEEP
from tests.ordered_leads import accept_lead, drive, publish_ordered, turn

EACH, KEYS, DOORS, RELAYS = 30, 3, 3, 3
PATIENCE = 60.0  # seconds; it takes two or three


def at_once(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=one) for one in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)


def lines_with_two_awake(store: Store) -> list[str]:
    """By one statement, so that it sees one moment."""
    awake = events.c.due_at.is_not(None) & (events.c.due_at < ASLEEP)
    found = (
        select(ordered_events.c.line)
        .join(events, events.c.id == ordered_events.c.event_id)
        .where(awake)
        .group_by(ordered_events.c.line)
        .having(func.count() > 1)
    )
    with store.read() as tx:
        return list(tx.execute(found).scalars())


def delivered(store: Store) -> dict[str, list[int]]:
    """By line, the places of its events in the order of their deliveries."""
    found: dict[str, list[int]] = {}
    statement = (
        select(ordered_events.c.line, ordered_events.c.place)
        .join(audit, audit.c.event_id == ordered_events.c.event_id)
        .where(audit.c.action == "deliver")
        .order_by(audit.c.id)
    )
    with store.read() as tx:
        for line, place in tx.execute(statement):
            found.setdefault(line, []).append(place)
    return found


def test_many_doors_and_relays_keep_each_line_in_order(store: Store) -> None:
    publish_ordered(store)
    end, all_done, faults = time.monotonic() + PATIENCE, threading.Event(), []

    def door() -> None:
        for number in range(EACH):
            accept_lead(store, number % KEYS)

    def relay_and_worker() -> None:
        while not all_done.is_set() and time.monotonic() < end:
            drive(store, turn(store))

    def watch() -> None:
        while not all_done.is_set() and time.monotonic() < end:
            faults.extend(lines_with_two_awake(store))
            if sum(len(places) for places in delivered(store).values()) == EACH * DOORS:
                all_done.set()

    at_once(*[door] * DOORS, *[relay_and_worker] * RELAYS, watch)

    assert faults == []
    lines = delivered(store)
    assert [len(places) for places in lines.values()] == [EACH * DOORS // KEYS] * KEYS
    assert all(places == sorted(places) for places in lines.values())

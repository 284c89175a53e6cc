"""Messages that no worker can read are an incident of the steward's, with a clock and an end."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.quarantine.close_dead_letters import (
    drop_dead_letters,
    requeue_dead_letters,
)
from orchestrator.store.clocks.deadline_views import list_breached
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, dead_letters, heartbeats, incidents
from orchestrator.store.desk.heartbeats import Pulse
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.views.incidents.list import Sought, list_incidents
from orchestrator.store.views.incidents.page import IncidentView, show_incident
from orchestrator.store.views.quarantine.dead_letters import OldestLetter, list_dead_letters
from tests.store.quarantine.letters import LETTER, keep

STEWARD = "steward@agency.example"


def turn(store: Store, *, steward: str | None = STEWARD) -> None:
    keep_clocks(store, TermsShelf(), steward=steward)


def poison(store: Store) -> IncidentView:
    with store.read() as tx:
        view = show_incident(tx, 1)
    assert view is not None
    return view


def told(store: Store) -> list[tuple[str, int, str]]:
    with store.read() as tx:
        table = alerts.c
        rows = tx.execute(select(table.kind, table.step, table.recipient).order_by(table.id))
        return [(row[0], row[1], row[2]) for row in rows]


def test_a_flood_is_one_incident_and_one_alert(store: Store) -> None:
    for number in range(30):
        keep(store, replace(LETTER, body=str(number).encode(), error=f"no such task {number}"))
    turn(store)
    turn(store)

    with store.read() as tx:
        (incident,) = list_incidents(tx, Sought())
    assert (incident.standing, incident.events, incident.owner) == (30, 30, STEWARD)
    assert told(store) == [("opened", 0, STEWARD)]
    assert [one.letter for one in poison(store).oldest if isinstance(one, OldestLetter)] == [
        1,
        2,
        3,
        4,
        5,
    ]


def test_a_clock_that_runs_out_climbs_to_the_steward(store: Store) -> None:
    keep(store)
    with store.write() as tx:
        tx.execute(update(dead_letters).values(recover_by=after(-86_400 * 7)))
    turn(store)
    turn(store)

    assert poison(store).breached_at
    assert ("escalated", 1, STEWARD) in told(store)


def test_without_a_steward_nobody_is_told_until_there_is_one(store: Store) -> None:
    keep(store)
    turn(store, steward=None)
    assert (poison(store).owner, told(store)) == ("-", [])

    turn(store)
    turn(store)

    assert (poison(store).owner, told(store)) == (STEWARD, [("opened", 0, STEWARD)])


def test_it_is_over_when_all_are_dropped(store: Store) -> None:
    number = keep(store)
    turn(store)
    drop_dead_letters(store, [number or 0], why="junk", actor=login("cli:ada"))
    turn(store)

    assert poison(store).state == "resolved"


def test_a_requeue_alone_ends_nothing_and_what_comes_back_has_its_first_deadline(
    store: Store,
) -> None:
    number = keep(store) or 0
    turn(store)
    first = poison(store)
    requeue_dead_letters(store, [number], lambda _: None, actor=login("cli:ada"))
    turn(store)
    assert poison(store).state == "open"

    keep(store)  # a worker still cannot read it
    turn(store)

    again = poison(store)
    same = ("state", "recover_by", "events", "reopened")
    assert [getattr(again, name) for name in same] == [getattr(first, name) for name in same]
    with store.read() as tx:
        newest = list_dead_letters(tx)[0]
    assert newest.returned
    assert (newest.returned.times, newest.returned.requeued_by) == (1, "cli:ada")
    assert newest.recover_by == first.recover_by


def test_what_was_requeued_and_is_not_back_after_a_while_ends_it(store: Store) -> None:
    number = keep(store) or 0
    turn(store)
    first = poison(store)
    requeue_dead_letters(store, [number], lambda _: None, actor=login("cli:ada"))
    worker = Pulse(store, ProcessKind.WORKER, longest_turn_seconds=0)
    worker.beat("it is free for tasks")
    with store.write() as tx:
        tx.execute(update(dead_letters).values(closed_at=after(-59)))
    turn(store)
    assert poison(store).state == "open"

    with store.write() as tx:
        tx.execute(update(dead_letters).values(closed_at=after(-61)))
    turn(store)
    assert poison(store).state == "resolved"

    keep(store)
    turn(store)

    again = poison(store)
    assert (again.state, again.recover_by) == ("open", first.recover_by)


def test_what_was_requeued_is_not_over_while_no_worker_has_run_since(store: Store) -> None:
    Pulse(store, ProcessKind.WORKER, longest_turn_seconds=0).beat("it is free for tasks")
    number = keep(store) or 0
    turn(store)
    requeue_dead_letters(store, [number], lambda _: None, actor=login("cli:ada"))
    with store.write() as tx:
        tx.execute(update(dead_letters).values(closed_at=after(-3_600)))
        tx.execute(update(heartbeats).values(beat_at=after(-3_600)))

    turn(store)

    assert poison(store).state == "open"


def test_a_late_one_is_listed_with_who_is_told_next_and_what_to_do(store: Store) -> None:
    keep(store)
    with store.write() as tx:
        tx.execute(update(dead_letters).values(recover_by=after(-1)))
    turn(store)
    turn(store)

    with store.read() as tx:
        (late,) = list_breached(tx)

    assert late.next is not None and late.next.to == STEWARD
    assert [one.command for one in late.advice] == [
        "meshline dead-letters list",
        "meshline dead-letters requeue ID",
        "meshline dead-letters drop ID --why 'the reason'",
    ]


def test_two_keepers_count_a_letter_once(store: Store) -> None:
    keep(store)
    turn(store)
    with store.write() as tx:
        tx.execute(update(dead_letters).values(incident_id=None))
        tx.execute(update(incidents).values(events=0))
    turn(store)
    turn(store)

    assert poison(store).events == 1

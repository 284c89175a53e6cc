"""A planned pause stops the clock of what it holds and alerts nobody; an endless one does not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.operations.switch_destinations import pause_destination, resume_destination
from orchestrator.store.clocks.keeper_backlog import count_neglected
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, audit, circuits, incidents
from orchestrator.store.destinations.breakers import note_failures
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.destinations.held_deliveries import tend_held_deliveries
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.stages import hand_back
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.views.incidents.page import show_incident
from orchestrator.store.views.values import now_of
from tests.leads import TEXT, accept_leads, claim_groups, drive_to_routed, lead_workflow
from tests.leads import publish_leads as publish

CRM = "acme/leads/crm"
HOUR = 3_600


def held(store: Store, text: str = TEXT, circuit: str = CRM) -> None:
    """One event whose delivery to the crm is held, for the incident of its workflow."""
    publish(store, text)
    accept_leads(store, 1)
    for group in claim_groups(store):
        drive_to_routed(store, group)
        with store.write() as tx:
            hold_deliveries(
                tx, group.ids, ["crm"], workflow=lead_workflow(text), epoch=group.epoch,
                circuit=circuit, reason="paused", actor="worker:dispatch",
            )  # fmt: skip
            hand_back(tx, group.ids, group.epoch)


def pause(store: Store, until: str | None, name: str = CRM) -> None:
    pause_destination(store, [name], why="a migration", actor=login("cli:tester"), until=until)


def keep(store: Store) -> None:
    keep_clocks(store, TermsShelf())


def incident(store: Store) -> Any:
    with store.read() as tx:
        return tx.execute(select(incidents)).one()


def set_incident(store: Store, **seconds: float) -> None:
    """Move times of the incident to so many seconds from now."""
    with store.write() as tx:
        moved = {name: after(value) for name, value in seconds.items()}
        tx.execute(update(incidents).values(moved))


def set_circuit(store: Store, **seconds: float) -> None:
    with store.write() as tx:
        tx.execute(update(circuits).values({name: after(value) for name, value in seconds.items()}))


def told(store: Store) -> list[str]:
    with store.read() as tx:
        return list(tx.execute(select(alerts.c.kind).order_by(alerts.c.id)).scalars())


def marks(store: Store) -> list[str]:
    with store.read() as tx:
        clocks = select(audit.c.action).where(audit.c.action.in_(("stop_clock", "run_clock")))
        return list(tx.execute(clocks.order_by(audit.c.id)).scalars())


def test_a_planned_pause_alerts_nobody_and_is_never_late(store: Store) -> None:
    held(store)
    pause(store, "2h")
    set_circuit(store, since=-HOUR)
    set_incident(store, opened_at=-HOUR, recover_by=-60, stopped_at=-HOUR)

    keep(store)

    assert told(store) == []
    assert incident(store).breached_at is None
    with store.read() as tx:
        shown = show_incident(tx, incident(store).id)
        assert count_neglected(tx, seconds=1).untold == 0
    assert shown is not None and shown.stopped_at and not shown.overdue
    assert marks(store) == ["stop_clock"]


def test_a_pause_without_an_end_stops_nothing(store: Store) -> None:
    held(store)
    pause(store, None)
    set_incident(store, opened_at=-HOUR, recover_by=-60)

    keep(store)

    assert told(store) == ["escalated", "opened"]
    assert incident(store).stopped_at is None and incident(store).breached_at


def test_a_workflow_may_say_that_its_clocks_run_on(store: Store) -> None:
    text = TEXT.replace("recover_within: 72h", "recover_within: 72h, pauses_stop: []")
    held(store, text)
    pause(store, "2h")

    keep(store)

    assert told(store) == ["opened"]


def test_what_is_late_already_climbs_no_further_while_it_is_paused(store: Store) -> None:
    held(store)
    set_incident(store, opened_at=-HOUR, recover_by=-60)
    keep(store)
    before = told(store)
    set_incident(store, breached_at=-HOUR)
    pause(store, "2h")

    keep(store)

    assert told(store) == before == ["escalated", "opened"]


@pytest.mark.parametrize("ended", ["by its end", "by a person"])
def test_after_the_pause_the_clock_goes_on_with_what_was_left(store: Store, ended: str) -> None:
    held(store)
    pause(store, "2h")  # no keeper sees it
    set_circuit(store, since=-HOUR)
    set_incident(store, opened_at=-2 * HOUR, recover_by=60, stopped_at=-HOUR)
    left = incident(store).recover_by - incident(store).stopped_at

    if ended == "by its end":
        set_circuit(store, paused_until=-1)
        tend_held_deliveries(store, most=0)
    else:
        resume_destination(store, [CRM], why="done", actor=login("cli:tester"))
    keep(store)
    assert incident(store).stopped_at is not None and told(store) == []  # it goes out just now

    set_circuit(store, since=-120)  # and nobody lets it go
    keep(store)

    went_on = incident(store)
    assert went_on.stopped_at is None
    assert abs(went_on.recover_by - went_on.updated_at - left) < 2_000
    assert told(store) == ["opened"]
    assert marks(store) == ["stop_clock", "run_clock"]


@pytest.mark.parametrize("ended", ["by its end", "by a person"])
def test_a_clock_stops_from_the_beginning_of_a_pause_that_no_keeper_saw(
    store: Store, ended: str
) -> None:
    with store.write() as tx:
        pause_circuit(tx, CRM, why="a migration", actor="cli:tester", until=now_of(tx) + 60_000)
    held(store)
    set_circuit(store, since=-HOUR)
    set_incident(store, opened_at=-2 * HOUR)

    if ended == "by its end":
        set_circuit(store, paused_until=-1)
        tend_held_deliveries(store, most=0)
    else:
        resume_destination(store, [CRM], why="done", actor=login("cli:tester"))

    stopped = incident(store).stopped_at
    assert stopped is not None and abs(incident(store).updated_at - stopped - HOUR * 1000) < 2_000


def test_a_breaker_that_opens_after_the_pause_lets_the_clock_run(store: Store) -> None:
    held(store)
    pause(store, "2h")
    resume_destination(store, [CRM], why="done", actor=login("cli:tester"))
    policy = BreakerPolicy(failures=1, cooldown_seconds=300)
    with store.write() as tx:
        note_failures(tx, "fake", ["an-event"], error="503", policy=policy, actor="w")

    keep(store)

    assert incident(store).stopped_at is None and told(store) == ["opened"]


def test_a_pause_whose_end_is_taken_away_stops_the_clock_no_longer(store: Store) -> None:
    held(store)
    pause(store, "2h")
    assert incident(store).stopped_at is not None

    pause(store, "resumed")

    assert incident(store).stopped_at is None
    assert marks(store) == ["stop_clock", "run_clock"]


def test_a_planned_pause_of_the_connector_stops_the_clock_too(store: Store) -> None:
    held(store, circuit="fake")

    pause(store, "2h", name="fake")

    assert incident(store).stopped_at is not None


def test_of_many_who_pause_at_once_one_does_and_the_others_are_told_who_did(store: Store) -> None:
    publish(store)

    def try_it(number: int) -> Any:
        actor = f"person-{number}"
        return pause_destination(store, [CRM], why=f"why {number}", actor=login(actor))

    with ThreadPoolExecutor(4) as many:
        done = list(many.map(try_it, range(8)))

    (winner,) = [number for number, one in enumerate(done) if one.names]
    assert {one.already_paused[0].by for one in done if one.unchanged} == {f"person-{winner}"}
    assert len([one for one in done if one.unchanged]) == 7

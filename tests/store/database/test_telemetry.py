"""What the store says of itself: each act that is committed, and none that is rolled back."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

import pytest
from sqlalchemy import update

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.domain.delivery.retries import PausePolicy
from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.switch_destinations import pause_destination, resume_destination
from orchestrator.store.clocks.alerts import add_test, claim_alert, mark_failed, mark_sent
from orchestrator.store.clocks.resolve_incidents import resolve_ended_incidents
from orchestrator.store.database.clock import after, in_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, circuits
from orchestrator.store.destinations.breakers import note_failures, note_taken
from orchestrator.store.destinations.circuits import resume_circuit
from orchestrator.store.destinations.held_deliveries import tend_held_deliveries
from orchestrator.store.destinations.pauses import note_pause
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.incident_moves import move_incident, reopen_incident
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.telemetry import (
    AlertFailed,
    AlertSent,
    BreakerRecovered,
    BreakerTripped,
    DestinationPaused,
    DestinationResumed,
    IncidentAcknowledged,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    TelemetryEvent,
    reading,
)
from tests.leads import accept_leads, lead_workflow, publish_leads
from tests.seen import seeing

TESTER = "cli:tester"
BREAKER = "desk.open"
POLICY = BreakerPolicy(failures=2, cooldown_seconds=30)


def fail(store: Store) -> None:
    with store.write() as tx:
        note_failures(tx, BREAKER, ["a", "b"], error="503", policy=POLICY, actor="worker:dispatch")


def fail_and_roll_back(store: Store) -> None:
    with store.write() as tx:
        note_failures(tx, BREAKER, ["a", "b"], error="503", policy=POLICY, actor="worker")
        raise ZeroDivisionError


def quarantine(store: Store, ids: list[str]) -> None:
    with store.write() as tx:
        quarantine_events(
            tx,
            ids,
            source=State.ACCEPTED,
            workflow=lead_workflow(),
            reason=Reason.RULE_ERROR,
            detail="the rule met lead-0@example.com",
            actor="worker:validate",
        )


def acknowledge(store: Store) -> None:
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.ACKNOWLEDGE, actor=TESTER)


def test_a_breaker_that_opens_and_closes_says_so(store: Store) -> None:
    with seeing() as seen:
        fail(store)
        fail(store)  # it is open already
        with store.write() as tx:
            note_taken(tx, BREAKER, "worker:dispatch")

    assert seen.events == [
        BreakerTripped(breaker=BREAKER, reason="failing", failures=2),
        BreakerRecovered(breaker=BREAKER, failures=4),
    ]


def test_a_breaker_that_opens_for_too_many_pauses_says_so(store: Store) -> None:
    with seeing() as seen, store.write() as tx:
        note_pause(
            tx, "desk", asked=90, error="429", policy=PausePolicy(), jitter=0, actor="worker"
        )

    assert seen.events == [BreakerTripped(breaker="desk", reason="rate_limited", failures=0)]


def test_a_person_who_closes_a_breaker_resumes_it(store: Store) -> None:
    fail(store)

    with seeing() as seen, store.write() as tx:
        resume_circuit(tx, BREAKER, why="it is back", actor=TESTER)

    assert seen.events == [DestinationResumed(name=BREAKER, by_itself=False)]


def test_a_pause_its_new_end_and_its_end_are_told(store: Store) -> None:
    publish_leads(store)
    with seeing() as seen:
        pause_destination(store, ["fake"], why="a migration", actor=login(TESTER))
        changed = pause_destination(
            store, ["fake"], why="a migration", actor=login(TESTER), until="1h"
        ).until
        assert changed is not None
        resume_destination(store, ["fake"], why="it is over", actor=login(TESTER))

    assert seen.events == [
        DestinationPaused(name="fake", until=None),
        DestinationPaused(name="fake", until=in_ms(datetime.fromisoformat(changed))),
        DestinationResumed(name="fake", by_itself=False),
    ]


def test_a_pause_that_ends_by_itself_says_so(store: Store) -> None:
    publish_leads(store)
    pause_destination(store, ["fake"], why="a migration", actor=login(TESTER), until="1h")
    with store.write() as tx:
        tx.execute(update(circuits).values(paused_until=after(-1)))

    with seeing() as seen:
        tend_held_deliveries(store)

    assert seen.events == [DestinationResumed(name="fake", by_itself=True)]


def test_an_incident_says_when_it_opens_and_is_acknowledged(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 3)
    with seeing() as seen:
        quarantine(store, ids[:2])
        quarantine(store, ids[2:])  # counted on the one that is open
        acknowledge(store)
        acknowledge(store)

    opened, acknowledged = seen.events
    assert opened == IncidentOpened(
        incident=1, client="acme", workflow="leads", kind="contract", reason="rule_error"
    )
    assert isinstance(acknowledged, IncidentAcknowledged)
    assert (acknowledged.incident, acknowledged.client) == (1, "acme")


def test_an_incident_says_when_it_is_resolved_and_opened_again(store: Store) -> None:
    publish_leads(store)
    quarantine(store, accept_leads(store, 1))
    with seeing() as seen:
        discard_events(
            store, Selection(incident=1), why="a test of the sender", actor=login(TESTER)
        )
        with store.write() as tx:
            resolve_ended_incidents(tx)
        quarantine(store, accept_leads(store, 1))

    resolved, again = seen.events
    assert isinstance(resolved, IncidentResolved)
    assert (resolved.incident, resolved.outcome) == (1, "discarded")
    assert again == IncidentReopened(
        incident=1, client="acme", workflow="leads", kind="contract", reason="rule_error"
    )


def test_an_incident_that_a_restore_opens_again_says_so(store: Store) -> None:
    publish_leads(store)
    quarantine(store, accept_leads(store, 1))
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.RESOLVE, actor="keeper")

    with seeing() as seen, store.write() as tx:
        reopen_incident(tx, 1, actor=TESTER, reason="restored")

    (again,) = seen.of(IncidentReopened)
    assert (again.incident, again.reason) == (1, "rule_error")


def test_an_alert_says_that_it_was_sent(store: Store) -> None:
    with store.write() as tx:
        number = add_test(tx, "triage@acme.example", actor=TESTER)
    with seeing() as seen, store.write() as tx:
        alert = claim_alert(tx, number)
        assert alert
        mark_sent(tx, alert)
        mark_sent(tx, alert)  # another keeper was first

    assert seen.events == [AlertSent(alert=number, incident=None, kind="test", tries=1)]


def test_an_alert_says_of_each_try_that_failed_and_of_the_last_one(store: Store) -> None:
    with store.write() as tx:
        number = add_test(tx, "triage@acme.example", actor=TESTER)
    with seeing() as seen:
        for wait in (15.0, None):
            with store.write() as tx:
                tx.execute(update(alerts).values(due_at=after(-1)))
                alert = claim_alert(tx, number)
                assert alert
                mark_failed(tx, alert, "refused", wait=wait)

    first, last = seen.of(AlertFailed)
    assert first == AlertFailed(alert=number, incident=None, kind="test", tries=1, given_up=False)
    assert (last.tries, last.given_up) == (2, True)


def test_nothing_is_told_of_what_was_rolled_back(store: Store) -> None:
    publish_leads(store)
    with seeing() as seen:
        with pytest.raises(ZeroDivisionError):
            fail_and_roll_back(store)
        with store.write():  # by the same connection
            pass

    assert seen.events == []


def test_nothing_is_told_before_the_commit(store: Store) -> None:
    with seeing() as seen, store.write() as tx:
        note_failures(tx, BREAKER, ["a", "b"], error="503", policy=POLICY, actor="worker")
        before = list(seen.events)

    assert (before, len(seen.events)) == ([], 1)


class Failing:
    """A reader that cannot."""

    reads: Collection[type[TelemetryEvent]] = (BreakerTripped,)

    def read(self, event: TelemetryEvent) -> None:
        raise ValueError(event)


def test_a_reader_that_fails_harms_no_commit(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), reading(Failing()):
        fail(store)
        with store.write() as tx:
            resume_circuit(tx, BREAKER, why="it is back", actor=TESTER)
        fail(store)

    with seeing() as seen:
        fail(store)
    assert seen.events == []  # it is open
    assert len(caplog.messages) == 1

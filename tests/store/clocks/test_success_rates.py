"""A workflow that delivers fewer of its events than it promises has an incident, as long as so."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select, update

from orchestrator.domain.lifecycle import State
from orchestrator.keeper.messages import Reader, compose
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.settings import Settings
from orchestrator.store.clocks.alerts import claim_alert
from orchestrator.store.clocks.deadline_views import list_clocks
from orchestrator.store.clocks.low_rates import find_low_rates
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, events
from orchestrator.store.drive.stages import Saving, save_delivered
from orchestrator.store.quarantine.actions import discard, replay
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.quarantine.workflows import require_live
from orchestrator.store.views.incidents.list import IncidentRow, Sought, list_incidents
from orchestrator.store.views.incidents.page import show_incident
from tests.cli.desk import validate_leads
from tests.leads import (
    TEXT,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead_workflow,
    publish_leads,
)

PROMISING = TEXT.replace(
    "recover_within: 72h}", "recover_within: 72h, success_rate: {at_least: 90%, of: 10}}"
)


def keep(store: Store) -> None:
    keep_clocks(store, TermsShelf())


def deliver(store: Store, count: int) -> None:
    """Leads that go all the way."""
    if count:
        accept_leads(store, count)
    for group in claim_groups(store):
        drive_to_routed(store, group)
        with store.write() as tx:
            saving = Saving(actor="worker:dispatch", epoch=group.epoch, lease_seconds=60)
            save_delivered(tx, group.ids, lead_workflow(PROMISING), saving)


def fail(store: Store, count: int) -> list[str]:
    """Leads that the contract stops."""
    ids = accept_leads(store, count, tier="gold")
    validate_leads(store)
    return ids


def low(store: Store, state: str | None = None) -> list[IncidentRow]:
    with store.read() as tx:
        return list_incidents(tx, Sought(reason="success_rate", state=state))


def test_a_rate_under_its_promise_is_one_incident_however_often_a_keeper_looks(
    store: Store,
) -> None:
    publish_leads(store, PROMISING)
    deliver(store, 17)
    fail(store, 3)

    keep(store)
    keep(store)

    (incident,) = low(store)
    assert (incident.kind, incident.events) == ("platform", 3)
    assert (incident.title, incident.owner) == (
        "too few events are delivered",
        "triage@acme.example",
    )


def test_a_rate_that_is_kept_and_one_of_too_few_events_are_no_incident(store: Store) -> None:
    publish_leads(store, PROMISING)
    fail(store, 2)
    keep(store)
    assert low(store) == []

    deliver(store, 18)
    keep(store)
    assert low(store) == []


def test_what_is_healed_resolves_it_and_what_comes_again_opens_it_again(store: Store) -> None:
    publish_leads(store, PROMISING)
    deliver(store, 10)
    ids = fail(store, 4)
    keep(store)
    assert low(store)

    with store.write() as tx:
        replay(tx, ids, live=require_live(tx, "acme", "leads"), actor="cli:tester")
    deliver(store, 0)
    keep(store)

    assert low(store) == []
    (healed,) = low(store, "resolved")
    assert healed.resolved_by == "keeper"
    fail(store, 4)
    keep(store)
    assert [one.reopened for one in low(store)] == [1]


def test_what_is_discarded_and_what_is_too_old_does_not_count(store: Store) -> None:
    publish_leads(store, PROMISING)
    deliver(store, 10)
    junk, old = fail(store, 5), fail(store, 5)
    with store.write() as tx:
        discard(tx, junk, why="a test", actor="cli:tester")
        accepted = {"accepted_at": after(-3_700)}
        tx.execute(update(events).where(events.c.id.in_(old)).values(accepted))

    keep(store)

    assert low(store) == []
    with store.read() as tx:
        (clocks,) = list_clocks(tx)
    assert clocks.success_rate is not None
    assert asdict(clocks.success_rate) == {
        "at_least": "90%",
        "over": "1h",
        "of": 10,
        "delivered": 10,
        "decided": 10,
        "missed": False,
        "told": "10 of 10 events that came within 1h are delivered; at least 90% are promised",
    }


def test_one_that_promises_nothing_is_never_counted(store: Store) -> None:
    publish_leads(store)
    fail(store, 30)

    keep(store)

    assert low(store) == []
    with store.read() as tx:
        assert list_clocks(tx)[0].success_rate is None


def test_where_nothing_stands_still_nothing_is_counted(store: Store) -> None:
    publish_leads(store, PROMISING)
    deliver(store, 10)
    with store.write() as tx:  # as no move could make them: delivered, and yet not
        tx.execute(update(events).values(state=State.QUARANTINED.value))

    with store.read() as tx:
        assert find_low_rates(tx, TermsShelf().newest(tx)) == {}


def test_the_alert_says_the_rate(store: Store) -> None:
    publish_leads(store, PROMISING)
    deliver(store, 10)
    fail(store, 4)
    keep(store)
    (incident,) = low(store)

    with store.write() as tx:
        number = tx.execute(
            select(alerts.c.id).where(alerts.c.incident_id == incident.id)
        ).scalar_one()
        alert = claim_alert(tx, number)
        assert alert
        message = compose(alert, show_incident(tx, incident.id), Settings(), Reader(now=0))

    assert "too few events are delivered" in message.subject
    assert (
        "rate: 10 of 14 events that came within 1h are delivered; at least 90% are promised"
        in message.text
    )

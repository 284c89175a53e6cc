"""Workflows are listed with whose they are and what is on its way, and one shows where it is."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, quarantine
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.views.workflow_versions import MOST_VERSIONS, show_workflow
from orchestrator.store.views.workflows.flow import show_flow
from orchestrator.store.views.workflows.list import (
    LastEvent,
    WorkflowCounts,
    count_unfinished,
    find_last_events,
    list_workflows,
)
from tests.leads import TEXT, accept_leads, lead_workflow, publish_leads
from tests.store.stalled import fail, held, paused

CALLS = TEXT.replace("workflow: leads", "workflow: calls").replace("lead.created", "call.made")
BOLT = TEXT.replace("client: acme", "client: bolt").replace("triage@acme", "triage@bolt")


@pytest.fixture
def three(store: Store) -> Store:
    """Three workflows of two clients, without an event."""
    for text in (TEXT, CALLS, BOLT):
        publish_leads(store, text)
    return store


def names(store: Store, **sought: object) -> list[str]:
    with store.read() as tx:
        found = list_workflows(tx, **sought)  # type: ignore[arg-type] # as each test gives them
    return [f"{one.client}/{one.workflow}" for one in found]


def quarantined(store: Store, reason: Reason, source: State = State.ACCEPTED) -> str:
    (event_id,) = accept_leads(store, 1)
    with store.write() as tx:
        if source is not State.ACCEPTED:
            tx.execute(update(events).where(events.c.id == event_id).values(state=source))
        quarantine_events(
            tx,
            [event_id],
            source=source,
            workflow=lead_workflow(),
            reason=reason,
            detail="it stalled",
            actor="worker",
        )
    return event_id


def test_pages_by_client_and_name_leave_none_out(three: Store) -> None:
    assert names(three) == ["acme/calls", "acme/leads", "bolt/leads"]
    assert names(three, limit=2) == ["acme/calls", "acme/leads"]
    assert names(three, after=("acme", "calls")) == ["acme/leads", "bolt/leads"]
    assert names(three, after=("acme", "leads"), limit=2) == ["bolt/leads"]
    assert names(three, after=("bolt", "leads")) == []
    assert names(three, client="bolt") == ["bolt/leads"]


def test_whoever_a_version_names_in_a_role_finds_it_and_no_other_text_does(three: Store) -> None:
    assert names(three, owner="triage@bolt.example") == ["bolt/leads"]
    assert names(three, owner="on-call@agency.example", limit=1) == ["acme/calls"]
    assert names(three, owner="on-call@agency.example", after=("acme", "calls"), limit=1) == [
        "acme/leads"
    ]
    assert names(three, owner="email") == names(three, owner="triage") == []


def test_a_workflow_says_whose_it_is_and_what_it_calls(three: Store) -> None:
    with three.read() as tx:
        (row,) = list_workflows(tx, client="bolt")

    assert (row.title, row.version, row.type) == ("New leads reach the desk", 1, "lead.created")
    assert (row.owner, row.recovery_lead) == ("support-ops@acme.example", "triage@bolt.example")
    assert row.destinations == (("crm", "fake.record"), ("desk", "fake.record"))
    assert row.counts == WorkflowCounts(under_way=0, held=0, quarantined=0)
    assert row.last_event == LastEvent(at=None, before=None)
    assert row.published_by == "cli:tester"


def test_what_is_not_at_its_end_is_counted_over_all_versions(store: Store) -> None:
    paused(store)
    held(store, 2, tier="pro")
    publish_leads(store, TEXT.replace("New leads", "All leads"))
    accept_leads(store, 3)
    done = accept_leads(store, 1)
    stalled = [quarantined(store, Reason.CONTRACT_VIOLATION) for _ in range(2)]
    with store.write() as tx:
        at_end = update(events).where(events.c.id.in_(done))
        tx.execute(at_end.values(state=State.DELIVERED, due_at=None))
        # One came before there were incidents.
        first = update(quarantine).where(quarantine.c.event_id == stalled[0])
        tx.execute(first.values(incident_id=None))
    with store.read() as tx:
        assert count_unfinished(tx) == {
            ("acme", "leads"): WorkflowCounts(under_way=5, held=2, quarantined=2)
        }


def test_the_last_event_is_known_as_far_as_the_newest_events_say(three: Store) -> None:
    accept_leads(three, 1, client="bolt")
    accept_leads(three, 3)
    every = [("acme", "calls"), ("acme", "leads"), ("bolt", "leads")]
    with three.write() as tx:  # an hour apart from each other
        for number, one in enumerate(sorted(tx.execute(events.select()), key=lambda e: e.id)):
            at = 1_796_000_000_000 + number * 3_600_000
            tx.execute(update(events).where(events.c.id == one.id).values(accepted_at=at))
    with three.read() as tx:
        wide = find_last_events(tx, every)
        narrow = find_last_events(tx, every, newest=2)

    never = LastEvent(at=None, before=None)
    last = LastEvent(at="2026-11-30T03:53:20.000Z", before=None)
    assert wide == {
        ("acme", "calls"): never,
        ("acme", "leads"): last,
        ("bolt", "leads"): LastEvent(at="2026-11-30T00:53:20.000Z", before=None),
    }
    assert narrow == {
        ("acme", "calls"): never,
        ("acme", "leads"): last,
        ("bolt", "leads"): LastEvent(at=None, before="2026-11-30T02:53:20.000Z"),
    }


def test_the_flow_of_one_workflow_says_where_its_events_are(three: Store) -> None:
    refused = fail(three, "refused", stop=True)
    fail(three, "busy", destination="desk")
    quarantined(three, Reason.CONTRACT_VIOLATION)
    quarantined(three, Reason.NO_ROUTE, source=State.VALIDATED)
    before = quarantined(three, Reason.CONTRACT_VIOLATION)
    accept_leads(three, 2)
    accept_leads(three, 1, client="bolt")
    with three.write() as tx:
        first = update(quarantine).where(quarantine.c.event_id == before)
        tx.execute(first.values(incident_id=None))
    with three.read() as tx:
        flow = show_flow(tx, "acme", "leads")
        other = show_flow(tx, "acme", "calls")

    assert refused
    assert (flow.accepted, flow.validated, flow.routed) == (2, 0, 1)
    assert flow.stalled_at("validate") == 2
    assert flow.stalled_at("route") == 1
    assert (flow.stalled_by("crm"), flow.stalled_by("desk")) == (1, 0)
    assert [(one.destination, one.waiting) for one in flow.destinations] == [
        ("crm", 1),
        ("desk", 1),
    ]
    assert (other.accepted, other.routed, other.stalled) == (0, 0, ())


def test_a_version_is_shown_with_the_newest_beside_it(store: Store) -> None:
    for number in range(MOST_VERSIONS + 2):
        publish_leads(store, TEXT.replace("New leads", f"Leads {number}"))
    with store.read() as tx:
        live = show_workflow(tx, "acme", "leads")
        first = show_workflow(tx, "acme", "leads", version=1)
        missing = [
            show_workflow(tx, "acme", "leads", version=99),
            show_workflow(tx, "bolt", "leads"),
        ]

    assert live and first and missing == [None, None]
    assert (live.shown.version, live.shown.live) == (MOST_VERSIONS + 2, True)
    assert (first.shown.version, first.shown.live) == (1, False)
    assert first.shown.definition["title"] == "Leads 0 reach the desk"
    assert [one.version for one in live.versions] == list(range(MOST_VERSIONS + 2, 2, -1))
    assert live.older == 2

"""The last failures at a destination are those of events that are under way or in quarantine."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from orchestrator.domain.lifecycle import State
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries, events
from orchestrator.store.views.destinations.failures import Failure, last_failures, list_failures
from orchestrator.store.views.destinations.list import list_destinations
from tests.leads import TEXT, accept_leads, claim_groups, drive_to_routed, publish_leads
from tests.store.stalled import fail

CRM, DESK = ("acme", "leads", "crm"), ("acme", "leads", "desk")


@pytest.fixture
def failing(store: Store) -> tuple[Store, list[str]]:
    """A store whose CRM refused one event, and then fails for another; the events."""
    publish_leads(store)
    return store, [fail(store, "refused", stop=True), fail(store, "busy")]


def told(found: list[Failure]) -> list[tuple[str, str, str]]:
    return [(one.id, one.state, one.error) for one in found]


@pytest.mark.parametrize("name", ["acme/leads/crm", "fake", "fake.record"])
def test_a_circuit_lists_what_failed_there_the_newest_first(
    failing: tuple[Store, list[str]], name: str
) -> None:
    store, (refused, busy) = failing
    with store.read() as tx:
        assert told(list_failures(tx, name, limit=5)) == [
            (busy, "pending", "busy"),
            (refused, "failed", "refused"),
        ]
        assert told(list_failures(tx, name, limit=1)) == [(busy, "pending", "busy")]


@pytest.mark.parametrize("name", ["acme/leads/desk", "acme/calls/crm", "other", "fake.other"])
def test_another_circuit_lists_none_of_them(failing: tuple[Store, list[str]], name: str) -> None:
    with failing[0].read() as tx:
        assert list_failures(tx, name, limit=5) == []


def test_what_is_over_is_no_failure_any_more(failing: tuple[Store, list[str]]) -> None:
    store, (refused, busy) = failing
    with store.write() as tx:
        done = update(events).where(events.c.id == busy)
        tx.execute(done.values(state=State.DELIVERED, due_at=None))
    with store.read() as tx:
        found = last_failures(tx, [CRM, DESK])
        assert told(list_failures(tx, "acme/leads/crm", limit=5)) == [
            (refused, "failed", "refused")
        ]

    assert set(found) == {"acme/leads/crm"}
    last = found["acme/leads/crm"]
    assert (last.event_id, last.error, last.reason) == (refused, "refused", "destination_refused")
    assert last.incident is not None


def test_each_destination_has_its_newest_failure_and_no_other(
    failing: tuple[Store, list[str]],
) -> None:
    store, (_, busy) = failing
    at_desk = [fail(store, said, destination="desk", stop=stop) for said, stop in TWO]
    with store.write() as tx:  # the first of these failed later
        later = deliveries.c.updated_at + 5_000
        first = (deliveries.c.event_id == at_desk[0], deliveries.c.name == "desk")
        tx.execute(update(deliveries).where(*first).values(updated_at=later))
    with store.read() as tx:
        found = last_failures(tx, [CRM, DESK])
        only_crm = last_failures(tx, [CRM])
        nothing = last_failures(tx, [])

    assert {name: (one.event_id, one.error, one.incident) for name, one in found.items()} == {
        "acme/leads/crm": (busy, "busy", None),
        "acme/leads/desk": (at_desk[0], "slow", None),
    }
    assert set(only_crm) == {"acme/leads/crm"} and nothing == {}


TWO = (("slow", False), ("refused", True))


def test_destinations_of_one_client_or_workflow_are_listed_with_what_waits_there(
    failing: tuple[Store, list[str]],
) -> None:
    store, _ = failing
    publish_leads(store, TEXT.replace("client: acme", "client: bolt"))
    accept_leads(store, 1, tier="pro", client="bolt")
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.read() as tx:
        every = list_destinations(tx)
        acme = list_destinations(tx, client="acme")
        bolt = list_destinations(tx, client="bolt", workflow="leads")
        none = list_destinations(tx, workflow="others")

    assert acme + bolt == every
    assert [(one.name, one.waiting) for one in every] == [
        ("acme/leads/crm", 1),
        ("acme/leads/desk", 1),
        ("bolt/leads/crm", 1),
        ("bolt/leads/desk", 0),
    ]
    assert none == []

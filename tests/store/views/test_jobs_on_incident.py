"""An incident's page names the unfinished jobs that act on its events."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from orchestrator.domain.access.actor import login
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.start_on_events import start_discard_job
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import quarantine
from orchestrator.store.views.jobs import jobs_on_incident
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import accept_leads
from tests.plans import frozen

ADA = login("cli:ada")


def numbers(store: Store, incident: int, clients: Collection[str] | None = None) -> list[int]:
    with store.read() as tx:
        return [one.id for one in jobs_on_incident(tx, incident, clients=clients)]


def other_incident(store: Store) -> int:
    """The incident of an event that broke for another cause."""
    (event_id,) = accept_leads(store, 1, tier="gold")
    validate_leads(store)
    with store.read() as tx:
        its = select(quarantine.c.incident_id).where(quarantine.c.event_id == event_id)
        return int(tx.execute(its).scalar_one())


def test_a_job_of_a_plan_is_named_until_it_has_ended(store: Store) -> None:
    token = frozen(store, 3)
    other = other_incident(store)
    assert numbers(store, 1) == []

    job = start_plan_job(store, token, actor=ADA)

    assert numbers(store, 1) == numbers(store, 1, {"acme", "bolt"}) == [job]
    assert numbers(store, 1, {"bolt"}) == [], "what one may not see is not named"
    assert numbers(store, other) == []
    assert carry_out_next_job(store, keeper="host:1", lease_seconds=60) == job
    assert numbers(store, 1) == []


def test_a_job_on_events_is_named_where_one_of_its_next_events_is_of_the_incident(
    store: Store,
) -> None:
    frozen(store, 2)
    other = other_incident(store)
    job = start_discard_job(store, Selection(workflow="leads"), actor=ADA, why="test entries")

    assert numbers(store, 1) == numbers(store, other) == [job]
    discard_events(store, Selection(incident=other), why="by hand", actor=ADA)
    assert (numbers(store, 1), numbers(store, other)) == ([job], [])

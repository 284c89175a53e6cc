"""What nobody did tells that no keeper runs; what is being done, or need not be, does not."""

from __future__ import annotations

from sqlalchemy import update

from orchestrator.domain.incidents.incident import IncidentMove
from orchestrator.operations.incidents.keep_clocks import keep_clocks
from orchestrator.store.clocks.alerts import claim_alerts
from orchestrator.store.clocks.keeper_backlog import Neglected, count_neglected
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, incidents, quarantine
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from tests.keeper.stopped import stopped_leads


def keep(store: Store) -> None:
    keep_clocks(store, TermsShelf())


def left(store: Store) -> Neglected:
    with store.read() as tx:
        return count_neglected(tx, seconds=60)


def long_ago(store: Store) -> None:
    """All that there is happened, or was due, two minutes ago."""
    then = after(-120)
    with store.write() as tx:
        tx.execute(update(incidents).values(opened_at=then, recover_by=then))
        tx.execute(update(quarantine).values(recover_by=then))
        tx.execute(update(alerts).values(due_at=then))


def test_without_a_keeper_incidents_are_told_to_nobody_and_not_recorded_as_late(
    store: Store,
) -> None:
    stopped_leads(store, 3)
    assert left(store) == Neglected(alerts=0, untold=0, clocks=0)

    long_ago(store)

    assert left(store) == Neglected(alerts=0, untold=1, clocks=1)


def test_a_turn_of_a_keeper_leaves_nothing_but_what_is_to_be_sent(store: Store) -> None:
    stopped_leads(store, 3)
    long_ago(store)
    keep(store)
    assert left(store) == Neglected(alerts=0, untold=0, clocks=0)

    with store.write() as tx:
        tx.execute(update(alerts).values(due_at=after(-120)))
    assert left(store) == Neglected(alerts=2, untold=0, clocks=0)  # opened, and the first step

    with store.write() as tx:
        while claim_alerts(tx):
            pass
    assert left(store).alerts == 0


def test_an_incident_that_opened_again_is_told_again(store: Store) -> None:
    stopped_leads(store, 1)
    keep(store)
    with store.write() as tx:
        tx.execute(update(quarantine).values(released_at=after(0)))
    keep(store)
    stopped_leads(store, 1)
    long_ago(store)
    assert left(store).untold == 1

    keep(store)

    assert left(store).untold == 0


def test_what_was_resolved_is_missed_by_nobody(store: Store) -> None:
    stopped_leads(store, 1)
    long_ago(store)
    with store.write() as tx:
        move_incident(tx, 1, IncidentMove.RESOLVE, actor="cli:tester")

    assert left(store) == Neglected(alerts=0, untold=0, clocks=0)


def test_an_incident_whose_late_events_are_healed_is_not_late(store: Store) -> None:
    stopped_leads(store, 2)
    long_ago(store)
    with store.write() as tx:
        tx.execute(update(quarantine).values(recover_by=after(3_600)))

    assert left(store).clocks == 0

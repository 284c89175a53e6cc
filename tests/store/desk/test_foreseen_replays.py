"""A plain replay leaves out what would come straight back, and says what will be held."""

from __future__ import annotations

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.repair.amend import fix_events
from orchestrator.operations.replay.without_plan import Replayed, replay_events
from orchestrator.store.database.engine import Store
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import accept_leads, lead_workflow, publish_leads, renamed_lead

ALL = Selection(workflow="leads")


def quarantined(store: Store, count: int) -> list[str]:
    publish_leads(store)
    accepted = accept_batch(store, [renamed_lead(n) for n in range(count)], actor="key:test")
    validate_leads(store)
    return [one.id for one in accepted]


def fix(store: Store, *ids: str) -> None:
    changes = parse_amendments(["customer_tier=tier"], [], [])
    assert fix_events(store, Selection(ids=ids), changes, actor=login("cli:ana")).ids == list(ids)


def replay(store: Store, *, anyway: bool = False, dry_run: bool = False) -> Replayed:
    return replay_events(store, ALL, actor=login("cli:bob"), anyway=anyway, dry_run=dry_run)


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_would_be_refused_again_is_left_out_with_its_reason(
    store: Store, dry_run: bool
) -> None:
    fixed, broken = quarantined(store, 2)
    fix(store, fixed)

    done = replay(store, dry_run=dry_run)

    assert [one.id for one in done.events] == [fixed]
    (left,) = done.left_out
    assert (left.id, left.reason) == (broken, Reason.CONTRACT_VIOLATION)
    assert "tier" in str(left.detail)
    assert broken in [one.id for one in replay(store, anyway=True).events]


def test_what_may_end_the_process_that_decides_on_it_is_sent_and_not_tried(store: Store) -> None:
    publish_leads(store)
    (event_id,) = accept_leads(store, 1, tier="ghost")
    with store.write() as tx:
        quarantine_events(
            tx,
            [event_id],
            source=State.ACCEPTED,
            workflow=lead_workflow(),
            reason=Reason.START_LIMIT,
            detail="started 6 times",
            actor="relay",
        )

    done = replay(store)

    assert ([one.id for one in done.events], done.left_out) == ([event_id], [])


@pytest.mark.parametrize("circuit", ["acme/leads/crm", "fake", "fake.record"])
@pytest.mark.parametrize("anyway", [True, False])
def test_what_a_pause_will_hold_goes_on_its_way_and_is_said(
    store: Store, circuit: str, anyway: bool
) -> None:
    ids = quarantined(store, 3)
    fix(store, *ids)
    with store.write() as tx:
        pause_circuit(tx, circuit, actor="cli:ana", why="a migration")

    done = replay(store, anyway=anyway)

    assert len(done.events) == 3
    (held,) = done.held
    assert (held.name, held.events, held.by) == (circuit, 3, "cli:ana")

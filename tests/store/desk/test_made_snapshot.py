"""What of an event in quarantine was made, and how it is taken back."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries, events, quarantine
from orchestrator.store.desk.made_snapshot import MadeGround, made_grounds
from orchestrator.store.drive.take_back import recall_events
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.quarantine.workflows import require_live
from tests.leads import lead_workflow, routed_leads


def stopped(store: Store, reason: Reason, *, record: str | None, unknown: bool) -> str:
    """An event whose contact is made and whose ticket failed."""
    ids, epoch = routed_leads(store, tier="enterprise")
    failed = {"state": "failed", "reason": reason, "record_id": record, "unknown": unknown}
    with store.write() as tx:
        for name, values in (("crm", {"state": "confirmed", "record_id": "1"}), ("desk", failed)):
            tx.execute(update(deliveries).where(deliveries.c.name == name).values(**values))
        quarantine_events(
            tx,
            ids,
            source=State.ROUTED,
            workflow=lead_workflow(),
            reason=reason,
            detail="as it was told",
            actor="worker",
            epoch=epoch,
            destination="desk",
        )
    return ids[0]


def ground_of(store: Store, event_id: str) -> MadeGround | None:
    with store.read() as tx:
        return made_grounds(tx, [event_id]).get(event_id)


def test_a_record_that_differs_from_what_was_sent_counts_as_made(store: Store) -> None:
    event_id = stopped(store, Reason.HANDOFF_MISMATCH, record="7", unknown=True)

    ground = ground_of(store, event_id)

    assert ground is not None and ground.stopped
    made = {one.name: one.record_id for one in ground.deliveries.values()}
    assert made == {"crm": "1", "desk": "7"}


@pytest.mark.parametrize("record", [None, "7"])
def test_an_event_with_a_call_that_nobody_knows_the_outcome_of_is_for_a_replay(
    store: Store, record: str | None
) -> None:
    event_id = stopped(store, Reason.UNKNOWN_OUTCOME, record=record, unknown=True)

    assert ground_of(store, event_id) is None


def test_what_is_taken_back_of_it_is_the_only_thing_that_is_due(store: Store) -> None:
    event_id = stopped(store, Reason.DESTINATION_REFUSED, record=None, unknown=False)
    ground = ground_of(store, event_id)
    assert ground is not None
    assert [one.name for one in ground.deliveries.values()] == ["crm"]

    with store.write() as tx:
        moved = recall_events(
            tx,
            {event_id: ["crm"]},
            stopped={event_id},
            live=require_live(tx, "acme", "leads"),
            predecessors={},
            because="version 2 was rolled back",
            plan="a plan",
            actor="cli:tester",
        )

    assert moved == 1
    table = deliveries.c
    with store.read() as tx:
        rows = tx.execute(select(table.name, table.state, table.undo, table.due_at)).all()
        state = tx.execute(select(events.c.state)).scalar_one()
        stay = tx.execute(select(quarantine.c.outcome, quarantine.c.released_at)).one()
    found = {row.name: (row.state, bool(row.undo), row.due_at is None) for row in rows}
    assert found == {"crm": ("pending", True, False), "desk": ("pending", False, True)}
    assert (state, stay.outcome) == ("routed", "under_way")
    assert stay.released_at is not None

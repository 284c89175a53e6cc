"""A diagnosis reads a bounded sample of what broke, and what was delivered before and after it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import select, update

from orchestrator.domain.errors import Refused
from orchestrator.domain.event import Trigger
from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.repair.diagnose import diagnose, examine
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, payloads, quarantine
from orchestrator.store.desk.drift_samples import MOST_ACCEPTED, MOST_BROKEN
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.views.quarantine.selection import Selection
from orchestrator.store.views.quarantine.spread import spread
from tests.leads import lead, lead_workflow, publish_leads, renamed_lead

LEADS = Selection(client="acme", workflow="leads")


def accepted(store: Store, triggers: Sequence[Trigger]) -> list[str]:
    return [one.id for one in accept_batch(store, triggers, actor="key:test")]


def delivered(store: Store, count: int, **fields: str) -> list[str]:
    """Leads at their end."""
    ids = accepted(store, [lead(number, **fields) for number in range(count)])
    with store.write() as tx:
        done = update(events).where(events.c.id.in_(ids))
        tx.execute(done.values(state=State.DELIVERED, due_at=None))
    return ids


def broken(
    store: Store, triggers: Sequence[Trigger], reason: Reason = Reason.CONTRACT_VIOLATION
) -> list[str]:
    """Leads in quarantine."""
    ids = accepted(store, triggers)
    with store.write() as tx:
        quarantine_events(
            tx,
            ids,
            source=State.ACCEPTED,
            workflow=lead_workflow(),
            reason=reason,
            detail="it breaks the contract",
            actor="worker:validate",
        )
    return ids


def test_it_looks_at_what_was_delivered_before_and_after(store: Store) -> None:
    publish_leads(store)
    delivered(store, 3)
    broken(store, [renamed_lead(number) for number in range(4)])
    delivered(store, 2)

    (found,) = examine(store, LEADS)

    assert (found.events, found.broken, found.accepted) == (4, 4, 5)
    assert [one.told() for one in found.findings] == [
        "renamed: tier → customer_tier, in 4 of 4 events"
    ]


def test_samples_are_bounded_and_have_the_oldest_and_the_newest(store: Store) -> None:
    publish_leads(store)
    delivered(store, MOST_ACCEPTED + 20)
    half = MOST_BROKEN // 2
    broken(store, [renamed_lead(number) for number in range(half + 5)])
    broken(store, [lead(number, tier="gold") for number in range(half + 5)])

    (found,) = examine(store, LEADS)

    assert (found.events, found.broken) == (MOST_BROKEN + 10, MOST_BROKEN)
    assert 0 < found.accepted <= MOST_ACCEPTED
    assert {one.told() for one in found.findings} == {
        f"renamed: tier → customer_tier, in {half} of {MOST_BROKEN} events",
        f"new value: tier, in {half} of {MOST_BROKEN} events",
    }


def test_a_payload_that_a_person_mended_is_no_example_of_the_form(store: Store) -> None:
    publish_leads(store)
    ids = delivered(store, 2)
    with store.write() as tx:
        tx.execute(update(payloads).where(payloads.c.event_id == ids[0]).values(amended="{}"))
    broken(store, [renamed_lead()])

    (found,) = examine(store, LEADS)

    assert found.accepted == 1


def test_what_a_destination_refused_is_not_the_senders(store: Store) -> None:
    publish_leads(store)
    broken(store, [lead(1)], Reason.DESTINATION_REFUSED)

    assert diagnose(store, LEADS) == []
    with pytest.raises(Refused, match="does not lie in a payload"):
        diagnose(store, Selection(reason=Reason.DESTINATION_REFUSED))


def test_an_incident_is_diagnosed_by_its_number(store: Store) -> None:
    publish_leads(store)
    ids = {
        "renamed": broken(store, [renamed_lead()]),
        "gold": broken(store, [lead(1, tier="gold")], Reason.MISSING_FACT),
    }
    with store.read() as tx:
        stays = tx.execute(select(quarantine.c.event_id, quarantine.c.incident_id))
        known = {row.event_id: row.incident_id for row in stays}
    incidents = {name: known[some[0]] for name, some in ids.items()}

    kinds = {name: diagnose(store, number)[0].kind for name, number in incidents.items()}

    assert kinds == {"renamed": "renamed", "gold": "new_value"}
    assert diagnose(store, 1_000_000) == []


def test_more_workflows_than_one_answer_can_hold_are_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_leads(store)
    broken(store, [renamed_lead()])
    monkeypatch.setattr("orchestrator.operations.repair.diagnose.MOST_WORKFLOWS", 0)

    with pytest.raises(Refused, match="more than 0 workflows"):
        examine(store, Selection(reason=Reason.CONTRACT_VIOLATION))


def test_what_broke_is_looked_at_from_all_over_its_time(store: Store) -> None:
    publish_leads(store)
    broken(store, [renamed_lead(number) for number in range(300)])
    with store.read() as tx:
        stays = list(tx.execute(select(quarantine.c.id).order_by(quarantine.c.id)).scalars())
        chosen = spread(select(quarantine.c.event_id), 10)
        rows = tx.execute(chosen).all()
        few = tx.execute(spread(select(quarantine.c.event_id), 1_000)).all()

    assert {row.counted for row in rows} == {300}
    assert [stays.index(row.stay) for row in rows] == [
        29,
        59,
        89,
        119,
        149,
        179,
        209,
        239,
        269,
        299,
    ]
    assert len(few) == 300

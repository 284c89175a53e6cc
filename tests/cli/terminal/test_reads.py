"""What the commands read of the store, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from sqlalchemy import insert, update

from orchestrator.domain.lifecycle import State
from orchestrator.domain.reasons import Reason
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import dead_letters, events
from orchestrator.store.quarantine.actions import quarantine_events
from orchestrator.store.views.events.counts import count_late
from orchestrator.store.views.quarantine.dead_letters import list_dead_letters, show_dead_letter
from orchestrator.store.views.quarantine.list import count_reasons
from orchestrator.store.views.quarantine.selection import Selection
from tests.leads import accept_leads, lead_workflow, publish_leads


def test_causes_are_counted_for_a_selection_or_for_all(store: Store) -> None:
    publish_leads(store)
    one, two, _ = accept_leads(store, 3)
    with store.write() as tx:
        for event_id, reason in ((one, Reason.NO_ROUTE), (two, Reason.RULE_ERROR)):
            quarantine_events(
                tx,
                [event_id],
                source=State.ACCEPTED,
                workflow=lead_workflow(),
                reason=reason,
                detail="because",
                actor="worker",
            )

    with store.read() as tx:
        every = count_reasons(tx)
        chosen = count_reasons(tx, Selection(reason=Reason.NO_ROUTE, client="acme"))
        none = count_reasons(tx, Selection(client="globex"))

    assert {(row.reason, row.events) for row in every} == {("no_route", 1), ("rule_error", 1)}
    assert [row.reason for row in chosen] == ["no_route"]
    assert none == []


def test_an_event_is_late_when_it_has_long_been_due(store: Store) -> None:
    publish_leads(store)
    late, _ = accept_leads(store, 2)
    with store.write() as tx:
        tx.execute(update(events).where(events.c.id == late).values(due_at=after(-120)))

    with store.read() as tx:
        assert (count_late(tx, seconds=60), count_late(tx, seconds=600)) == (1, 0)


def test_dead_letters_are_read_as_they_were(store: Store) -> None:
    with store.write() as tx:
        tx.execute(
            insert(dead_letters).values(
                at=now_ms(), error="no such task", headers='{"id": 1}', body=b"\xff\x00"
            )
        )

    with store.read() as tx:
        (row,) = list_dead_letters(tx)
        whole = show_dead_letter(tx, row.id)
        none = show_dead_letter(tx, row.id + 1)

    assert (row.bytes, row.error, row.queue) == (2, "no such task", None)
    assert whole
    assert (whole.base64, whole.headers) == ("/wA=", {"id": 1})
    assert none is None

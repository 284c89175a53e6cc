"""The gate that everything shown of payloads goes through, on both databases."""

from __future__ import annotations

import pytest

from orchestrator.operations.access.allow import Clients
from orchestrator.operations.replay.judge import with_next_steps
from orchestrator.operations.replay.show_plan import show_plan
from orchestrator.presenting.documents import to_json
from orchestrator.presenting.personal.gate import NO_CLIENT, shown
from orchestrator.store.database.engine import Store
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.events.search import Wanted
from orchestrator.store.views.events.show import EventView, list_events, show_event
from orchestrator.store.views.quarantine.list import list_quarantine
from orchestrator.store.views.quarantine.selection import Selection
from tests.leads import TEXT as UNMARKED
from tests.leads import publish_leads
from tests.marked import EMAIL, SECRET, TEXT, Marked, accept_lead, fill_marked


@pytest.fixture
def marked(store: Store) -> Marked:
    return fill_marked(store)


def event(store: Store, event_id: str) -> EventView:
    with store.read() as tx:
        found = show_event(tx, event_id, with_payload=True)
    assert found
    return found


def told(store: Store, value: object) -> str:
    with store.read() as tx:
        return to_json(shown(tx, value, sees=NO_CLIENT).value).decode().casefold()


def test_no_view_of_a_marked_workflow_has_a_personal_value(store: Store, marked: Marked) -> None:
    with store.read() as tx:
        views = [
            [with_next_steps(tx, event(store, one)) for one in marked.events],
            {"a page": list_events(tx, Wanted())},
            list_quarantine(tx, Selection(workflow="leads")),
            list_audit(tx),
            show_plan(tx, marked.token, limit=50),
        ]
    for one in views:
        assert SECRET in to_json(one).decode().casefold()
        assert SECRET not in told(store, one)


def test_what_is_not_personal_is_shown(store: Store, marked: Marked) -> None:
    one = event(store, marked.delivered)
    with store.read() as tx:
        masked = shown(tx, one, sees=NO_CLIENT).value

    crm = next(delivery for delivery in masked.deliveries if delivery.destination == "crm")
    assert crm.send == {
        "email": "•••• (text, email)", "tier": "pro", "hi": "•••• (text, email)",
    }  # fmt: skip
    assert crm.record_id == "contact-••••"
    gifts = next(delivery for delivery in masked.deliveries if delivery.destination == "gifts")
    assert gifts.item == "•••• (text, name)"
    assert masked.content
    assert masked.content.payload == {
        "email": "•••• (text, email)", "tier": "pro", "consent": "•••• (true or false)",
        "lines": [{"giver": "•••• (text, name)"}],
    }  # fmt: skip


def test_a_reader_sees_the_clients_that_are_theirs_and_what_they_saw_is_said(
    store: Store, marked: Marked
) -> None:
    other = TEXT.replace("client: acme", "client: globex").replace("leads\n", "calls\n", 1)
    publish_leads(store, other.replace("lead.created", "call.made"))
    one = event(store, marked.broken)
    with store.read() as tx:
        all_of_it = shown(tx, [one], sees=Clients(names=None))
        theirs = shown(tx, [one], sees={"acme"})
        others = shown(tx, [one], sees={"globex"})

    assert all_of_it.value == theirs.value == [one]
    assert all_of_it.seen == theirs.seen == (marked.broken,)
    assert others.seen == ()
    assert SECRET not in to_json(others.value).decode()


def test_without_a_mark_nothing_is_masked_and_nobody_saw_anything(store: Store) -> None:
    publish_leads(store, UNMARKED)
    one = event(store, accept_lead(store, "1"))
    with store.read() as tx:
        found = shown(tx, one, sees=NO_CLIENT)

    assert found.value is one
    assert found.seen == ()


def test_a_mark_counts_from_the_version_that_has_it_and_for_what_ran_under_it(
    store: Store,
) -> None:
    unmarked = TEXT.replace("x-pii: email", "x-pii: false").replace(", x-pii: name", "")
    unmarked = unmarked.replace(", x-pii: true", "")
    publish_leads(store, unmarked)
    before = accept_lead(store, "before")
    publish_leads(store, TEXT)
    under = accept_lead(store, "under")
    assert EMAIL not in told(store, event(store, before))

    publish_leads(store, unmarked)
    assert EMAIL in told(store, event(store, before))
    assert EMAIL not in told(store, event(store, under))

"""A trigger is committed before it is answered, and can be followed by its id."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.operations.access.keys import create_key
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.show import EventRow, list_events, show_event
from tests.api.doors import LEAD, RunningDoor, open_door
from tests.leads import claim_groups, drive_to_routed, publish_leads


@pytest.fixture
def either(store: Store) -> Iterator[RunningDoor]:
    """A door before each kind of store."""
    publish_leads(store)
    with open_door(store) as opened:
        yield opened


def events(store: Store) -> list[EventRow]:
    with store.read() as tx:
        return list_events(tx)


def test_an_accepted_trigger_is_in_the_store(either: RunningDoor, store: Store) -> None:
    answer = either.emit(idempotency_key="form-1")

    assert answer.status_code == 202
    event_id = answer.json()["id"]
    assert answer.json() == {"id": event_id, "duplicate": False}
    with store.read() as tx:
        event = show_event(tx, event_id, with_payload=True)
    assert event
    assert event.content and event.content.payload == LEAD
    assert (event.client, event.idempotency_key) == ("acme", "form-1")
    assert event.history[0].actor == f"key:{either.key.split('_')[1]}"


def test_the_same_trigger_again_is_the_same_event(either: RunningDoor, store: Store) -> None:
    first = either.emit(idempotency_key="form-1")
    again = either.emit(data={"tier": "pro", "email": "ada@example.com"}, idempotency_key="form-1")

    assert again.status_code == 202
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    assert len(events(store)) == 1


def test_without_a_key_every_trigger_is_an_event_of_its_own(
    either: RunningDoor, store: Store
) -> None:
    one, other = either.emit(), either.emit()

    assert one.json()["id"] != other.json()["id"]
    assert len(events(store)) == 2


def test_a_batch_is_answered_item_by_item(either: RunningDoor, store: Store) -> None:
    known = either.emit(idempotency_key="form-2").json()["id"]
    triggers = [
        {"type": "lead.created", "data": LEAD, "idempotency_key": f"form-{number}"}
        for number in (1, 2, 3, 3)
    ]

    answer = either.emit_batch(triggers)

    assert answer.status_code == 202
    one, two, three, again = answer.json()["events"]
    assert two == {"id": known, "duplicate": True}
    assert again == {"id": three["id"], "duplicate": True}
    assert (one["duplicate"], three["duplicate"]) == (False, False)
    assert len(events(store)) == 3


def test_a_batch_of_duplicates_is_accepted_too(door: RunningDoor) -> None:
    triggers = [{"type": "lead.created", "data": LEAD, "idempotency_key": "form-1"}]
    door.emit_batch(triggers)

    answer = door.emit_batch(triggers)

    assert answer.status_code == 202
    assert [one["duplicate"] for one in answer.json()["events"]] == [True]


def test_a_batch_is_accepted_whole_or_not_at_all(either: RunningDoor, store: Store) -> None:
    either.emit(idempotency_key="form-1")
    other_lead = {**LEAD, "tier": "enterprise"}

    answer = either.emit_batch(
        [
            {"type": "lead.created", "data": LEAD, "idempotency_key": "form-7"},
            {"type": "lead.created", "data": other_lead, "idempotency_key": "form-1"},
        ]
    )

    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["index"]) == ("idempotency_conflict", 1)
    assert len(events(store)) == 1


def test_null_is_data_too(door: RunningDoor) -> None:
    assert door.emit(data=None).status_code == 202


def test_an_event_can_be_followed_by_its_id(door: RunningDoor) -> None:
    event_id = door.emit(idempotency_key="form-1").json()["id"]

    answer = door.get(f"/v1/events/{event_id}")

    event = answer.json()
    assert answer.status_code == 200
    assert (event["id"], event["state"], event["stage"]) == (event_id, "accepted", "validate")
    assert (event["reason"], event["deliveries"]) == (None, [])
    assert [one["action"] for one in event["history"]] == ["accept"]
    assert "ada@example.com" not in answer.text  # the payload stays in the store


def test_deliveries_are_shown_without_what_they_send(door: RunningDoor, leads: Store) -> None:
    event_id = door.emit().json()["id"]
    (group,) = claim_groups(leads)
    drive_to_routed(leads, group)

    answer = door.get(f"/v1/events/{event_id}")

    (delivery,) = answer.json()["deliveries"]
    assert (delivery["destination"], delivery["state"]) == ("crm", "pending")
    assert "ada@example.com" not in answer.text


def test_the_event_of_another_client_is_not_to_be_seen(door: RunningDoor, leads: Store) -> None:
    event_id = door.emit().json()["id"]
    stranger = create_key(leads, clients=["globex"], label="globex", actor=login("cli:tester"))

    answer = door.get(f"/v1/events/{event_id}", key=stranger)

    assert answer.status_code == 404
    assert answer.json() == door.get("/v1/events/unknown", key=stranger).json()


def test_an_event_is_not_shown_without_a_key(door: RunningDoor) -> None:
    event_id = door.emit().json()["id"]

    assert door.ask("GET", f"/v1/events/{event_id}").status_code == 401

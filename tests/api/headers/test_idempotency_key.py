"""The key of one plain trigger may come as a header."""

from __future__ import annotations

import json

import pytest

from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.show import show_event
from tests.api.doors import LEAD, RunningDoor, problem

PLAIN = json.dumps({"type": "lead.created", "data": LEAD}).encode()
KEYED = json.dumps({"type": "lead.created", "data": LEAD, "idempotency_key": "form-1"}).encode()
EVENT = {"specversion": "1.0", "type": "lead.created", "source": "/f", "id": "1", "data": LEAD}


@pytest.mark.parametrize(
    ("header", "key"),
    [("form-1", "form-1"), ('"form-1"', "form-1"), (r'"a\"b\\c"', 'a"b\\c')],
)
def test_the_header_is_the_key_quoted_or_bare(
    door: RunningDoor, leads: Store, header: str, key: str
) -> None:
    answer = door.post_raw(PLAIN, idempotency_key=header)

    assert answer.status_code == 202
    with leads.read() as tx:
        event = show_event(tx, answer.json()["id"])
    assert event and event.idempotency_key == key


def test_the_header_and_the_body_make_the_same_event(door: RunningDoor) -> None:
    first = door.post_raw(PLAIN, idempotency_key='"form-1"')
    by_body = door.post_raw(KEYED)
    by_both = door.post_raw(KEYED, idempotency_key="form-1")

    assert by_body.json() == by_both.json() == {"id": first.json()["id"], "duplicate": True}


def test_two_keys_that_differ_are_refused(door: RunningDoor) -> None:
    document = problem(door.post_raw(KEYED, idempotency_key="form-2"), 422, "invalid_trigger")

    assert (document["field"], "another key" in document["detail"]) == ("Idempotency-Key", True)


@pytest.mark.parametrize("header", ["", '""', '"open', 'a"b', "x" * 401, "caf\u00e9".encode()])
def test_a_header_that_can_be_no_key_is_refused(door: RunningDoor, header: str | bytes) -> None:
    headers = [
        *door.authorization().items(),
        ("content-type", "application/json"),
        ("idempotency-key", header),
    ]
    answer = door.ask("POST", "/v1/events", content=PLAIN, headers=headers)

    assert problem(answer, 422, "invalid_trigger")["field"] == "Idempotency-Key"


def test_a_header_that_comes_twice_is_refused(door: RunningDoor) -> None:
    headers = [
        *door.authorization().items(),
        ("content-type", "application/json"),
        ("idempotency-key", "a"),
        ("idempotency-key", "a"),
    ]
    answer = door.ask("POST", "/v1/events", content=PLAIN, headers=headers)

    assert "twice" in problem(answer, 422, "invalid_trigger")["detail"]


def test_batches_and_cloud_events_have_keys_of_their_own(door: RunningDoor) -> None:
    batch = door.post_raw(
        b"[" + PLAIN + b"]",
        content_type="application/vnd.meshline.batch+json",
        idempotency_key="form-1",
    )
    each = door.post_raw(
        b"[" + PLAIN + b"]",
        content_type="application/vnd.meshline.batch+json",
        idempotency_key="form-1",
        prefer="outcome=each",
    )
    event = door.post_raw(
        json.dumps(EVENT).encode(),
        content_type="application/cloudevents+json",
        idempotency_key="form-1",
    )

    for answer in (batch, each, event):
        assert problem(answer, 422, "invalid_trigger")["field"] == "Idempotency-Key"

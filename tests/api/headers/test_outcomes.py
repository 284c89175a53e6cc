"""A batch is taken whole or not at all; or, where its sender prefers that, each by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.show import list_events
from tests.api.doors import LEAD, RunningDoor, open_door, problem
from tests.leads import publish_leads

PLAIN = "application/vnd.meshline.batch+json"
EVENTS = "application/cloudevents-batch+json"


@pytest.fixture
def either(store: Store) -> Iterator[RunningDoor]:
    """A door before each kind of store."""
    publish_leads(store)
    with open_door(store) as opened:
        yield opened


def lead(**fields: object) -> dict[str, object]:
    return {"type": "lead.created", "data": LEAD, **fields}


def each(
    door: RunningDoor, items: object, prefer: str = "outcome=each", kind: str = PLAIN
) -> httpx.Response:
    return door.post_raw(json.dumps(items).encode(), content_type=kind, prefer=prefer)


def test_each_trigger_has_its_outcome_at_its_place(either: RunningDoor, store: Store) -> None:
    known = either.emit(idempotency_key="form-1").json()["id"]

    answer = each(
        either,
        [
            lead(idempotency_key="form-2"),
            lead(idempotency_key="form-1"),
            lead(idempotency_key="form-1", data={**LEAD, "tier": "enterprise"}),
            lead(type="lead.gone"),
            lead(client="globex"),
            "no trigger",
            lead(idempotency_key="form-3"),
        ],
    )

    assert (answer.status_code, answer.headers["preference-applied"]) == (207, "outcome=each")
    outcomes = answer.json()["events"]
    assert [one["status"] for one in outcomes] == [202, 202, 409, 422, 403, 422, 202]
    assert outcomes[1] == {"status": 202, "id": known, "duplicate": True}
    assert [one["problem"]["code"] for one in outcomes if "problem" in one] == [
        "idempotency_conflict", "unknown_trigger", "client_not_permitted", "invalid_trigger",
    ]  # fmt: skip
    with store.read() as tx:
        stored = {event.id for event in list_events(tx)}
    assert stored == {one["id"] for one in outcomes if one["status"] == 202}


def test_of_two_that_conflict_the_first_is_taken(door: RunningDoor) -> None:
    other = {**LEAD, "tier": "enterprise"}
    items = [lead(idempotency_key="a"), lead(idempotency_key="a", data=other)]

    assert [one["status"] for one in each(door, items).json()["events"]] == [202, 409]


def test_what_is_no_strict_json_is_refused_alone(door: RunningDoor) -> None:
    body = b'[{"type": "lead.created", "data": NaN}, ' + json.dumps(lead()).encode() + b"]"

    answer = door.post_raw(body, content_type=PLAIN, prefer="outcome=each")

    assert [one["status"] for one in answer.json()["events"]] == [400, 202]


def test_a_batch_that_cannot_be_cut_into_triggers_is_refused_whole(door: RunningDoor) -> None:
    for body in (b"{}", b"[]", b'[{"type": '):
        assert door.post_raw(body, content_type=PLAIN, prefer="outcome=each").status_code in (
            400,
            422,
        )


def test_cloud_events_have_outcomes_too(door: RunningDoor) -> None:
    event = {"specversion": "1.0", "type": "lead.created", "source": "/f", "id": "1", "data": LEAD}

    answer = each(door, [event, {**event, "id": ""}], kind=EVENTS)

    assert [one["status"] for one in answer.json()["events"]] == [202, 422]


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ('respond-async, Outcome="each"; foo=bar', True),
        ("wait=5,outcome=each", True),
        ("outcome=all", False),
        ("outcome", False),
        ("outcome=all, outcome=each", False),
        ('note="outcome=each"', False),
    ],
)
def test_only_the_preference_that_is_known_is_applied(
    door: RunningDoor, prefer: str, applied: bool
) -> None:
    answer = each(door, [lead(), lead(type="lead.gone")], prefer)

    assert answer.status_code == (207 if applied else 422)
    assert ("preference-applied" in answer.headers) is applied


def test_a_single_trigger_has_nothing_to_prefer(door: RunningDoor) -> None:
    answer = door.post_raw(json.dumps(lead()).encode(), prefer="outcome=each")

    assert (answer.status_code, "preference-applied" in answer.headers) == (202, False)


def test_a_store_that_takes_nothing_refuses_the_request(leads: Store) -> None:
    with open_door(leads, Settings(stop_seconds=5)) as door:
        leads.engine.dispose()
        name = leads.url.database or ""
        with open(name, "r+b") as file:  # noqa: PTH123 - the header of the database is spoilt
            file.write(b"\0" * 100)
        answer = each(door, [lead(), lead()])

    problem(answer, 503, "store_unavailable")

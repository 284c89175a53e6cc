"""The trace that an event belongs to is kept with it, and never costs an event."""

from __future__ import annotations

import json

import httpx
import pytest

from orchestrator.domain.access.actor import login
from orchestrator.operations.erase_events import Wanted, erase_events
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.show import TraceOfEvent, show_event
from tests.api.doors import LEAD, RunningDoor

TRACE, OTHER, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "a" * 32, "00f067aa0ba902b7"
HEADER = f"00-{TRACE}-{PARENT}-01"
OWN = f"00-{OTHER}-{PARENT}-00"
PLAIN = {"type": "lead.created", "data": LEAD}
CLOUD = {"specversion": "1.0", "type": "lead.created", "source": "/f", "id": "1", "data": LEAD}


def post(door: RunningDoor, body: object, kind: str = "json", **headers: str) -> httpx.Response:
    names = {"content_type": f"application/{kind}", "traceparent": HEADER, **headers}
    answer = door.post_raw(json.dumps(body).encode(), **names)
    assert answer.status_code in (202, 207), answer.text
    return answer


def trace_of(store: Store, event_id: str) -> TraceOfEvent | None:
    with store.read() as tx:
        event = show_event(tx, event_id)
    assert event is not None
    return event.trace


def test_the_trace_of_a_request_is_kept_with_its_event_and_erased_with_it(
    door: RunningDoor, leads: Store
) -> None:
    event_id = post(door, PLAIN, tracestate="rojo=1").json()["id"]

    kept = TraceOfEvent(trace_id=TRACE, parent_id=PARENT, sampled=True, spans={})
    assert trace_of(leads, event_id) == kept
    me = login("cli:tester")
    erase_events(leads, Wanted(ids=(event_id,)), why="asked for", actor=me, discard=True)
    assert trace_of(leads, event_id) is None


def test_each_event_of_a_batch_may_have_its_own(door: RunningDoor, leads: Store) -> None:
    batch = [PLAIN, {**PLAIN, "traceparent": OWN}, {**PLAIN, "traceparent": "nonsense"}]

    whole = post(door, batch, "vnd.meshline.batch+json").json()["events"]
    each = post(door, batch, "vnd.meshline.batch+json", prefer="outcome=each").json()["events"]

    for some in (whole, each):
        found = [trace_of(leads, one["id"]) for one in some]
        assert [one and one.trace_id for one in found] == [TRACE, OTHER, TRACE]


@pytest.mark.parametrize("kind", ["cloudevents+json", "json"])
def test_the_extension_of_a_cloud_event_goes_before_the_header(
    door: RunningDoor, leads: Store, kind: str
) -> None:
    if kind == "json":  # in binary mode the attributes are headers
        rest = {f"ce_{name}": str(said) for name, said in CLOUD.items() if name != "data"}
        answer = post(door, LEAD, kind, ce_traceparent=OWN, **rest)
    else:
        answer = post(door, {**CLOUD, "traceparent": OWN}, kind)

    found = trace_of(leads, answer.json()["id"])
    assert found is not None and found.trace_id == OTHER and not found.sampled


@pytest.mark.parametrize("header", ["nonsense", f"ff{HEADER[2:]}", f"00-{'0' * 32}-{PARENT}-01"])
def test_a_bad_header_is_no_trace_and_no_refusal(
    door: RunningDoor, leads: Store, header: str
) -> None:
    answer = post(door, PLAIN, traceparent=header, tracestate="also,bad")

    assert trace_of(leads, answer.json()["id"]) is None


def test_a_repeat_in_another_trace_is_the_same_event(door: RunningDoor, leads: Store) -> None:
    first = post(door, {**PLAIN, "idempotency_key": "k-1"}).json()
    again = post(door, {**PLAIN, "idempotency_key": "k-1", "traceparent": OWN}).json()

    assert again == {"id": first["id"], "duplicate": True}
    found = trace_of(leads, first["id"])
    assert found is not None and found.trace_id == TRACE

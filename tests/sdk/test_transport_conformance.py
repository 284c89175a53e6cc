"""What a producer promises, over every transport that is shipped."""

from __future__ import annotations

import json

import pytest

import meshline
from meshline import Event, Misconfigured, Refused, Unreachable
from meshline.testing import RecordingTransport
from tests.sdk.conftest import MakeProducer

LEAD = {"email": "jo@shop.example", "tier": "pro"}


@pytest.fixture(params=["over_http", "in_memory"])
def producer_with(request: pytest.FixtureRequest) -> MakeProducer:
    made: MakeProducer = request.getfixturevalue(request.param)
    return made


def test_a_trigger_arrives_as_it_was_given(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    emitted = producer_with().emit("lead.created", LEAD, client="acme", idempotency_key="form-1")

    assert door.events == [Event("lead.created", LEAD, client="acme", idempotency_key="form-1")]
    assert emitted.id == "event-1"
    assert not emitted.duplicate


def test_the_key_goes_with_it_and_nothing_that_was_not_given(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    producer_with().emit("lead.created", LEAD)

    (request,) = door.requests
    assert request.path == "/v1/events"
    assert request.headers["Authorization"] == "Bearer secret-key"
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body).keys() == {"type", "data", "idempotency_key"}


def test_the_same_key_again_is_said_to_be_a_duplicate(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    producer = producer_with()
    first = producer.emit("lead.created", LEAD, idempotency_key="form-1")
    second = producer.emit("lead.created", LEAD, idempotency_key="form-1")

    assert second.id == first.id
    assert second.duplicate
    assert len(door.events) == 1


def test_two_triggers_without_a_key_are_two_events(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    producer = producer_with()
    producer.emit("lead.created", LEAD)
    producer.emit("lead.created", LEAD)

    assert len(door.events) == 2


def test_an_answer_that_was_lost_does_not_double_the_trigger(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next(after_taking=True, times=2)

    emitted = producer_with().emit("lead.created", LEAD)

    assert emitted.duplicate  # an earlier attempt of the same call had brought it in
    assert len(door.events) == 1
    assert len({json.loads(one.body)["idempotency_key"] for one in door.requests}) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again(
    producer_with: MakeProducer, door: RecordingTransport, status: int
) -> None:
    door.answer_next(status, times=2)

    assert producer_with().emit("lead.created", LEAD).id == "event-1"
    assert len(door.requests) == 3


def test_the_door_may_say_when_to_come_back(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    door.answer_next(503, headers={"Retry-After": "7"})

    producer_with(deadline=60).emit("lead.created", LEAD)

    assert door.pauses == [7.0]


def test_a_wait_beyond_the_deadline_is_not_begun(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    door.answer_next(429, headers={"Retry-After": "3600"})

    with pytest.raises(Unreachable) as gave_up:
        producer_with(deadline=60).emit("lead.created", LEAD)

    assert gave_up.value.retry_after == 3600
    assert door.pauses == []


def test_patience_ends_and_the_error_holds_the_key_for_a_later_repeat(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    door.cut_next(after_taking=True)
    door.answer_next(
        503, problem={"detail": "the store does not answer", "code": "store_unavailable"}, times=2
    )
    producer = producer_with(attempts=3, deadline=60)

    with pytest.raises(Unreachable, match=r"3 attempts.*the store does not answer") as gave_up:
        producer.emit("lead.created", LEAD)

    assert len(door.requests) == 3
    again = producer.emit("lead.created", LEAD, idempotency_key=gave_up.value.idempotency_key)
    assert again.duplicate
    assert len(door.events) == 1


def test_a_refusal_says_what_where_and_the_fix_and_is_not_repeated(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    problem = {
        "code": "unknown_trigger",
        "detail": "no live workflow takes lead.creatd",
        "field": "type",
        "fix": "use lead.created",
        "errors": [{"field": "type"}],
    }
    door.answer_next(422, problem=problem)

    with pytest.raises(Refused) as refused:
        producer_with().emit("lead.creatd", LEAD)

    assert refused.value.status == 422
    assert refused.value.code == "unknown_trigger"
    assert refused.value.errors == ({"field": "type"},)
    assert str(refused.value) == ("type: no live workflow takes lead.creatd; use lead.created")
    assert len(door.requests) == 1


def test_the_same_key_with_another_payload_is_refused(producer_with: MakeProducer) -> None:
    producer = producer_with()
    producer.emit("lead.created", LEAD, idempotency_key="form-1")

    with pytest.raises(Refused) as refused:
        producer.emit("lead.created", {"email": "another"}, idempotency_key="form-1")

    assert refused.value.code == "idempotency_conflict"
    assert refused.value.field == "idempotency_key"


@pytest.mark.parametrize("body", [b"<html>Sign in to the network</html>", b"{}", b'"yes"', b"\xff"])
def test_what_is_no_answer_of_a_door_is_not_taken_for_one(
    producer_with: MakeProducer, door: RecordingTransport, body: bytes
) -> None:
    door.answer_next(200, body=body)

    with pytest.raises(Misconfigured, match="not a Meshline door"):
        producer_with().emit("lead.created", LEAD)


def test_a_redirect_is_not_followed(producer_with: MakeProducer, door: RecordingTransport) -> None:
    door.answer_next(308, headers={"Location": "http://elsewhere.example/"})

    with pytest.raises(Misconfigured, match=r"elsewhere\.example") as refused:
        producer_with().emit("lead.created", LEAD)

    assert refused.value.field == "url"
    assert len(door.requests) == 1


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_an_answer_that_is_not_a_doors_blames_the_way_and_not_the_event(
    producer_with: MakeProducer, door: RecordingTransport, status: int
) -> None:
    door.answer_next(status, body=b"<h1>nginx</h1>")

    with pytest.raises(Misconfigured, match=str(status)) as wrong:
        producer_with().emit("lead.created", LEAD, idempotency_key="form-1")

    assert wrong.value.status == status
    assert wrong.value.code == "not_a_door"
    assert wrong.value.idempotency_key == "form-1"
    assert len(door.requests) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "key_refused"), (403, "client_not_permitted"), (404, "not_found"), (405, "x")],
)
def test_a_key_or_an_address_that_is_wrong_is_not_the_events_fault(
    producer_with: MakeProducer, door: RecordingTransport, status: int, code: str
) -> None:
    door.answer_next(status, problem={"code": code, "detail": "no", "field": "f", "fix": "do"})

    with pytest.raises(Misconfigured, match="f: no; do") as wrong:
        producer_with().emit("lead.created", LEAD, idempotency_key="form-1")

    assert (wrong.value.status, wrong.value.code) == (status, code)
    assert wrong.value.idempotency_key == "form-1"


def test_every_error_holds_the_key_that_makes_a_repeat_safe(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    door.answer_next(422, problem={"code": "unknown_trigger", "detail": "no"})

    with pytest.raises(Refused) as refused:
        producer_with().emit("lead.created", LEAD)

    assert refused.value.idempotency_key == json.loads(door.requests[0].body)["idempotency_key"]


def test_of_many_the_one_that_is_refused_is_named_with_its_key(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    events = [Event("lead.created", LEAD, idempotency_key=f"form-{one}") for one in range(3)]
    door.answer_next(422, problem={"code": "unknown_trigger", "detail": "no", "index": 1})

    with pytest.raises(Refused) as refused:
        producer_with().emit_many(events)

    assert refused.value.index == 1
    assert refused.value.idempotency_key == "form-1"


def test_each_request_says_which_release_sends_it(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    producer_with().emit("lead.created", LEAD)

    assert door.requests[0].headers["User-Agent"] == f"meshline-python/{meshline.__version__}"


def test_many_triggers_go_in_batches_and_come_back_in_order(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    events = [Event("lead.created", {"number": number}) for number in range(1_201)]

    emitted = producer_with().emit_many(iter(events))

    assert door.events == events
    assert [one.id for one in emitted] == [f"event-{number}" for number in range(1, 1_202)]
    assert [len(json.loads(one.body)) for one in door.requests] == [500, 500, 201]
    assert {one.headers["Content-Type"] for one in door.requests} == {
        "application/vnd.meshline.batch+json"
    }


def test_a_batch_stays_below_four_mebibytes(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    events = [Event("note", "x" * 1_000_000) for _ in range(10)]

    producer_with().emit_many(events)

    assert [len(json.loads(one.body)) for one in door.requests] == [4, 4, 2]


def test_no_triggers_are_no_request(producer_with: MakeProducer, door: RecordingTransport) -> None:
    assert producer_with().emit_many([]) == []
    assert door.requests == []


def test_a_batch_that_fails_says_what_was_in_before_and_can_be_sent_again(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    events = [Event("lead.created", {"number": number}) for number in range(600)]
    taken = [{"id": f"earlier-{number}", "duplicate": False} for number in range(500)]
    door.answer_next(202, body=json.dumps({"events": taken}).encode())
    door.answer_next(413, problem={"code": "payload_too_large", "detail": "the batch is too large"})
    producer = producer_with()

    with pytest.raises(Refused) as refused:
        producer.emit_many(events)
    again = producer.emit_many(events)

    assert [one.id for one in refused.value.emitted] == [one["id"] for one in taken]
    assert len(again) == 600
    assert door.events == events  # with the keys that they had the first time


def test_an_answer_for_fewer_than_were_sent_is_not_taken(
    producer_with: MakeProducer, door: RecordingTransport
) -> None:
    door.answer_next(202, body=b'{"events": [{"id": "a", "duplicate": false}]}')

    with pytest.raises(Misconfigured, match="not a Meshline door"):
        producer_with().emit_many([Event("a", 1), Event("b", 2)])

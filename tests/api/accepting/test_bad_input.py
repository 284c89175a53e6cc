"""Bad input gets one clear problem document, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.api.problems import STATUS, problem_of
from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import MeshlineError, Refused
from orchestrator.operations.access.keys import create_key
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.counts import count_states
from tests.api.doors import LEAD, RunningDoor, leads_store, open_door, problem


@pytest.fixture(scope="module")
def leads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all: what is refused leaves it as it was."""
    with leads_store(tmp_path_factory.mktemp("leads")) as store:
        yield store


@pytest.fixture(scope="module")
def door(leads: Store) -> Iterator[RunningDoor]:
    with open_door(leads) as opened:
        yield opened


@pytest.fixture(autouse=True)
def nothing_is_left(leads: Store) -> Iterator[None]:
    """Whatever was refused left no event."""
    yield
    with leads.read() as tx:
        assert sum(count_states(tx).values()) == 0


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "empty"),
        (b"{", "line 1, column 2"),
        (b"{'type': 'x'}", "double quotes"),
        (b'{"type": "lead.created", "data": {"tier": NaN}}', "NaN"),
        (b'{"type": "lead.created", "data": {"tier": Infinity}}', "Infinity"),
        (b'{"type": "lead.created", "data": {"n": 1e999}}', "1e999"),
        (b'{"type": "lead.created", "data": {"n": 18446744073709551616}}', "64 bits"),
        (b'{"type": "lead.created", "data": {"tier": "pro", "tier": "enterprise"}}', '"tier"'),
        (b'{"type": "lead.created", "data": {"name": "\xff"}}', "UTF-8"),
        (b'{"type": "lead.created", "data": {"name": "\\ud800"}}', "surrogate"),
        (b'{"type": "lead.created", "data": ' + b"[" * 90 + b"]" * 90 + b"}", "deeper"),
        (b"[" * 200_000, "deeper"),
        (b'{"type": "lead.created", "data": {}} {}', "line 1, column 38"),
    ],
)
def test_what_is_not_strict_json_is_refused(door: RunningDoor, body: bytes, told: str) -> None:
    document = problem(door.post_raw(body), 400, "invalid_json")

    assert document["field"] == "body"
    assert told in document["detail"] + document["fix"]


@pytest.mark.parametrize(
    ("trigger", "field"),
    [
        ("lead.created", "body"),
        ([], "body"),
        ({"data": LEAD}, "type"),
        ({"type": "lead.created"}, "data"),
        ({"type": 7, "data": LEAD}, "type"),
        ({"type": "", "data": LEAD}, "type"),
        ({"type": "x" * 256, "data": LEAD}, "type"),
        ({"type": "lead\ncreated", "data": LEAD}, "type"),
        ({"type": "lead.created", "data": LEAD, "idempotency_key": ""}, "idempotency_key"),
        ({"type": "lead.created", "data": LEAD, "idempotency_key": None}, "idempotency_key"),
        ({"type": "lead.created", "data": LEAD, "idempotency_key": 12}, "idempotency_key"),
        ({"type": "lead.created", "data": LEAD, "idempotency_key": "k" * 401}, "idempotency_key"),
        ({"type": "lead.created", "data": LEAD, "idempotency_key": "a\x00b"}, "idempotency_key"),
        ({"type": "lead.created", "data": LEAD, "client": ["acme"]}, "client"),
        ({"type": "lead.created", "data": LEAD, "client": None}, "client"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(door: RunningDoor, trigger: object, field: str) -> None:
    assert problem(door.post(trigger), 422, "invalid_trigger")["field"] == field


def test_an_unknown_field_is_named_with_the_one_it_resembles(door: RunningDoor) -> None:
    answer = door.emit(idempotencyKey="form-1")

    document = problem(answer, 422, "invalid_trigger")
    assert document["field"] == "idempotencyKey"
    assert "`idempotency_key`" in document["fix"]


def test_an_unknown_type_is_refused_with_the_nearest_one(door: RunningDoor) -> None:
    document = problem(door.emit(type="lead.create"), 422, "unknown_trigger")

    assert document["field"] == "type"
    assert "'lead.created'" in document["fix"]


def test_a_client_that_the_key_does_not_serve_is_refused(door: RunningDoor) -> None:
    document = problem(door.emit(client="globex"), 403, "client_not_permitted")

    assert document["field"] == "client"


def test_a_key_of_two_clients_needs_the_client_named(door: RunningDoor, leads: Store) -> None:
    key = create_key(leads, clients=["acme", "globex"], label="two", actor=login("cli:tester"))

    answer = door.post({"type": "lead.created", "data": LEAD}, key=key)

    assert "acme" in problem(answer, 403, "client_not_permitted")["fix"]


def test_an_empty_batch_is_refused(door: RunningDoor) -> None:
    assert problem(door.emit_batch([]), 422, "invalid_trigger")["field"] == "body"


def test_a_batch_that_is_no_array_is_refused(door: RunningDoor) -> None:
    answer = door.post({}, content_type="application/vnd.meshline.batch+json")

    assert problem(answer, 422, "invalid_trigger")["field"] == "body"


def test_the_bad_one_of_a_batch_is_named_by_its_place(door: RunningDoor) -> None:
    good = {"type": "lead.created", "data": LEAD}

    wrong = door.emit_batch([good, good, {"type": "lead.created"}])
    unknown = door.emit_batch([good, {**good, "type": "lead.gone"}])

    document = problem(wrong, 422, "invalid_trigger")
    assert (document["index"], document["field"]) == (2, "data")
    assert problem(unknown, 422, "unknown_trigger")["index"] == 1


def test_one_trigger_alone_has_no_place(door: RunningDoor) -> None:
    assert "index" not in problem(door.emit(type="lead.gone"), 422, "unknown_trigger")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/cloudevents+xml",
        "application/json; charset=utf-16",
    ],
)
def test_another_content_type_is_refused(door: RunningDoor, content_type: str) -> None:
    answer = door.post_raw(b"{}", content_type=content_type)

    document = problem(answer, 415, "unsupported_content")
    assert document["field"] == "Content-Type"


def test_a_body_without_a_content_type_is_refused(door: RunningDoor) -> None:
    answer = door.ask("POST", "/v1/events", content=b"{}", headers=door.authorization())

    assert "is not said" in problem(answer, 415, "unsupported_content")["detail"]


def test_a_body_in_a_coding_that_is_not_read_is_refused(door: RunningDoor) -> None:
    answer = door.post_raw(b"{}", content_encoding="br")

    assert problem(answer, 415, "unsupported_content")["field"] == "Content-Encoding"


def test_utf_8_may_be_said(leads: Store, door: RunningDoor) -> None:
    answer = door.post_raw(b"[]", content_type='application/json; charset="UTF-8"')

    problem(answer, 422, "invalid_trigger")


def test_other_addresses_and_methods_have_problem_documents_too(door: RunningDoor) -> None:
    problem(door.ask("GET", "/nowhere"), 404, "not_found")
    problem(door.ask("POST", "/v1/events/"), 404, "not_found")
    answer = door.ask("DELETE", "/v1/events")
    assert "POST" in problem(answer, 405, "method_not_allowed")["fix"]
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_what_nobody_foresaw_is_told_by_an_id_alone(caplog: pytest.LogCaptureFixture) -> None:
    answer = problem_of(ValueError("a secret of the inside"))

    assert answer.status_code == 500
    assert b"secret" not in answer.body
    (record,) = caplog.records
    incident = record.getMessage().split()[-1]
    assert incident.encode() in answer.body
    assert record.exc_info
    assert "a secret of the inside" in str(record.exc_info[1])


def test_every_code_that_the_door_can_answer_has_a_status() -> None:
    elsewhere = {  # raised only where no request leads
        "refused", "batch_refused", "illegal_move", "invalid_file", "workflow_conflict",
        "nothing_to_change",
    }  # fmt: skip
    codes = {one.code for one in every_class_under(Refused) if "code" in vars(one)}

    assert codes - elsewhere <= set(STATUS)


def every_class_under(top: type[MeshlineError]) -> set[Any]:
    return {top}.union(*(every_class_under(one) for one in top.__subclasses__()))

"""Too large, too many, too slow: refused early, and in words."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from functools import partial

import pytest

from orchestrator.api.app import ApiLimits
from orchestrator.api.connections import ImpatientProtocol
from orchestrator.api.door import DoorLimits
from orchestrator.settings import LOOPBACK, Settings
from orchestrator.store.database.engine import Store
from tests.api.doors import (
    LEAD,
    LONG,
    RunningDoor,
    head,
    open_door,
    problem,
    read_to_end,
    sent_together,
)

SMALL = Settings(max_body_bytes=1_000, max_batch_bytes=5_000, max_batch_events=10, max_depth=4)


@pytest.fixture
def door(leads: Store) -> Iterator[RunningDoor]:
    with open_door(leads, SMALL) as opened:
        yield opened


def test_a_large_body_is_refused_by_its_announced_length(door: RunningDoor) -> None:
    document = problem(door.emit(data="x" * 2_000), 413, "payload_too_large")

    assert "1000 bytes" in document["detail"]


def test_a_large_body_without_a_length_is_refused_as_it_comes(door: RunningDoor) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b"x" * 100 for _ in range(20))

    problem(door.post_raw(chunks()), 413, "payload_too_large")


def test_a_body_of_just_the_limit_is_read(door: RunningDoor) -> None:
    frame = len(b'{"type":"lead.gone","data":""}')

    problem(door.emit(type="lead.gone", data="x" * (1_000 - frame)), 422, "unknown_trigger")
    problem(door.emit(type="lead.gone", data="x" * (1_001 - frame)), 413, "payload_too_large")


def test_a_batch_has_a_limit_of_its_own(door: RunningDoor) -> None:
    trigger = {"type": "lead.gone", "data": "x" * 800}

    problem(door.emit_batch([trigger] * 4), 422, "unknown_trigger")
    problem(door.emit_batch([trigger] * 7), 413, "payload_too_large")


def test_a_batch_is_no_way_around_the_limit_of_one(door: RunningDoor) -> None:
    triggers = [{"type": "lead.gone", "data": data} for data in ("x", "é" * 600)]

    document = problem(door.emit_batch(triggers), 413, "payload_too_large")

    assert (document["index"], document["field"]) == (1, "data")


def test_a_batch_of_too_many_is_refused(door: RunningDoor) -> None:
    trigger = {"type": "lead.created", "data": {}}

    document = problem(door.emit_batch([trigger] * 11), 413, "payload_too_large")

    assert "more than 10 triggers" in document["detail"]


def test_depth_is_counted_from_the_data(door: RunningDoor) -> None:
    four_deep = {"type": "lead.gone", "data": [[[[]]]]}

    problem(door.post(four_deep), 422, "unknown_trigger")
    problem(door.emit_batch([four_deep]), 422, "unknown_trigger")
    problem(door.emit(data=[[[[[]]]]]), 400, "invalid_json")


def test_bodies_that_do_not_fit_in_hand_are_asked_to_come_back(leads: Store) -> None:
    settings = Settings(max_body_bytes=1_000, max_batch_bytes=1_000)
    with open_door(
        leads, settings, ApiLimits(bytes_in_hand=0, share=1, door=DoorLimits(commit_seconds=LONG))
    ) as door:
        call = partial(door.emit, data={**LEAD, "tier": "x" * 600})

        with sent_together(door, leads, [call]) as sent:
            answer = call()

        problem(answer, 503, "door_full")
        assert sent[0].result().status_code == 202
        assert call().status_code == 202  # what was in hand was given back


def test_a_body_that_does_not_come_is_not_waited_for(leads: Store) -> None:
    with (
        open_door(leads, limits=ApiLimits(body_seconds=0.2)) as door,
        socket.create_connection((LOOPBACK, door.port)) as sender,
    ):
        sender.sendall(head(door, "content-length: 100") + b'{"type": ')
        answer = read_to_end(sender)

    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"code":"body_too_slow"' in answer


def test_a_request_that_never_ends_its_head_is_hung_up_on(
    leads: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImpatientProtocol, "head_seconds", 0.2)
    with open_door(leads) as door:
        for beginning in (b"", b"POST /v1/events HT"):
            with socket.create_connection((LOOPBACK, door.port)) as sender:
                sender.sendall(beginning)
                assert read_to_end(sender) == b""

        assert door.emit().status_code == 202


def test_an_answer_that_comes_early_is_not_lost(door: RunningDoor) -> None:
    with socket.create_connection((LOOPBACK, door.port)) as sender:
        sender.sendall(head(door, "content-length: 3000000"))
        for _ in range(30):  # a connection closed over unread bytes would break here
            sender.sendall(b"x" * 100_000)
        answer = read_to_end(sender)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_who_asks_first_need_not_send_what_is_refused(door: RunningDoor) -> None:
    with socket.create_connection((LOOPBACK, door.port)) as sender:
        sender.sendall(head(door, "content-length: 3000000", "expect: 100-continue"))
        answer = sender.recv(1000)

    assert answer.startswith(b"HTTP/1.1 413 ")  # no "100 Continue" before it


def test_who_asks_first_is_told_to_go_on(door: RunningDoor) -> None:
    body = b'{"type":"lead.gone","data":1}'
    with socket.create_connection((LOOPBACK, door.port)) as sender:
        sender.sendall(
            head(door, f"content-length: {len(body)}", "expect: 100-continue", "connection: close")
        )
        assert sender.recv(1000).startswith(b"HTTP/1.1 100 ")
        sender.sendall(body)
        assert read_to_end(sender).startswith(b"HTTP/1.1 422 ")

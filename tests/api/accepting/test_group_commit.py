"""Requests that come together share a commit, and none of them pays for another's fault."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from orchestrator.api.app import ApiLimits
from orchestrator.api.door import DoorLimits
from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import StoreUnavailable
from orchestrator.operations.accept_triggers import accept_batches
from orchestrator.operations.access.keys import create_key
from orchestrator.settings import LOOPBACK
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.show import list_events, show_event
from tests.api.doors import (
    LEAD,
    LONG,
    WAITING,
    RunningDoor,
    nobody_can_write,
    open_door,
    sent_together,
)
from tests.waiting import wait_until

COMMITS = "meshline_door_commits_total"


def test_requests_that_wait_together_share_a_commit(door: RunningDoor, leads: Store) -> None:
    calls = [partial(door.emit, idempotency_key=f"form-{number}") for number in range(12)]

    with sent_together(door, leads, calls) as sent:
        assert door.metric(COMMITS) == 0
        assert not any(one.done() for one in sent)  # nobody is answered before the commit

    answers = [one.result() for one in sent]
    assert [one.status_code for one in answers] == [202] * 12
    assert len({one.json()["id"] for one in answers}) == 12
    assert door.metric(COMMITS) == 2  # the first had begun alone
    assert door.metric("meshline_door_accepted_total") == 12
    assert door.metric("meshline_door_commit_events_sum") == 12
    assert door.metric(WAITING) == 0


def test_each_request_of_a_commit_gets_its_own_events(door: RunningDoor, leads: Store) -> None:
    def batch(*numbers: int) -> list[dict[str, object]]:
        return [
            {"type": "lead.created", "data": LEAD, "idempotency_key": f"form-{number}"}
            for number in numbers
        ]

    calls = [partial(door.emit_batch, batch(*numbers)) for numbers in ((0,), (1, 2, 3), (4, 5))]
    with sent_together(door, leads, calls) as sent:
        pass

    with leads.read() as tx:
        keys = {event.id: event.idempotency_key for event in list_events(tx)}
    answers = [[keys[event["id"]] for event in one.result().json()["events"]] for one in sent]
    assert answers == [["form-0"], ["form-1", "form-2", "form-3"], ["form-4", "form-5"]]


def test_a_conflict_does_not_hurt_the_others_in_its_commit(door: RunningDoor, leads: Store) -> None:
    door.emit(idempotency_key="form-1")
    other = {**LEAD, "tier": "enterprise"}
    calls = [
        partial(door.emit, idempotency_key="form-0"),
        partial(door.emit, idempotency_key="form-2"),
        partial(door.emit, idempotency_key="form-1", data=other),
        partial(door.emit, idempotency_key="form-3", type="lead.gone"),
        partial(door.emit, idempotency_key="form-4"),
    ]

    with sent_together(door, leads, calls) as sent:
        pass

    assert [one.result().status_code for one in sent] == [202, 202, 409, 422, 202]
    with leads.read() as tx:
        keys = sorted(event.idempotency_key for event in list_events(tx))
    assert keys == ["form-0", "form-1", "form-2", "form-4"]


def test_the_same_key_twice_in_one_commit_is_one_event(door: RunningDoor, leads: Store) -> None:
    calls = [partial(door.emit, idempotency_key=key) for key in ("form-0", "form-1", "form-1")]

    with sent_together(door, leads, calls) as sent:
        pass

    _, one, again = (each.result().json() for each in sent)
    assert again == {"id": one["id"], "duplicate": True}
    assert door.metric("meshline_door_duplicates_total") == 1


def test_every_event_is_written_down_under_the_key_that_sent_it(
    door: RunningDoor, leads: Store
) -> None:
    keys = [
        create_key(leads, clients=["acme"], label="n", actor=login("cli:tester")) for _ in range(4)
    ]
    trigger = {"type": "lead.created", "data": LEAD}
    calls = [partial(door.post, trigger, key=key) for key in (*keys, *keys)]

    with sent_together(door, leads, calls) as sent:
        pass

    assert door.metric(COMMITS) == 2  # requests of several keys share one too
    for one, key in zip(sent, (*keys, *keys), strict=True):
        with leads.read() as tx:
            event = show_event(tx, one.result().json()["id"])
        assert event
        assert event.history[0].actor == f"key:{key.split('_')[1]}"


def test_what_nobody_foresaw_in_one_request_does_not_hurt_the_others(
    door: RunningDoor, leads: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_on_seven(store: Store, batches: object) -> object:
        if "form-7" in str(batches):
            raise ZeroDivisionError("seven")
        return accept_batches(store, batches)  # type: ignore[arg-type]

    monkeypatch.setattr("orchestrator.api.door.accept_batches", fails_on_seven)
    calls = [partial(door.emit, idempotency_key=f"form-{number}") for number in (0, 1, 7, 2)]

    with sent_together(door, leads, calls) as sent:
        pass

    assert [one.result().status_code for one in sent] == [202, 202, 500, 202]
    assert "seven" not in sent[2].result().text


def test_a_full_door_says_come_back(leads: Store) -> None:
    limits = ApiLimits(door=DoorLimits(most_waiting=3, commit_seconds=LONG))
    with open_door(leads, limits=limits) as door:
        calls = [partial(door.emit, idempotency_key=f"form-{number}") for number in range(3)]
        with sent_together(door, leads, calls) as sent:
            answer = door.emit(idempotency_key="form-9")

        assert answer.status_code == 503
        assert answer.json()["code"] == "door_full"
        assert int(answer.headers["retry-after"]) > 0
        assert [one.result().status_code for one in sent] == [202] * 3
        assert door.emit(idempotency_key="form-9").status_code == 202
        assert door.metric('meshline_door_refused_total{code="door_full"}') == 1


def test_when_the_store_is_gone_nobody_waits_for_it_twice(
    leads: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []
    gone = threading.Event()

    def fails(*batches: object, **_: object) -> None:
        tried.append(batches)
        gone.wait(20)
        raise StoreUnavailable("the store does not answer")

    monkeypatch.setattr("orchestrator.api.door.accept_batches", fails)
    limits = ApiLimits(door=DoorLimits(most_in_a_commit=1, commit_seconds=LONG))
    with open_door(leads, limits=limits) as door, ThreadPoolExecutor(4) as threads:
        sent = [threads.submit(door.emit) for _ in range(4)]
        wait_until(lambda: door.metric(WAITING) == 4)
        gone.set()

        assert [one.result().status_code for one in sent] == [503] * 4
        assert len(tried) == 1
        assert door.metric(WAITING) == 0


def test_a_batch_larger_than_the_door_is_let_in_when_nothing_waits(leads: Store) -> None:
    with open_door(
        leads, limits=ApiLimits(door=DoorLimits(most_waiting=2, commit_seconds=LONG))
    ) as door:
        answer = door.emit_batch([{"type": "lead.created", "data": LEAD}] * 5)

    assert answer.status_code == 202


def test_a_commit_takes_no_more_than_it_may(leads: Store) -> None:
    limits = ApiLimits(door=DoorLimits(most_in_a_commit=4, commit_seconds=LONG))
    with open_door(leads, limits=limits) as door:
        calls = [partial(door.emit, idempotency_key=f"form-{number}") for number in range(9)]
        with sent_together(door, leads, calls) as sent:
            pass

        assert [one.result().status_code for one in sent] == [202] * 9
        assert door.metric(COMMITS) == 3  # 1, 4 and 4


def test_an_accept_stands_when_its_sender_has_gone(door: RunningDoor, leads: Store) -> None:
    body = json.dumps({"type": "lead.created", "data": LEAD, "idempotency_key": "form-1"}).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nhost: door\r\nauthorization: Bearer {door.key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    with nobody_can_write(leads), socket.create_connection((LOOPBACK, door.port)) as sender:
        sender.sendall(head.encode() + body)
        wait_until(lambda: door.metric(WAITING) == 1)

    answer = door.emit(idempotency_key="form-1")

    assert (answer.status_code, answer.json()["duplicate"]) == (202, True)

"""An event is looked at once, or until it is another one."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.access.roles import Role
from orchestrator.operations.access.keys import create_key
from orchestrator.settings import LOOPBACK, Settings
from orchestrator.store.database.engine import Store
from tests.api.doors import LEAD, RunningDoor, open_door, problem, read_to_end
from tests.leads import TEXT, claim_groups, drive_to_routed, publish_leads


@pytest.fixture
def either(store: Store) -> Iterator[RunningDoor]:
    """A door before each kind of store."""
    publish_leads(store)
    with open_door(store) as opened:
        yield opened


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def look(door: RunningDoor, event: str, wait: int | None = None, known: str = "") -> httpx.Response:
    headers = {**door.authorization(), **({"if-none-match": known} if known else {})}
    params = {} if wait is None else {"wait": wait}
    return door.ask("GET", f"/v1/events/{event}", headers=headers, params=params)


def test_what_is_known_already_is_not_sent_again(door: RunningDoor) -> None:
    event = door.emit().json()["id"]
    tag = look(door, event).headers["etag"]

    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = look(door, event, known=known)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert look(door, event, known='"other"').status_code == 200


def test_whoever_waits_hears_of_a_change_when_it_comes(
    either: RunningDoor, store: Store, threads: ThreadPoolExecutor
) -> None:
    event = either.emit().json()["id"]
    tag = look(either, event).headers["etag"]
    waiting: Future[httpx.Response] = threads.submit(look, either, event, 20, tag)

    (group,) = claim_groups(store)
    drive_to_routed(store, group)

    answer = waiting.result(30)
    assert answer.status_code == 200
    assert answer.headers["etag"] != tag


def test_whoever_knows_no_state_waits_for_one_of_rest(
    door: RunningDoor, leads: Store, threads: ThreadPoolExecutor
) -> None:
    event = door.emit(data={**LEAD, "tier": "gold"}).json()["id"]
    waiting = threads.submit(look, door, event, 20)
    assert not waiting.done()

    from tests.cli.desk import validate_leads

    validate_leads(leads)

    assert waiting.result(30).json()["state"] == "quarantined"
    assert look(door, event, 20).json()["state"] == "quarantined"  # at once


def test_without_a_change_the_wait_is_over_in_time(door: RunningDoor) -> None:
    event = door.emit().json()["id"]
    tag = look(door, event).headers["etag"]

    assert look(door, event, 1, tag).status_code == 304
    assert look(door, event, 1).json()["state"] == "accepted"


@pytest.mark.parametrize("wait", ["-1", "31", "1.5", "x", ""])
def test_a_wait_that_is_too_long_or_no_number_is_refused(door: RunningDoor, wait: str) -> None:
    event = door.emit().json()["id"]

    answer = door.get(f"/v1/events/{event}?wait={wait}")

    assert problem(answer, 422, "invalid_request")["field"] == "wait"


def test_those_who_wait_keep_nobody_from_looking_or_sending(door: RunningDoor) -> None:
    event = door.emit().json()["id"]
    with ThreadPoolExecutor(10) as pool:  # more than the threads that read the store
        waiting = [pool.submit(look, door, event, 3) for _ in range(10)]
        assert door.emit().status_code == 202
        assert look(door, event).status_code == 200
        assert {one.result(60).status_code for one in waiting} == {200}


def test_a_door_that_stops_answers_those_who_wait(leads: Store) -> None:
    with ThreadPoolExecutor(1) as pool, open_door(leads, Settings(stop_seconds=20)) as door:
        event = door.emit().json()["id"]
        headers, path = door.authorization(), f"/v1/events/{event}?wait=30"
        with socket.create_connection((LOOPBACK, door.port), timeout=60) as asker:
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            asker.sendall(f"GET {path} HTTP/1.1\r\nhost: door\r\n{head}\r\n".encode())
            waiting = pool.submit(read_to_end, asker)
            door.get(f"/v1/events/{event}?wait=1")  # by now the other one waits
            door.stop()
            answer = waiting.result(30)

    assert answer.startswith(b"HTTP/1.1 200 ")


def test_an_event_of_another_client_is_not_waited_for(door: RunningDoor, leads: Store) -> None:
    event = door.emit().json()["id"]
    stranger = create_key(leads, clients=["globex"], label="t", actor=login("cli:tester"))

    assert door.get(f"/v1/events/{event}?wait=30", key=stranger).status_code == 404


def test_a_producer_finds_its_event_by_its_key(either: RunningDoor, store: Store) -> None:
    publish_leads(
        store, TEXT.replace("workflow: leads", "workflow: calls").replace("lead.", "call.")
    )
    ours = [
        either.emit(idempotency_key="form 1").json()["id"],
        either.emit(type="call.created", idempotency_key="form 1").json()["id"],
    ]
    either.emit(idempotency_key="form 2")

    answer = either.ask(
        "GET", "/v1/events", params={"key": "form 1"}, headers=either.authorization()
    )

    assert answer.status_code == 200
    assert [one["id"] for one in answer.json()["events"]] == ours[::-1]
    params = {"key": "form 1", "limit": 1}
    first = either.ask("GET", "/v1/events", params=params, headers=either.authorization()).json()
    params["cursor"] = first["next"]
    last = either.ask("GET", "/v1/events", params=params, headers=either.authorization()).json()
    assert [first["events"][0]["id"], last["events"][0]["id"], last["next"]] == [*ours[::-1], None]


def test_a_key_finds_events_of_its_clients_only(door: RunningDoor, leads: Store) -> None:
    door.emit(idempotency_key="form-1")
    stranger = create_key(leads, clients=["globex"], label="t", actor=login("cli:tester"))
    viewer = create_key(
        leads, clients=["acme"], label="t", actor=login("cli:tester"), role=Role.VIEWER
    )

    assert door.get("/v1/events?key=form-1", key=stranger).json()["events"] == []
    assert len(door.get("/v1/events?key=form-1", key=viewer).json()["events"]) == 1
    assert door.get("/v1/events").status_code == 403  # a list needs the role of a viewer

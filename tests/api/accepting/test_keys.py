"""Who may act: keys are checked, remembered for a moment, and never told to anybody."""

from __future__ import annotations

import asyncio
import logging

import httpx
import pytest

from orchestrator.api.app import ApiLimits
from orchestrator.api.intake import KeyRing
from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import KeyRefused
from orchestrator.operations.access.keys import Caller, create_key, revoke_key
from orchestrator.store.access.keys import list_keys
from orchestrator.store.database.engine import Store
from tests.api.doors import LEAD, RunningDoor, open_door
from tests.waiting import wait_until


def refused(answer: httpx.Response) -> bool:
    return (
        answer.status_code == 401
        and answer.json()["code"] == "key_refused"
        and answer.headers["www-authenticate"].startswith("Bearer")
    )


def test_without_a_key_nobody_gets_in(door: RunningDoor) -> None:
    answer = door.ask("POST", "/v1/events", json={"type": "lead.created", "data": LEAD})

    assert refused(answer)
    assert "meshline keys create" in answer.json()["fix"]


def test_a_wrong_key_is_refused(door: RunningDoor) -> None:
    key_id = door.key.split("_")[1]

    for wrong in ("nonsense", f"mk_{key_id}_", f"mk_{key_id}_{'x' * 43}", door.key + "x", "ключ"):
        answer = door.ask(
            "GET", "/v1/events/x", headers={"authorization": f"Bearer {wrong}".encode()}
        )
        assert refused(answer), wrong


def test_a_key_in_another_scheme_is_refused(door: RunningDoor) -> None:
    assert refused(door.ask("GET", "/v1/events/x", headers={"authorization": f"Basic {door.key}"}))
    assert refused(door.ask("GET", "/v1/events/x", headers={"authorization": door.key}))
    assert refused(door.ask("GET", f"/v1/events/x?key={door.key}"))


def test_the_scheme_may_be_written_in_small_letters(door: RunningDoor) -> None:
    answer = door.ask("GET", "/v1/events/x", headers={"authorization": f"bearer {door.key}"})

    assert answer.status_code == 404


def test_a_key_for_every_client_acts_for_the_one_that_is_named(
    door: RunningDoor, leads: Store
) -> None:
    key = create_key(leads, clients=["*"], label="agency", actor=login("cli:tester"))

    assert (
        door.post({"type": "lead.created", "data": LEAD, "client": "acme"}, key=key).status_code
        == 202
    )
    assert door.post({"type": "lead.created", "data": LEAD}, key=key).status_code == 403


def test_a_revoked_key_is_refused(leads: Store) -> None:
    with open_door(leads, limits=ApiLimits(key_seconds=0)) as door:
        assert door.emit().status_code == 202

        revoke_key(leads, door.key.split("_")[1], actor=login("cli:tester"))

        assert refused(door.emit())


def test_no_key_is_ever_logged(door: RunningDoor, caplog: pytest.LogCaptureFixture) -> None:
    secret = door.key.split("_", 2)[2]
    with caplog.at_level(logging.DEBUG):
        door.emit()
        door.emit(type="lead.gone")
        door.get("/v1/events/x", key=f"mk_000000000000_{secret}")
        door.post_raw(b"{", authorization=f"Basic {secret}")

    # httpx and asyncio are on the client's side of this process
    told = [one.getMessage() for one in caplog.records if not one.name.startswith("http")]
    assert not any(secret in line for line in told)


class Clerk:
    """Checks keys, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def check(self, key: str) -> Caller:
        self.asked.append(key)
        if "wrong" in key:
            raise KeyRefused("unknown")
        return Caller(key_id=key, clients=("acme",))


def test_a_good_key_is_remembered_and_a_refused_one_is_not() -> None:
    clerk = Clerk()
    ring = KeyRing(clerk.check, seconds=3600)

    async def story() -> None:
        for _ in range(3):
            assert (await ring.caller("Bearer good")).key_id == "good"
            with pytest.raises(KeyRefused):
                await ring.caller("Bearer wrong")

    asyncio.run(story())
    assert clerk.asked.count("good") == 1
    assert clerk.asked.count("wrong") == 3


def test_the_memory_for_keys_has_an_end() -> None:
    clerk = Clerk()
    ring = KeyRing(clerk.check, seconds=3600)

    async def story() -> None:
        for number in range(1_001):
            await ring.caller(f"Bearer key-{number}")
        await ring.caller("Bearer key-1000")
        await ring.caller("Bearer key-0")

    asyncio.run(story())
    assert clerk.asked.count("key-1000") == 1
    assert clerk.asked.count("key-0") == 2


def test_the_last_use_of_a_key_is_written_beside_the_requests(
    door: RunningDoor, leads: Store
) -> None:
    key = create_key(leads, clients=["acme"], label="used", actor=login("cli:tester"))
    door.post({"type": "lead.created", "data": LEAD}, key=key)

    def used() -> bool:
        with leads.read() as tx:
            return any(one.label == "used" and one.used_at for one in list_keys(tx))

    wait_until(used)

"""The worst bodies that one key can send, at a door that is a process, while another key works."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from orchestrator.domain.access.actor import login
from orchestrator.operations.access.keys import create_key
from orchestrator.settings import LOOPBACK
from orchestrator.store.database.engine import Store
from orchestrator.store.views.events.counts import count_states
from tests.api.door_process import process_of_a_door
from tests.api.doors import LEAD, RunningDoor
from tests.waiting import wait_until

pytestmark = pytest.mark.processes

BATCH = "application/vnd.meshline.batch+json"
_SIZE = 15_000_000  # bytes of a hostile body
_PATIENCE = 200.0  # seconds for one answer
_EARLIER = 50  # leads before anything is measured
_MOST_MEMORY = 160 * 2**20  # bytes above its start: the bodies in hand, and what is built of one
ORDINARY_GROUP = 200  # leads, as MESHLINE_GROUP_SIZE has it

ENVELOPE = b'{"type": "lead.created", "data": %s}'


def of_triggers(data: bytes, *, last: bytes = b"{}") -> bytes:
    """A batch of the size, of triggers with the same data; the last one has its own."""
    trigger = ENVELOPE % data
    many = [trigger] * (_SIZE // (len(trigger) + 2))
    return b"[" + b", ".join([*many, ENVELOPE % last]) + b"]"


def words(count: int) -> bytes:
    return json.dumps({f"field {number}": f"value {number}" for number in range(count)}).encode()


DOUBLED = b'{"email": 1, "email": 2}'
VALID = "small objects in every trigger"
WORST: dict[str, bytes] = {
    "a doubled key at the end": of_triggers(words(500), last=DOUBLED),
    "a trigger with a million keys": b'[{"type": "lead.created", "data": {%s "a": 0, "a": 1}}]'
    % b"".join(b'"%d": 0, ' % number for number in range(1_000_000)),
    "numbers": b"[" + b"1," * (_SIZE // 2) + b"1]",
    "small objects": b"[" + b'{"a":0},' * (_SIZE // 8) + b"{}]",
    VALID: of_triggers(b"[" + b'{"":0},' * 40_000 + b"0]"),
    "texts": of_triggers(b"[" + b'"",' * 90_000 + b"0]", last=DOUBLED),
    "brackets": b"[" * _SIZE,
    "many levels": b"[" + b'{"type":"a","data":' * 3 + b"[[[[" * (_SIZE // 4),
    "blanks": b"[" + b" " * _SIZE + b"}",
    "one text that does not end": b'["' + b"a" * _SIZE,
    "backslashes": b'["' + b"\\" * _SIZE,
    "quotes": b"[" + b'"' * _SIZE,
    "not UTF-8 at its end": of_triggers(words(500), last=b'"\xff"'),
    "infinity at its end": of_triggers(words(500), last=b"1e999"),
    "an integer of megabytes": b'[{"type": "lead.created", "data": ' + b"9" * _SIZE + b"}]",
}


@contextmanager
def two_clients(leads: Store, folder: Path) -> Iterator[tuple[psutil.Process, RunningDoor, str]]:
    """A door, another client of it with its own key, and the key of the one who is hostile."""
    good = create_key(leads, clients=["acme"], label="good", actor=login("cli:tester"))
    hostile = create_key(leads, clients=["acme"], label="hostile", actor=login("cli:tester"))
    with process_of_a_door(leads, folder) as process:
        wait_until((folder / "door.port").exists)
        port = int((folder / "door.port").read_text())
        with closing(RunningDoor(port, good)) as door:
            for _ in range(_EARLIER):
                assert door.emit().status_code == 202
            yield psutil.Process(process.pid), door, hostile


def send(door: RunningDoor, key: str, body: bytes) -> httpx.Response:
    headers = {"content-type": BATCH, **door.authorization(key)}
    url = f"http://{LOOPBACK}:{door.port}/v1/events"
    return httpx.post(url, content=body, headers=headers, timeout=_PATIENCE, trust_env=False)


def test_memory_comes_back_after_the_worst_bodies(leads: Store, tmp_path: Path) -> None:
    with two_clients(leads, tmp_path) as (process, door, hostile):
        before = process.memory_info().rss
        with highest(process) as peak, ThreadPoolExecutor(4) as threads:
            twice = [body for body in WORST.values() for _ in range(2)]
            statuses = {answer.status_code for answer in threads.map(sender(door, hostile), twice)}

        assert statuses <= {202, 400, 413, 422, 429}
        assert peak[0] < before + _MOST_MEMORY
        wait_until(lambda: process.memory_info().rss < 1.5 * before)


def test_one_keys_worst_bodies_leave_the_other_key_its_turns(leads: Store, tmp_path: Path) -> None:
    group = [{"type": "lead.created", "data": {**LEAD, "message": "x" * 300}}] * ORDINARY_GROUP
    with two_clients(leads, tmp_path) as (_, door, hostile), ThreadPoolExecutor(8) as threads:
        answers: list[httpx.Response] = []
        sent = [threads.submit(send, door, hostile, WORST[VALID]) for _ in range(8)]
        while not all(one.done() for one in sent):
            answers.append(door.emit_batch(group))

    assert {answer.status_code for answer in answers} == {202}
    assert len(answers) > 5  # groups that were read and written while one body was
    codes = [one.result().json().get("code", "taken") for one in sent]
    assert set(codes) == {"taken", "key_busy"}


def test_nothing_is_read_for_a_sender_who_has_left(leads: Store, tmp_path: Path) -> None:
    with two_clients(leads, tmp_path) as (_, door, hostile):
        body = WORST[VALID]
        head = (
            "POST /v1/events HTTP/1.1\r\nhost: door\r\n"
            f"authorization: Bearer {hostile}\r\ncontent-type: {BATCH}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        for _ in range(8):
            with socket.create_connection((LOOPBACK, door.port)) as leaving:
                leaving.sendall(head.encode() + body)

        assert door.emit(data={**LEAD, "message": "x" * 70_000}).status_code == 202
        wait_until(lambda: send(door, hostile, b"[]").status_code == 422)  # all is given back
        with leads.read() as tx:
            assert sum(count_states(tx).values()) == _EARLIER + 1


def sender(door: RunningDoor, key: str) -> Callable[[bytes], httpx.Response]:
    return partial(send, door, key)


@contextmanager
def highest(process: psutil.Process) -> Iterator[list[int]]:
    """The most memory that the process was seen with, in bytes."""
    peak, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.005):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()

"""Connections that only stay open, at a door that may open few files: nobody is kept out."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from orchestrator.api.connections import ACCEPTED_AT_ONCE, most_connections
from orchestrator.domain.access.actor import login
from orchestrator.operations.access.keys import create_key
from orchestrator.settings import LOOPBACK
from orchestrator.starting import MOST_OPEN_FILES
from orchestrator.store.database.engine import Store
from tests.api.doors import RunningDoor, head, open_door, read_to_end
from tests.waiting import wait_until

HALF_OPEN = b"POST /v1/events HTTP/1.1\r\nhost: do"


@contextmanager
def door_with_few_files(
    store: Store, folder: Path, files: int
) -> Iterator[tuple[RunningDoor, psutil.Process, Path]]:
    """`meshline api` that may open `files` files, and its log."""
    key = create_key(store, clients=["acme"], label="tests", actor=login("cli:tester"))
    port_file, log = folder / "door.port", folder / "door.log"
    url = store.url.render_as_string(hide_password=False)
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                *("/bin/sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"),
                *(sys.executable, "-m", "orchestrator.cli.main", "api"),
                *("--port", "0", "--port-file", str(port_file)),
            ],
            env={**os.environ, "MESHLINE_DATABASE_URL": url},
            stdout=out,
            stderr=out,
        )
    try:
        wait_until(port_file.exists)
        with closing(RunningDoor(int(port_file.read_text()), key)) as door:
            yield door, psutil.Process(process.pid), log
    finally:
        process.kill()
        process.wait()


@contextmanager
def half_open(door: RunningDoor, count: int) -> Iterator[None]:
    """Connections that begin a request and never end its head."""
    with ExitStack() as opened:
        for _ in range(count):
            one = opened.enter_context(socket.create_connection((LOOPBACK, door.port), timeout=60))
            one.sendall(HALF_OPEN)
        yield


@pytest.mark.processes
def test_half_open_connections_keep_nobody_out(leads: Store, tmp_path: Path) -> None:
    with door_with_few_files(leads, tmp_path, 256) as (door, process, log):
        assert door.emit().status_code == 202
        with half_open(door, 400):
            for _ in range(10):
                with closing(RunningDoor(door.port, door.key)) as newcomer:
                    assert newcomer.emit().status_code == 202
            assert process.num_fds() < 256
        assert door.emit().status_code in {202, 408}
        lines = log.read_text().splitlines()

    assert "Traceback" not in "\n".join(lines)
    assert len(lines) <= 3


@pytest.mark.processes
def test_a_door_that_has_no_file_left_writes_one_line_and_comes_back(
    leads: Store, tmp_path: Path
) -> None:
    with door_with_few_files(leads, tmp_path, 48) as (door, process, log):
        before = sum(process.cpu_times()[:2])
        with half_open(door, 200):
            wait_until(lambda: "no connection can be taken" in log.read_text())
        wait_until(lambda: answers(door))
        spent = sum(process.cpu_times()[:2]) - before
        lines = log.read_text().splitlines()

    assert "Traceback" not in "\n".join(lines)
    assert len(lines) <= 4
    assert spent < 20  # seconds of the processor: it does not spin


def answers(door: RunningDoor) -> bool:
    with closing(RunningDoor(door.port, door.key)) as newcomer:
        try:
            return newcomer.emit().status_code == 202
        except httpx.TransportError:
            return False


def test_the_most_connections_leave_room_for_other_files() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)

    most = most_connections()

    limit, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most + 2 * ACCEPTED_AT_ONCE < limit
    assert soft <= limit <= MOST_OPEN_FILES or soft == limit == hard


def test_a_new_connection_takes_the_place_of_the_one_that_is_longest_idle(
    leads: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.api.connections.MOST_CONNECTIONS", 8)  # 4 from one address
    with open_door(leads) as door, ExitStack() as opened:
        first, *others = (
            opened.enter_context(socket.create_connection((LOOPBACK, door.port))) for _ in range(4)
        )
        assert door.emit().status_code == 202  # a fifth from this address

        assert closed(first)
        for one in others:
            one.sendall(HALF_OPEN + b"or\r\n\r\n")
            assert one.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_request_that_is_being_answered_is_not_closed_for_another(
    leads: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orchestrator.api.connections.MOST_CONNECTIONS", 4)  # 2 from one address
    with open_door(leads) as door, ExitStack() as opened:
        busy = [
            opened.enter_context(socket.create_connection((LOOPBACK, door.port))) for _ in range(2)
        ]
        body = b'{"type":"lead.gone","data":1}'
        for one in busy:
            one.sendall(
                head(
                    door,
                    f"content-length: {len(body)}",
                    "connection: close",
                    "expect: 100-continue",
                )
            )
            assert one.recv(1000).startswith(b"HTTP/1.1 100 ")
        with socket.create_connection((LOOPBACK, door.port)) as one_more:
            answer = read_to_end(one_more)

        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"door_full"' in answer and b"retry-after: 1\r\n" in answer
        for one in busy:
            one.sendall(body)
            assert read_to_end(one).startswith(b"HTTP/1.1 422 ")
        wait_until(lambda: door.emit().status_code == 202)


def test_a_body_in_ever_smaller_parts_is_refused(leads: Store) -> None:
    with open_door(leads) as door:
        with socket.create_connection((LOOPBACK, door.port)) as sender:
            sender.sendall(head(door, "transfer-encoding: chunked") + b"1\r\n \r\n" * 3_000)
            answer = read_to_end(sender)
        assert answer.startswith(b"HTTP/1.1 400 ")

        with socket.create_connection((LOOPBACK, door.port)) as sender:
            body = b'{"type":"lead.gone","data":"' + b"x" * 300_000 + b'"}'
            parts = [body[at : at + 200] for at in range(0, len(body), 200)]
            sender.sendall(head(door, "transfer-encoding: chunked", "connection: close"))
            for part in parts:
                sender.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            sender.sendall(b"0\r\n\r\n")
            assert read_to_end(sender).startswith(b"HTTP/1.1 422 ")


def closed(connection: socket.socket) -> bool:
    try:
        connection.settimeout(20)
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_process_raises_its_limit_of_open_files_to_the_hard_one() -> None:
    script = (
        "import resource\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))\n"
        "from orchestrator.starting import MOST_OPEN_FILES, prepare_process\n"
        "prepare_process()\n"
        "limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]\n"
        "assert limit == (MOST_OPEN_FILES if hard < 0 else min(hard, MOST_OPEN_FILES)), limit\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

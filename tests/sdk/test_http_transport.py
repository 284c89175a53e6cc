"""What only a wire can do wrong."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from meshline import Event, Misconfigured, Producer, Unreachable
from meshline.testing import RecordingTransport
from meshline.transport import HttpTransport
from tests.sdk.conftest import MakeProducer, WireDoor
from tests.self_signed import CERTIFICATE, self_signed


def test_a_connection_is_used_again(over_http: MakeProducer, wire: WireDoor) -> None:
    producer = over_http()
    for number in range(5):
        producer.emit("lead.created", {"number": number})

    assert wire.connections == 1


def test_a_kept_connection_that_the_door_closed_costs_no_attempt(
    over_http: MakeProducer, wire: WireDoor, door: RecordingTransport
) -> None:
    producer = over_http(attempts=1)
    producer.emit("lead.created", {"number": 1})
    door.cut_next()  # as a restarted door does to a kept connection

    assert producer.emit("lead.created", {"number": 2}).id == "event-2"
    assert wire.connections == 2


def test_many_threads_share_one_producer(
    over_http: MakeProducer, wire: WireDoor, door: RecordingTransport
) -> None:
    producer = over_http()

    def send(thread: int) -> None:
        for number in range(20):
            emitted = producer.emit("lead.created", {"thread": thread, "number": number})
            assert emitted.id

    threads = [threading.Thread(target=send, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(one.data["thread"] for one in door.events) == dict.fromkeys(range(6), 20)  # type: ignore[index]
    assert wire.connections <= 6


_FORKING = """
import os, sys
from meshline import Producer

with Producer(sys.argv[1], key="k") as producer:
    producer.emit("lead.created", {"from": "parent"})
    child = os.fork()
    producer.emit("lead.created", {"from": "child" if child == 0 else "parent again"})
    if child:
        sys.exit(os.waitpid(child, 0)[1])
"""


def test_a_forked_child_does_not_talk_into_its_parents_connection(
    wire: WireDoor, door: RecordingTransport
) -> None:
    subprocess.run([sys.executable, "-c", _FORKING, wire.url], check=True)

    assert len(door.events) == 3
    assert wire.connections == 2


def test_an_answer_cut_in_the_middle_is_no_answer(
    over_http: MakeProducer, wire: WireDoor, door: RecordingTransport
) -> None:
    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(202)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b'{"id":')
        handler.close_connection = True

    wire.misdeeds.append(half)

    assert over_http().emit("lead.created", {}).id == "event-1"
    assert len(door.pauses) == 1


def test_a_door_that_never_ends_its_answer_is_given_up(
    over_http: MakeProducer, wire: WireDoor
) -> None:
    drops: list[int] = []

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(202)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        while len(drops) < 100:
            handler.wfile.write(b" ")
            drops.append(1)
            time.sleep(0.05)

    wire.misdeeds.append(drip)

    with pytest.raises(Unreachable, match="timed out"):
        over_http(timeout=0.3, attempts=1).emit("lead.created", {})
    assert len(drops) < 100


def test_a_silent_door_is_given_up_after_the_timeout(
    over_http: MakeProducer, wire: WireDoor
) -> None:
    released = threading.Event()
    wire.misdeeds.append(lambda _: released.wait(30))

    with pytest.raises(Unreachable, match="timed out"):
        over_http(timeout=0.2, attempts=1).emit("lead.created", {})
    released.set()


def test_an_endless_answer_is_not_read_to_its_end(over_http: MakeProducer, wire: WireDoor) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(202)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" " * 1_000_000)

    wire.misdeeds.append(flood)

    with pytest.raises(Unreachable, match="too large"):
        over_http(attempts=1).emit("lead.created", {})


def test_nobody_listening_is_named_with_its_address(door: RecordingTransport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    producer = Producer(f"http://127.0.0.1:{port}", key="k", attempts=1)
    with producer, pytest.raises(Unreachable, match=f"127.0.0.1:{port}"):
        producer.emit("lead.created", {})


def test_a_path_in_the_url_stays_in_front(
    over_http: MakeProducer, door: RecordingTransport
) -> None:
    over_http(prefix="/meshline/").emit("lead.created", {})

    assert door.requests[0].path == "/meshline/v1/events"


@pytest.mark.parametrize(
    "url",
    [
        "door.example",
        "ftp://door.example",
        "http://",
        "http://door.example:port",
        "http://jo:secret@door.example",
        "https://door.example/?key=1",
    ],
)
def test_a_wrong_address_is_refused_at_once(url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        Producer(url, key="k")

    assert refused.value.field == "url"
    assert refused.value.fix


def test_a_certificate_that_nobody_vouches_for_is_named_and_not_retried(
    tmp_path: Path, door: RecordingTransport
) -> None:
    server, served = WireDoor(door), self_signed(tmp_path)
    server.socket = served.wrap_socket(server.socket, server_side=True)
    url = f"https://localhost:{server.server_port}"
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        with Producer(url, key="k") as stranger, pytest.raises(Misconfigured, match="not trusted"):
            stranger.emit("lead.created", {})
        with Producer(url, key="k", transport=HttpTransport(url, tls=trusting)) as friend:
            assert friend.emit_many([Event("lead.created", {})])[0].id == "event-1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

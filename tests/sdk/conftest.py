"""A door to talk to: in memory, and behind a real HTTP server that can misbehave on the wire."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from meshline import Producer, Unreachable
from meshline.testing import RecordingTransport
from meshline.transport import HttpTransport, Request, Transport

MakeProducer = Callable[..., Producer]
Misdeed = Callable[[BaseHTTPRequestHandler], object]


class WireDoor(ThreadingHTTPServer):
    """The recording door on a socket. What it cuts in memory, it cuts on the wire."""

    daemon_threads = True

    def __init__(self, door: RecordingTransport) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.door = door
        self.connections = 0
        self.misdeeds: list[Misdeed] = []  # done instead of an answer, the first first

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()

    def handle_error(self, *_: object) -> None:
        """Be silent: what goes wrong here was planned."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: WireDoor

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.misdeeds:
            self.server.misdeeds.pop(0)(self)
            return
        request = Request(path=self.path, headers=dict(self.headers), body=body, timeout=1)
        try:
            answer = self.server.door.send(request)
        except Unreachable:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        """Be silent."""


class Hurried(HttpTransport):
    """The real transport, but its pauses are the recording door's."""

    def __init__(self, url: str, door: RecordingTransport) -> None:
        super().__init__(url)
        self._door = door

    def pause(self, seconds: float) -> None:
        self._door.pause(seconds)


@pytest.fixture
def door() -> RecordingTransport:
    return RecordingTransport()


@pytest.fixture
def wire(door: RecordingTransport) -> Iterator[WireDoor]:
    with WireDoor(door) as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def over_http(wire: WireDoor, door: RecordingTransport) -> Iterator[MakeProducer]:
    """Makes producers that talk to the door over HTTP."""
    made: list[Producer] = []

    def make(**options: Any) -> Producer:
        transport: Transport = Hurried(wire.url + options.pop("prefix", ""), door)
        made.append(Producer(wire.url, key="secret-key", transport=transport, **options))
        return made[-1]

    yield make
    for producer in made:
        producer.close()


@pytest.fixture
def in_memory(door: RecordingTransport) -> MakeProducer:
    """Makes producers that talk to the door in memory."""

    def make(**options: Any) -> Producer:
        return Producer("http://door.example", key="secret-key", transport=door, **options)

    return make

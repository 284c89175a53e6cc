"""A producer behind a company's proxy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from meshline import Misconfigured, Producer, Unreachable
from meshline.proxies import proxy_for
from meshline.testing import RecordingTransport
from meshline.transport import HttpTransport
from tests.sdk.conftest import WireDoor
from tests.self_signed import self_signed


class Proxy(ThreadingHTTPServer):
    """Takes every request itself, and leads every tunnel to one port."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str | None]] = []  # what, and by whose login
        self.answer = 200
        self.leads_to = 0

    @property
    def address(self) -> str:
        return f"http://jo:s%20cret@127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_CONNECT(self) -> None:
        self._note()
        self.send_response(self.server.answer)
        self.end_headers()
        if self.server.answer == 200:
            _join(self.connection, self.server.leads_to)
        self.close_connection = True

    def do_POST(self) -> None:
        self._note()
        body = b'{"id": "by-proxy", "duplicate": false}'
        self.send_response(202)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _note(self) -> None:
        self.server.asked.append((self.path, self.headers["Proxy-Authorization"]))

    def log_message(self, *_: object) -> None:
        """Be silent."""


def _join(one: socket.socket, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as other:
        back = threading.Thread(target=_copy, args=(other, one))
        back.start()
        _copy(one, other)
        back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _emit(url: str, **options: Any) -> str:
    with Producer(url, key="k", attempts=1, **options) as producer:
        return producer.emit("lead.created", {}).id


def test_a_door_without_tls_is_asked_by_its_whole_address(proxy: Proxy) -> None:
    assert _emit("http://door.example/meshline", proxy=proxy.address) == "by-proxy"
    assert proxy.asked == [
        ("http://door.example/meshline/v1/events", "Basic am86cyBjcmV0"),
    ]


def test_a_door_with_tls_is_reached_through_a_tunnel_and_its_certificate_is_verified(
    proxy: Proxy, tmp_path: Path, door: RecordingTransport
) -> None:
    server, served = WireDoor(door), self_signed(tmp_path)
    server.socket = served.wrap_socket(server.socket, server_side=True)
    proxy.leads_to = server.server_port
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
    thread.start()
    try:
        with pytest.raises(Misconfigured, match="not trusted"):
            _emit("https://localhost", proxy=proxy.address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert proxy.asked == [("localhost:443", "Basic am86cyBjcmV0")]


@pytest.mark.parametrize(("answer", "error"), [(407, Misconfigured), (502, Unreachable)])
def test_a_proxy_that_does_not_let_us_through_is_not_the_events_fault(
    proxy: Proxy, answer: int, error: type[Exception]
) -> None:
    proxy.answer = answer

    with pytest.raises(error, match=str(answer)) as refused:
        _emit("https://door.example", proxy=proxy.address)

    assert "s cret" not in str(refused.value) and "s%20cret" not in str(refused.value)


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("door", "host"),
    [
        ("https://door.example", "proxy.example"),
        ("https://door.inside.example", None),  # named by NO_PROXY
        ("http://door.example", None),  # HTTPS_PROXY is not for it
        ("https://127.0.0.1:8700", None),
        ("https://localhost", None),
    ],
)
def test_the_environment_says_which_doors_have_a_proxy(
    clean: pytest.MonkeyPatch, door: str, host: str | None
) -> None:
    clean.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    clean.setenv("NO_PROXY", "inside.example")

    found = proxy_for(urlsplit(door), None)

    assert (found.host if found else None) == host
    assert proxy_for(urlsplit(door), "") is None


def test_a_wrong_address_of_a_proxy_is_named_without_its_login(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("HTTPS_PROXY", "socks5://jo:secret@proxy.example")

    with pytest.raises(Misconfigured, match="HTTPS_PROXY") as wrong:
        HttpTransport("https://door.example")

    assert wrong.value.fix
    assert "secret" not in str(wrong.value)

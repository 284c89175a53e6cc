"""Behind a firewall an alert goes out by the proxy, and nothing that may not be reached by it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from orchestrator.keeper.contacts import Contact
from orchestrator.keeper.messages import Message
from orchestrator.keeper.proxying import show_proxy
from orchestrator.keeper.sending import Carrier, Undeliverable
from tests.keeper.conftest import Desk

MESSAGE = Message(subject="a test", text="nothing to do")


class Proxy(ThreadingHTTPServer):
    """Takes what it is asked to carry on, and answers in the target's place."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), _Asked)


class _Asked(BaseHTTPRequestHandler):
    server: Proxy

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(200)

    def do_CONNECT(self) -> None:
        self._answer(403)

    def _answer(self, status: int) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.setenv(name, "")  # so that it is as before when the test ends
        monkeypatch.setenv(name.upper(), "")
    look_up = socket.getaddrinfo

    def resolved(host: Any, *more: Any, **named: Any) -> Any:
        if host == "hooks.example.com":
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return look_up("10.1.2.3" if host == "inside.example.com" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    with Proxy() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("MESHLINE_PROXY", f"http://me:s3cret@127.0.0.1:{server.server_port}")
        yield server
        server.shutdown()
        thread.join()


def carry(desk: Desk, monkeypatch: pytest.MonkeyPatch, address: str, **contact: Any) -> None:
    monkeypatch.setenv("CHAT", address)
    way = Contact(to=("env:CHAT",), **contact)
    Carrier(desk.settings()).carry(MESSAGE, "triage@acme.example", way, key="k")


def test_an_alert_goes_out_by_the_proxy_that_the_setting_names(
    desk: Desk, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(desk, monkeypatch, "json://hooks.example.com/chat")

    assert proxy.asked == ["POST http://hooks.example.com/chat"]


def test_an_alert_over_tls_asks_the_proxy_for_a_tunnel(
    desk: Desk, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Undeliverable) as refused:
        carry(desk, monkeypatch, "jsons://hooks.example.com/chat")

    assert set(proxy.asked) == {"CONNECT hooks.example.com:443"}
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["json", "jsons"])
def test_a_proxy_leads_no_alert_behind_our_door(
    desk: Desk, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with pytest.raises(Undeliverable, match="not public"):
        carry(desk, monkeypatch, f"{scheme}://inside.example.com/chat")

    assert proxy.asked == []


def test_a_contact_that_allows_a_private_network_is_reached_by_the_proxy(
    desk: Desk, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(desk, monkeypatch, "json://inside.example.com/chat", private_network=True)

    assert proxy.asked == ["POST http://inside.example.com/chat"]


def test_this_machine_is_reached_without_the_proxy(
    desk: Desk, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry(desk, monkeypatch, f"json://127.0.0.1:{desk.hook.port}/chat")

    assert (len(desk.hook.posted), proxy.asked) == (1, [])


def test_off_takes_away_what_the_environment_names() -> None:
    environment = {"MESHLINE_PROXY": "off", "HTTPS_PROXY": "http://p:1", "http_proxy": "http://p:1"}

    show_proxy(environment)

    assert environment.keys() == {"MESHLINE_PROXY", "no_proxy"}

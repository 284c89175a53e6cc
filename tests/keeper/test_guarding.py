"""An alert goes where its contact says, and nowhere behind our own door that it does not say."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from connectors.http.wire.networks import AddressRefused
from orchestrator.keeper.contacts import Contact
from orchestrator.keeper.guarding import guarded
from orchestrator.keeper.messages import Message
from orchestrator.keeper.sending import Carrier, Undeliverable
from tests.keeper.conftest import SECRET, Desk

MESSAGE = Message(subject="a test", text="nothing to do")


@contextmanager
def listening(host: str) -> Iterator[socket.socket]:
    with socket.create_server((host, 0)) as inside:
        inside.setblocking(False)
        yield inside


def test_what_carries_an_alert_reaches_what_its_address_spells_out_and_no_more() -> None:
    with listening("127.0.0.1") as written, listening("127.0.0.2") as other:
        port, elsewhere = written.getsockname()[1], other.getsockname()[1]
        with guarded(f"json://127.0.0.1:{port}/x", private=False) as guard:
            socket.create_connection(("127.0.0.1", port)).close()
            with pytest.raises(AddressRefused, match="not public"):
                socket.create_connection(("127.0.0.2", elsewhere))
            assert guard.refused and "not public" in guard.refused

        socket.create_connection(("127.0.0.2", elsewhere)).close()  # it is over


def test_a_contact_that_allows_a_private_network_reaches_no_metadata() -> None:
    with (
        guarded("json://169.254.169.254/x", private=True),
        pytest.raises(AddressRefused, match="a cloud's own"),
    ):
        socket.create_connection(("169.254.169.254", 80), timeout=1)


@pytest.mark.parametrize("private", [False, True])
def test_a_name_that_leads_behind_our_door_is_followed_only_where_that_is_allowed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, private: bool
) -> None:
    look_up = socket.getaddrinfo

    def rebound(host: Any, *more: Any, **named: Any) -> Any:
        return look_up("127.0.0.1" if host == "hooks.example" else host, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    monkeypatch.setenv("CHAT", f"json://x:{SECRET}@hooks.example:{desk.hook.port}/chat")
    contact = Contact(to=("env:CHAT",), private_network=private)
    carrier = Carrier(desk.settings())

    if private:
        carrier.carry(MESSAGE, "triage@acme.example", contact, key="k")
    else:
        with pytest.raises(Undeliverable, match="env:CHAT: its address is not public"):
            carrier.carry(MESSAGE, "triage@acme.example", contact, key="k")

    assert len(desk.hook.posted) == int(private)


def test_no_redirect_leads_behind_our_door(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening("127.0.0.2") as inside:
        target = f"http://127.0.0.2:{inside.getsockname()[1]}/admin"

        class Redirects(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(307)
                self.send_header("Location", target)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Redirects)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("CHAT", f"json://127.0.0.1:{server.server_address[1]}/chat")
        try:
            with pytest.raises(Undeliverable):
                Carrier(desk.settings()).carry(
                    MESSAGE, "triage@acme.example", Contact(to=("env:CHAT",)), key="k"
                )
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

        with pytest.raises(BlockingIOError):
            inside.accept()

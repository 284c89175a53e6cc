"""Where alerts arrive: a mail server and a web hook, real ones, on ports of their own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from orchestrator.embedded.ports import free_port


class Mails:
    """A mail server's inside: subjects by recipient, in order."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.texts: list[str] = []
        self.refuses = 0  # mails that are still to be refused for now
        self.port = 0

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.refuses:
            self.refuses -= 1
            return "451 come again later"
        assert isinstance(envelope.content, bytes)
        message: Any = message_from_bytes(envelope.content, policy=default)
        self.arrived += [(one, str(message["Subject"])) for one in envelope.rcpt_tos]
        self.ids.append(str(message["Message-ID"]))
        self.texts.append(message.get_body(("plain",)).get_content())
        return "250 OK"


@contextmanager
def mail_server() -> Iterator[Mails]:
    """A mail server that takes everything."""
    mails = Mails()
    mails.port = free_port()
    controller = Controller(mails, hostname="127.0.0.1", port=mails.port)
    controller.start()
    try:
        yield mails
    finally:
        controller.stop()


class Hook:
    """A web hook: what was posted where, in order."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        self.port = 0

    def titles(self, path: str) -> list[str]:
        return [str(body["title"]) for at, body in self.posted if at == path]


@contextmanager
def web_hook() -> Iterator[Hook]:
    """A receiver of JSON."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if hook.status == 200:
                hook.posted.append((self.path, body))
            self.send_response(hook.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

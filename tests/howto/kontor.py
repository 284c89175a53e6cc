"""Kontor, the made-up address book of the page, as its page describes it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "kontor-token-1"


class Kontor:
    """An address book on loopback."""

    def __init__(self) -> None:
        self.people: dict[int, dict[str, Any]] = {}
        self.asked: list[str] = []
        self._made = 0
        kontor = self

        class Handler(_Handler):
            book = kontor

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, object]:
        """What Kontor says to a request."""
        parts = urlsplit(target)
        last = parts.path.rpartition("/")[2]
        if method == "POST" and parts.path == "/api/people":
            self._made += 1
            person = {**body, "id": self._made, "email": body["email"].lower()}
            self.people[self._made] = person
            return 201, {"person": person}
        if method == "GET" and parts.path == "/api/people":
            wanted = parse_qs(parts.query)["external_id"][0]
            found = [one for one in self.people.values() if one["external_id"] == wanted]
            return 200, {"people": found}
        if not last.isdecimal() or int(last) not in self.people:
            return 404, {"error": "no such person"}
        if method == "DELETE":
            del self.people[int(last)]
            return 204, None
        return 200, {"person": self.people[int(last)]}


class _Handler(BaseHTTPRequestHandler):
    book: Kontor

    def _do(self) -> None:
        self.book.asked.append(f"{self.command} {self.path}")
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        status, said = self.book.answer(self.command, self.path, body) if known else (401, {})
        self.send_response(status)
        text = b"" if status == 204 else json.dumps(said).encode()
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_DELETE = _do  # noqa: N815 -- the standard library's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

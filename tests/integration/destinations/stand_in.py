"""A system of the test's own, on loopback: it keeps records, and answers as a story tells it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

DEFINITION = """\
connector: fake
kind: http
base_url: {base}
private_network: true
breaker: {{failures: 3, cooldown: 1s}}
actions:
  record:
    idempotency: lookup
    proof: read_back
    required: [email]
    timeout: 2s
    create: {{path: /records, json: {{key: "{{key}}", email: "{{send.email}}"}}, record_id: id}}
    lookup: {{path: /records, query: {{key: "{{key}}"}}, items: items, record_id: id}}
    read: {{path: "/records/{{record_id}}", fields: {{email: email}}}}
"""

Story = Callable[[str], int | None]
"""The status of a creation with this mail address; None where it is kept."""


class StandIn:
    """What was asked for and what is kept; `story` may change at any time."""

    def __init__(self) -> None:
        self.story: Story = lambda _: None
        self.created: list[tuple[float, str]] = []  # when, and with which mail address
        self.kept: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def create(self, body: dict[str, str]) -> tuple[int, Any]:
        """Keep a record, or say what the story says."""
        with self._lock:
            self.created.append((time.monotonic(), body["email"]))
            status = self.story(body["email"])
            if status is not None:
                return status, {"error": "as the story has it"}
            number = str(len(self.kept) + 1)
            self.kept[number] = {"id": number, **body}
            return 201, {"id": number}

    def find(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        """One record by its number, or those of a key."""
        with self._lock:
            number = path.removeprefix("/records").strip("/")
            if number:
                return (200, self.kept[number]) if number in self.kept else (404, {})
            return 200, {"items": [r for r in self.kept.values() if r["key"] == query["key"][0]]}


@contextmanager
def standing_in() -> Iterator[tuple[StandIn, str]]:
    """A stand-in that answers, and its address."""
    stand_in = StandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            self._answer(*stand_in.create(json.loads(self.rfile.read(length))))

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            self._answer(*stand_in.find(url.path, parse_qs(url.query)))

        def _answer(self, status: int, value: Any) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield stand_in, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

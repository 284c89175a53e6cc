"""A provider that takes each refresh token once, and ends the login when an old one comes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

FIRST = "refresh-0-abc"

DEFINITION = """
connector: tool
kind: http
base_url: URL
private_network: true
auth:
  oauth2: {grant: refresh_token, token_url: URL/token, client_id: "env:ID",
    client_secret: "env:SECRET", refresh_token: "env:REFRESH"}
actions:
  record:
    idempotency: none
    proof: receipt
    open_fields: true
    timeout: TIMEOUT
    create: {path: /in, json: "{send}"}
"""
SECRETS = {"ID": "meshline", "SECRET": "cl1ent-s3cret", "REFRESH": FIRST}


class Provider:
    """A token endpoint at /token, and a tool behind it that takes the newest access token only."""

    def __init__(self) -> None:
        self.shown: list[str] = []  # the refresh tokens, in the order in which they came
        self.newest = FIRST
        self.access = ""
        self.minted = 0
        self.seconds: object = 3600
        self.ended = False  # an old refresh token came
        self.taken = self.refused = 0  # by the tool
        self.wait = threading.Event()  # a token is answered when it is set
        self.wait.set()
        self.asked = threading.Event()
        self.takes_only = ""  # of access tokens; else the newest minted
        self.forgets_waiting = False  # what waited is not taken up
        self.url = ""
        self._lock = threading.Lock()

    def definition(self, *, timeout: str = "10s") -> str:
        """A connector's definition that leads here."""
        return DEFINITION.replace("URL", self.url).replace("TIMEOUT", timeout)

    def log_in_anew(self, refresh: str) -> None:
        """What a person does after the login has ended."""
        self.newest, self.ended = refresh, False

    def token(self, refresh: str) -> tuple[int, object]:
        """The answer to a refresh."""
        with self._lock:
            self.shown.append(refresh)
        self.asked.set()
        if not self.wait.is_set():
            self.wait.wait(20)
            if self.forgets_waiting:
                return 503, {}
        with self._lock:
            if self.ended or refresh != self.newest:
                self.ended, self.access = True, ""
                return 400, {"error": "invalid_grant", "shown": refresh}
            self.minted += 1
            self.newest = f"refresh-{self.minted}-abc"
            self.access = f"access-{self.minted}-abc"
            said = {"access_token": self.access, "refresh_token": self.newest}
            return 200, {**said, "expires_in": self.seconds}

    def tool(self, authorization: str) -> tuple[int, object]:
        """The answer of the tool."""
        with self._lock:
            good = self.takes_only or self.access
            if not good or authorization != f"Bearer {good}":
                self.refused += 1
                return 401, {"error": f"not {authorization}"}
            self.taken += 1
            return 200, {}


@contextmanager
def rotating_provider() -> Iterator[Provider]:
    """One that answers in threads of its own, on loopback."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if self.path == "/token":
                status, said = provider.token(parse_qs(body)["refresh_token"][0])
            else:
                status, said = provider.tool(self.headers.get("Authorization", ""))
            text = json.dumps(said).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            except OSError:
                return  # whoever asked was killed

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        provider.wait.set()
        server.shutdown()
        thread.join()
        server.server_close()

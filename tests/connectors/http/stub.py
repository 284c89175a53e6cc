"""An HTTP server that a test tells what to answer, and two definitions to reach it with."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from connectors.definition_file import parse_definition
from connectors.http.connector import HttpConnector
from connectors.http.definition import HttpDefinition
from connectors.http.wire.client import HttpClient
from orchestrator.domain.delivery.handoff import Connector

WEBHOOK = """
connector: hook
kind: http
base_url: URL
private_network: true
auth: {}
actions:
  record:
    idempotency: none
    proof: receipt
    open_fields: true
    timeout: 2s
    create: {path: /in, json: "{send}"}
"""

TOOL = """
connector: tool
kind: http
base_url: URL/api
private_network: true
actions:
  record:
    idempotency: native_key
    proof: read_back
    required: [email]
    timeout: 2s
    create: {method: put, path: "/things/{key}", json: {email: "{send.email}"}, record_id: id}
    read: {path: "/things/{record_id}", fields: {email: email}}
"""


Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Stub:
    """An HTTP server that answers what a test tells it, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.bodies: list[bytes] = []
        self.transports: set[asyncio.Transport] = set()
        self.answers: list[web.Response | Callable[[web.BaseRequest], web.Response]] = []
        self._answer_all: Handler | None = None
        self.url = "http://127.0.0.1:1"

    def handle_with(self, answer: Handler) -> None:
        self._answer_all = answer

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self.server = web.ServerRunner(web.Server(self._handle, access_log=None))
        await self.server.setup()
        await web.TCPSite(self.server, "127.0.0.1", 0, ssl_context=tls).start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server.addresses[0][1]}"

    async def stop(self) -> None:
        await self.server.cleanup()

    def hang_up(self) -> None:
        """Close every open connection, without the loop."""
        for transport in self.transports:
            transport.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        self.transports.add(request.transport)
        self.asked.append(f"{request.method} {request.raw_path}")
        self.headers.append(request.headers)
        if self._answer_all is not None:
            return await self._answer_all(request)
        self.bodies.append(await request.read())
        answer = self.answers.pop(0)
        return answer(request) if callable(answer) else answer

    def connector(self, definition: str) -> Connector:
        """A connector whose definition has URL where this server is."""
        said = parse_definition(definition.replace("URL", self.url), name="test.yaml")
        assert isinstance(said, HttpDefinition)
        return HttpConnector(said, folder=None, client=HttpClient)


def made(record_id: object = "r-1") -> web.Response:
    return web.json_response({"id": record_id}, status=201)

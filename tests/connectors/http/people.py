"""A directory of people over HTTP, which knows each address once: for what refuses and folds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from connectors.definition_file import parse_definition
from connectors.http.connector import HttpConnector
from connectors.http.definition import HttpDefinition
from connectors.http.wire.client import HttpClient
from connectors.rigging import Rig

SECRET = "s3cret-t0ken"
DEFINITION = """
connector: people
kind: http
base_url: env:PEOPLE_URL
private_network: true
auth: {basic: {user: "env:PEOPLE_KEY"}}
actions:
  add:
    idempotency: conflict
    proof: read_back
    required: [email]
    optional: [tier]
    timeout: 5s
    create: &write
      path: /people
      headers: {X-Key: "{key}"}
      json: "{send}"
      record_id: id
    conflict: {status: 409, at: code, is: taken, record_id: other}
    read: &read {path: "/people/{record_id}", fields: {email: email, tier: tier}}
    undo: &undo {path: "/people/{record_id}"}
  add_and_search:
    idempotency: conflict
    proof: read_back
    required: [email]
    optional: [tier]
    timeout: 5s
    create: *write
    conflict: {status: 409}
    lookup: {path: /people, query: {q: "{send.email}"}, items: found, record_id: id,
      where: {email: "{send.email}"}}
    read: *read
    undo: *undo
  change:
    idempotency: native_key
    proof: read_back
    required: [email]
    optional: [tier]
    timeout: 5s
    lookup: {path: /people, query: {q: "{send.email}"}, items: found, record_id: id,
      where: {email: "{send.email}"}}
    update:
      path: "/people/{record_id}"
      headers: {X-Key: "{key}"}
      json: {tier: "{send.tier}"}
    read: *read
  upsert:
    idempotency: native_key
    proof: read_back
    required: [email]
    optional: [tier]
    timeout: 5s
    upsert:
      path: "/people/by-email/{send.email}"
      headers: {X-Key: "{key}"}
      json: "{send}"
      record_id: id
    read: *read
"""


class People(Rig):
    """The directory, and a connector to it."""

    secret = SECRET

    def __init__(self, action: str, environment: pytest.MonkeyPatch) -> None:
        self.action = action
        self.fields = {"email": "lead@example.com", "tier": "pro"}
        self.people: dict[str, dict[str, Any]] = {}
        self.fault: web.Response | None = None
        self.lost = 0  # answers that are still to be lost
        self._environment = environment
        environment.setenv("PEOPLE_KEY", SECRET)
        said = parse_definition(DEFINITION, name="people.yaml")
        assert isinstance(said, HttpDefinition)
        self.connector = HttpConnector(said, folder=None, client=HttpClient)

    def another(self, number: int) -> dict[str, object]:
        return {"email": f"lead-{number}@example.com", "tier": "pro"}

    async def start(self) -> None:
        if self.action == "change":
            for email in ("aa-lead@example.com", "lead@example.com", "lead-1@example.com"):
                self._add({"email": email}, "someone-else")
            self._add({"email": "lead-2@example.com"}, "someone-else")
        self.server = web.ServerRunner(web.Server(self._handle, access_log=None))
        await self.server.setup()
        await web.TCPSite(self.server, "127.0.0.1", 0).start()
        port = self.server.addresses[0][1]
        self._environment.setenv("PEOPLE_URL", f"http://127.0.0.1:{port}")

    async def stop(self) -> None:
        await self.connector.close()
        await self.server.cleanup()

    def effects(self, key: str) -> int:
        return sum(person["key"] == key for person in self.people.values())

    def lose_next_answer(self) -> None:
        # HTTP lets a PUT be repeated on its way, which aiohttp does once.
        self.lost = 2 if self.action == "upsert" else 1

    def refuse_next(self) -> None:
        self.fault = web.Response(status=422, text=f"no {SECRET}")

    def limit_next(self, seconds: int) -> None:
        self.fault = web.Response(status=429, headers={"Retry-After": str(seconds)})

    def refuse_login(self) -> None:
        self._environment.setenv("PEOPLE_KEY", "another")
        self.fault = web.Response(status=401)

    async def go_away(self) -> None:
        await self.connector.close()
        await self.server.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body: dict[str, Any] = await request.json() if await request.read() else {}
        if request.method == "GET":
            return self._show(request)
        fault, self.fault = self.fault, None
        if fault is not None:
            return fault
        answer = self._write(request, body)
        if self.lost:
            self.lost -= 1
            assert isinstance(request.transport, asyncio.Transport)
            request.transport.abort()
        return answer

    def _show(self, request: web.BaseRequest) -> web.Response:
        if "q" in request.query:
            near = [one for one in self.people.values() if request.query["q"] in one["email"]]
            return web.json_response({"found": near})
        person = self.people.get(request.path.rpartition("/")[2])
        return web.json_response(person or {}, status=200 if person else 404)

    def _write(self, request: web.BaseRequest, body: dict[str, Any]) -> web.Response:
        key = request.headers.get("X-Key", "")
        name = request.path.rpartition("/")[2]
        match request.method:
            case "DELETE":
                return web.Response(status=204 if self.people.pop(name, None) else 404)
            case "PATCH":
                self.people[name] |= {**body, "key": key}
                return web.json_response(self.people[name])
        there = self._by_email(body["email"])
        if there and request.method == "POST":
            return web.json_response({"code": "taken", "other": there["id"]}, status=409)
        if there:
            there |= {**body, "key": key}
        return web.json_response(there or self._add(body, key))

    def _by_email(self, email: str) -> dict[str, Any] | None:
        return next((one for one in self.people.values() if one["email"] == email), None)

    def _add(self, body: dict[str, Any], key: str) -> dict[str, Any]:
        person = {"id": f"P{len(self.people) + 1}", **body, "key": key}
        self.people[person["id"]] = person
        return person

"""The sandbox: a stand-in CRM and helpdesk over HTTP, with records of its own.

It is not a product. `make demo` and the tests deliver to it and then count in its ledger what
really arrived: a ticket that is created twice is two tickets. It fails on demand, see
`sandbox_faults`.

    POST /crm/contacts              folds by Idempotency-Key, then by email
    POST /helpdesk/tickets          a new ticket each time; unknown fields are dropped in silence
    POST /records/COLLECTION        any JSON object, a new record each time; Idempotency-Key is kept
    GET  …/ID, GET …?key=KEY        one record; {"items": [records with the key]}
    DELETE …/ID                     204; 404 where there is none
    GET  /ledger                    every record, and how many requests made it
    GET  /ledger?collection=NAME&after=N&count=M    of one kind the M after the first N, without
                                                    what is gone, and whether there are more
    GET, POST, DELETE /faults       what goes wrong next
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections import defaultdict
from hmac import compare_digest
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from orchestrator.sandbox.faults import Fault, Faults, NotAFault
from orchestrator.sandbox.records import Collection, Stored

LOOPBACK = "127.0.0.1"
TOKEN_VARIABLE = "MESHLINE_SANDBOX_TOKEN"  # noqa: S105 -- the variable's name
_CONTACTS, _TICKETS = "crm/contacts", "helpdesk/tickets"
_TICKET_FIELDS = ("title", "queue", "description", "requester")


class Sandbox:
    """The sandbox's records and its answers; `handle` is the whole of its HTTP."""

    def __init__(self, token: str, *, latency: float = 0.0) -> None:
        self.collections: defaultdict[str, Collection] = defaultdict(Collection)
        self.faults = Faults()
        self._latency = latency  # seconds that each request for records takes at least
        self._proof = f"Bearer {token}".encode()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        path = request.rel_url.path
        if path == "/healthz":
            return _json(200, {"ok": True})
        shown = request.headers.get("Authorization", "").encode(errors="surrogateescape")
        if not compare_digest(shown, self._proof):
            return _json(401, {"error": "wrong or missing bearer token"})
        if path == "/faults":
            return await self._handle_faults(request)
        if path == "/ledger":
            return self._show_ledger(request)
        if self._latency:
            await asyncio.sleep(self._latency)
        fault = self.faults.next(request.method, path) if self.faults else None
        if fault is None:
            return await self._handle_records(request, path)
        return await self._fail(fault, request, path)

    def ledger(self) -> dict[str, Any]:
        """Every record there is."""
        return {
            "records": [
                _booked(name, record)
                for name, collection in self.collections.items()
                for record in collection.records.values()
                if not record.gone
            ]
        }

    def _show_ledger(self, request: web.BaseRequest) -> web.Response:
        asked = request.rel_url.query
        name = asked.get("collection")
        if name is None:
            return _json(200, self.ledger())
        after, count = asked.get("after", "0"), asked.get("count", "1000")
        if not (after.isascii() and after.isdigit() and count.isascii() and count.isdigit()):
            return _json(422, {"error": "after and count are numbers from 0"})
        collection = self.collections[name] if name in self.collections else Collection()
        found = collection.page(int(after), int(count))
        more = int(after) + int(count) < len(collection.records)  # a page leaves out what is gone
        return _json(200, {"records": [_booked(name, one) for one in found], "more": more})

    async def _fail(self, fault: Fault, request: web.BaseRequest, path: str) -> web.StreamResponse:
        if fault.waits:
            await request.read()  # whole, so that it is stored even if its sender gives up
            await asyncio.sleep(fault.seconds)
        answer = await self._handle_records(request, path) if fault.stores else None
        if fault.cuts:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return fault.answer() or answer or web.Response(status=500)

    async def _handle_faults(self, request: web.BaseRequest) -> web.Response:
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "POST":
            try:
                self.faults.add(orjson.loads(await request.read()))
            except (orjson.JSONDecodeError, NotAFault) as error:
                return _json(422, {"error": str(error)})
        return _json(200, {"faults": self.faults.shown()})

    async def _handle_records(self, request: web.BaseRequest, path: str) -> web.Response:
        name, record_id = _split(path)
        if name is None:
            return _json(404, {"error": f"there is no {path}"})
        if request.method == "POST" and record_id is None:
            return await self._create(name, request)
        if request.method not in ("GET", "DELETE"):
            return _json(405, {"error": f"{request.method} is not taken here"})
        collection = self.collections[name]
        if record_id is None:
            found = collection.by_key.get(request.rel_url.query.get("key", ""), [])
            return _json(200, {"items": [record.shown() for record in found]})
        record = collection.find(record_id)
        if record is None:
            return _json(404, {"error": f"there is no record {record_id}"})
        if request.method == "DELETE":
            collection.remove(record)
            return web.Response(status=204)
        return _json(200, record.shown())

    async def _create(self, name: str, request: web.BaseRequest) -> web.Response:
        try:
            fields = orjson.loads(await request.read())
        except orjson.JSONDecodeError as error:
            return _json(400, {"error": f"not JSON: {error}"})
        if not isinstance(fields, dict):
            return _json(422, {"error": "the body is not a JSON object"})
        key = request.headers.get("Idempotency-Key")
        collection = self.collections[name]
        if name == _CONTACTS:
            record = collection.upsert(key, fields)
        elif name == _TICKETS:
            kept = {known: fields.get(known) for known in _TICKET_FIELDS}
            external = fields.get("key")
            record = collection.add(external if isinstance(external, str) else None, kept)
        else:
            record = collection.add(key, fields)
        return _json(201, {"id": record.id})


def _booked(name: str, record: Stored) -> dict[str, Any]:
    return {"collection": name, **record.shown(), "creates": record.creates}


def _split(path: str) -> tuple[str | None, str | None]:
    """Collection and record id of a path; no collection where the path leads nowhere."""
    parts = path.strip("/").split("/")
    name = "/".join(parts[:2])
    if len(parts) not in (2, 3) or (name not in (_CONTACTS, _TICKETS) and parts[0] != "records"):
        return None, None
    return name, parts[2] if len(parts) == 3 else None


def _json(status: int, value: object) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")


async def start_sandbox(
    sandbox: Sandbox, *, host: str = LOOPBACK, port: int = 0
) -> tuple[web.ServerRunner, int]:
    """Serve in the running loop; the runner, to be cleaned up, and the port. Raises OSError."""
    server = web.Server(sandbox.handle, access_log=None)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    return runner, int(runner.addresses[0][1])


async def serve(token: str, *, port: int, port_file: Path | None, latency: float) -> None:
    """Serve until SIGTERM or SIGINT. Raises OSError where the port is taken."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner, port = await start_sandbox(Sandbox(token, latency=latency), port=port)
    try:
        if port_file is not None:
            _write_whole(port_file, str(port))
        print(f"sandbox: a stand-in CRM and helpdesk on http://{LOOPBACK}:{port}", flush=True)
        await ended.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    """Run the sandbox as a program; its exit code."""
    parser = argparse.ArgumentParser(prog="sandbox", description="a stand-in CRM and helpdesk")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--port-file", type=Path, help="where to write the port")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that records take")
    options = parser.parse_args()
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        return _refused(f"set {TOKEN_VARIABLE} to the token that requests must bear")
    try:
        asyncio.run(
            serve(
                token,
                port=options.port,
                port_file=options.port_file,
                latency=options.latency,
            )
        )
    except (OSError, OverflowError) as error:
        return _refused(f"cannot start on port {options.port}: {error}")
    return 0


def _refused(why: str) -> int:
    print(f"sandbox: {why}", file=sys.stderr)
    return 1


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that who waits for it never reads a part of it."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(text)
    draft.replace(path)


if __name__ == "__main__":
    sys.exit(main())

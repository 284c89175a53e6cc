"""The made-up system: contacts, and tickets with messages and an address.

It folds nothing: what is sent twice is there twice. A write answers without a body, and a change or
a deletion has to name the state that it is meant for.

    POST /api/contacts, /api/tickets, /api/tickets/ID/messages     201 with Location
    GET  …?NAME=TEXT                                               {"total": n, "items": [records]}
    GET  …/ID                                                      the record, with its ETag
    PATCH, DELETE …/ID                                             204; 428 without If-Match, 412
    PUT  /api/tickets/ID/address                                   204
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import web

MUST_NAME_STATE, OTHER_STATE = 428, 412


@dataclass(kw_only=True)
class Kept:
    """One record."""

    fields: dict[str, Any]
    version: int = 1

    @property
    def etag(self) -> str:
        return f'"v{self.version}"'


@dataclass(kw_only=True)
class Atelier:
    """The system's records, by collection and id, and what it was asked."""

    records: dict[str, dict[str, Kept]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    # Called with what was asked after it was done; what it answers takes the answer's place.
    after: Callable[[str], web.StreamResponse | None] = lambda _: None
    held: Callable[[str], bool] = lambda _: False  # whether an answer is held back for now

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        said = f"{request.method} {request.rel_url.raw_path}"
        self.asked.append(said)
        raw = await request.read()
        body: dict[str, Any] = orjson.loads(raw) if raw else {}
        answer = self._answer(request, body)
        # What was asked for is done; whoever asked does not know it. Another thread ends that.
        while self.held(said):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return self.after(said) or answer

    def put(self, collection: str, **fields: Any) -> str:
        """Keep a record, as somebody else makes it."""
        of_kind = self.records.setdefault(collection, {})
        record_id = str(100 + len(of_kind))
        of_kind[record_id] = Kept(fields=fields)
        return record_id

    def change(self, collection: str, record_id: str, **fields: Any) -> None:
        """Change a record, as somebody else does."""
        kept = self.records[collection][record_id]
        kept.fields |= fields
        kept.version += 1

    def all(self, collection: str) -> list[dict[str, Any]]:
        """The records of one collection."""
        return [kept.fields for kept in self.records.get(collection, {}).values()]

    def _answer(self, request: web.BaseRequest, body: dict[str, Any]) -> web.Response:
        parts = request.rel_url.path.strip("/").split("/")[1:]
        if len(parts) in (1, 3) and parts[-1] != "address":
            return self._collection(request, "/".join(parts), body)
        collection, record_id = "/".join(parts[:-1]), parts[-1]
        if parts[-1] == "address":
            collection, record_id = parts[0], parts[1]
        kept = self.records.get(collection, {}).get(record_id)
        if kept is None:
            return web.json_response({"error": "not there"}, status=404)
        if parts[-1] == "address":
            kept.fields["address"] = body
            return web.Response(status=204)
        return self._record(request, collection, record_id, kept, body)

    def _collection(
        self, request: web.BaseRequest, name: str, body: dict[str, Any]
    ) -> web.Response:
        if request.method == "POST":
            record_id = self.put(name, **body)
            where = f"{request.rel_url.path}/{record_id}"
            return web.Response(status=201, headers={"Location": where})
        items = [
            {"id": record_id, **kept.fields}
            for record_id, kept in self.records.get(name, {}).items()
            if all(str(kept.fields.get(key)) == text for key, text in request.query.items())
        ]
        return web.json_response({"total": len(items), "items": items})

    def _record(
        self,
        request: web.BaseRequest,
        collection: str,
        record_id: str,
        kept: Kept,
        body: dict[str, Any],
    ) -> web.Response:
        if request.method == "GET":
            document = {"id": record_id, **kept.fields}
            return web.json_response(document, headers={"ETag": kept.etag})
        meant = request.headers.get("If-Match")
        if meant is None:
            return web.json_response({"error": "If-Match"}, status=MUST_NAME_STATE)
        if meant != kept.etag:
            return web.json_response({"error": "changed"}, status=OTHER_STATE)
        if request.method == "DELETE":
            del self.records[collection][record_id]
        else:
            self.change(collection, record_id, **body)
        return web.Response(status=204)


class Running:
    """The system in a thread of its own, for processes that call it."""

    def __init__(self, atelier: Atelier) -> None:
        self._atelier = atelier
        self._ready, self._over = threading.Event(), asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        runner = web.ServerRunner(web.Server(self._atelier.handle, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._over.wait()
        await runner.cleanup()

"""An HTTP server that keeps records and answers as one vendor's documentation says."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import web

TOKEN = "s3cret-t0ken"
USER = "agent@agency.example/token"
BASIC = "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    named: Mapping[str, str]  # the parts of the path that its route names
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        value: Json = orjson.loads(self.body)
        return value


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer; a text goes out as it is, anything else as JSON."""

    status: int = 200
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class Kept:
    """One record."""

    id: str
    kind: str
    fields: Json
    at: float  # in the stand-in's own seconds


Handler = Callable[[Asked], Reply]


class StandIn:
    """What is the same for every vendor: the door, the records, a clock of its own."""

    base = ""  # what of the path belongs to the base URL

    def __init__(self) -> None:
        self.url = ""
        self._routes = [(method, re.compile(path), do) for method, path, do in self.routes()]
        self.forget()

    def forget(self) -> None:
        """Be as new."""
        self.kept: dict[str, Kept] = {}
        self.asked: list[Asked] = []
        self.now = 0.0
        self.token_is_good = True
        self.limit_next = 0  # so many requests get the vendor's 429
        self.spoil: Callable[[Json], None] = lambda fields: None
        self._ids = self.ids()

    # What a vendor's own file says.

    def ids(self) -> Iterator[str]:
        return (str(number) for number in itertools.count(1001))

    def routes(self) -> list[tuple[str, str, Handler]]:
        raise NotImplementedError

    def signed_in(self, asked: Asked) -> bool:
        return asked.headers.get("Authorization") == f"Bearer {TOKEN}"

    def counts(self, asked: Asked) -> bool:
        """Whether a request counts against the rate."""
        return True

    def unauthorized(self) -> Reply:
        return Reply(status=401, body={"message": "Unauthorized"})

    def limited(self) -> Reply:
        return Reply(
            status=429, body={"message": "Too many requests"}, headers={"Retry-After": "7"}
        )

    def missing(self) -> Reply:
        return Reply(status=404, body={"message": "Not found"})

    # What its handlers and its tests use.

    def pass_by(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds

    def keep(self, kind: str, fields: Json, record_id: str | None = None) -> Kept:
        self.spoil(fields)
        record = Kept(id=record_id or next(self._ids), kind=kind, fields=fields, at=self.now)
        self.kept[record.id] = record
        return record

    def of(self, kind: str, **wanted: object) -> list[Kept]:
        return [
            one
            for one in self.kept.values()
            if one.kind == kind and all(one.fields.get(k) == v for k, v in wanted.items())
        ]

    def found(self, asked: Asked, kind: str) -> Kept | None:
        record = self.kept.get(asked.named["id"])
        return record if record is not None and record.kind == kind else None

    # The door.

    async def start(self) -> None:
        self._server = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=0.1
        )
        await self._server.setup()
        await web.TCPSite(self._server, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._server.addresses[0][1]}{self.base}"

    async def stop(self) -> None:
        await self._server.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        try:
            body = await request.read()
        except (ConnectionError, web.RequestPayloadError):
            return web.Response(status=400)  # the half of a request: nobody hears this
        asked = Asked(
            method=request.method,
            path=request.path.removeprefix(self.base),
            named={},
            query={name: last[-1] for name, last in parse_qs(request.query_string).items()},
            headers=request.headers,
            body=body,
        )
        self.asked.append(asked)
        reply = self._answer(asked)
        if isinstance(reply.body, str):
            return web.Response(status=reply.status, text=reply.body, headers=reply.headers)
        content = b"" if reply.body is None else orjson.dumps(reply.body)
        return web.Response(
            status=reply.status,
            body=content,
            headers={"Content-Type": "application/json", **reply.headers},
        )

    def _answer(self, asked: Asked) -> Reply:
        if not self.token_is_good or not self.signed_in(asked):
            return self.unauthorized()
        if self.limit_next and self.counts(asked):
            self.limit_next -= 1
            return self.limited()
        for method, path, do in self._routes:
            match = path.fullmatch(asked.path)
            if method == asked.method and match:
                return do(Asked(**{**vars(asked), "named": match.groupdict()}))
        return self.missing()


def given(**fields: object) -> Json:
    """What of these is there."""
    return {name: value for name, value in fields.items() if value is not None}

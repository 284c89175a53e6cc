"""A proxy between a connector and its vendor that spoils one exchange on purpose."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

_MOMENT = 0.01  # seconds


@dataclass(frozen=True, kw_only=True)
class Passing:
    """One exchange on its way through."""

    proxy: FaultProxy
    request: web.BaseRequest
    body: bytes

    async def on(self) -> web.Response:
        """Hand the request on; the vendor's answer."""
        return await self.proxy.hand_on(self.request, self.body)

    async def given_up(self) -> None:
        """Wait until nobody waits for the answer any more."""
        for _ in range(1_000):
            if self.request.transport is None or self.request.transport.is_closing():
                break
            await asyncio.sleep(_MOMENT)

    def cut(self) -> web.Response:
        """Hang up on the connector."""
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response()


Fault = Callable[[Passing], Awaitable[web.Response]]


class FaultProxy:
    """Passes everything on, but for the next exchange that its fault is meant for."""

    def __init__(self) -> None:
        self.target = ""  # scheme, host and port
        self.met: list[str] = []  # the faults that came about
        self.wrong_id: Callable[[bytes], bytes] = lambda body: body
        self._fault: tuple[str, str, Fault] | None = None
        self._on_their_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def next(self, name: str, *, at: str) -> None:
        """Spoil the next write (or read, or anything but a write)."""
        self._fault = (name, at, {**FAULTS, **SLOW}[name])

    async def quiet(self) -> None:
        """Wait until nothing is on its way any more, not even what nobody waits for."""
        await self._idle.wait()

    def through(self, url: str) -> str:
        """The same address, by way of this proxy."""
        parts = urlsplit(url)
        self.target = f"{parts.scheme}://{parts.netloc}"
        return url.replace(self.target, f"http://127.0.0.1:{self._server.addresses[0][1]}")

    async def __aenter__(self) -> Self:
        self._client = aiohttp.ClientSession(auto_decompress=False)
        self._server = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=0.1
        )
        await self._server.setup()
        await web.TCPSite(self._server, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.quiet()
        await self._client.close()
        await self._server.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        self._on_their_way += 1
        self._idle.clear()
        try:
            passing = Passing(proxy=self, request=request, body=await request.read())
            return await self._fitting(request)(passing)
        finally:
            self._on_their_way -= 1
            if not self._on_their_way:
                self._idle.set()

    def _fitting(self, request: web.BaseRequest) -> Fault:
        if self._fault is not None:
            name, at, fault = self._fault
            if (at == "write") == (request.method != "GET"):
                self._fault = None
                self.met.append(f"{name} at {at}")
                return fault
        return Passing.on

    async def hand_on(self, request: web.BaseRequest, body: bytes) -> web.Response:
        headers = {k: v for k, v in request.headers.items() if k not in ("Host", "Content-Length")}
        async with self._client.request(
            request.method, self.target + request.raw_path, data=body or None, headers=headers
        ) as answer:
            kept = {k: v for k, v in answer.headers.items() if k in ("Content-Type", "Retry-After")}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)

    async def send_half(self, passing: Passing) -> None:
        """Half of the request, and then nothing more."""
        port = urlsplit(self.target).port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"{passing.request.method} {passing.request.raw_path} HTTP/1.1\r\nHost: v\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(passing.body)}\r\n"
        head += "".join(
            f"{name}: {value}\r\n"
            for name, value in passing.request.headers.items()
            if name.lower() not in ("host", "content-type", "content-length")
        )
        writer.write(head.encode() + b"\r\n" + passing.body[: len(passing.body) // 2])
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def _cut_before(passing: Passing) -> web.Response:
    return passing.cut()


async def _cut_during(passing: Passing) -> web.Response:
    await passing.proxy.send_half(passing)
    return passing.cut()


async def _cut_after(passing: Passing) -> web.Response:
    await passing.on()
    return passing.cut()


async def _slow_answer(passing: Passing) -> web.Response:
    answer = await passing.on()
    await passing.given_up()
    return answer


async def _slow_request(passing: Passing) -> web.Response:
    """It arrives when its sender has given up."""
    await passing.given_up()
    return await passing.on()


async def _error_before(passing: Passing) -> web.Response:
    return web.Response(status=500, text="Internal Server Error")


async def _error_after(passing: Passing) -> web.Response:
    await passing.on()
    return web.Response(status=500, text="Internal Server Error")


async def _bad_gateway_after(passing: Passing) -> web.Response:
    await passing.on()
    return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")


async def _limited(passing: Passing) -> web.Response:
    return web.Response(status=429, headers={"Retry-After": "7"})


async def _busy(passing: Passing) -> web.Response:
    return web.Response(status=503, headers={"Retry-After": "7"})


async def _not_json(passing: Passing) -> web.Response:
    await passing.on()
    return web.Response(text="<html>Welcome</html>", content_type="text/html")


async def _other_json(passing: Passing) -> web.Response:
    await passing.on()
    return web.json_response({"result": "fine"})


async def _huge(passing: Passing) -> web.Response:
    await passing.on()
    return web.Response(body=b'{"x": "' + b"y" * 3_000_000 + b'"}', content_type="application/json")


async def _other_record(passing: Passing) -> web.Response:
    answer = await passing.on()
    assert isinstance(answer.body, bytes)
    body = passing.proxy.wrong_id(answer.body)
    return web.Response(status=answer.status, body=body, headers=answer.headers)


FAULTS: dict[str, Fault] = {
    "cut before it reached the vendor": _cut_before,
    "cut half way": _cut_during,
    "cut after it was stored": _cut_after,
    "500 before it was stored": _error_before,
    "500 after it was stored": _error_after,
    "a gateway's 502 after it was stored": _bad_gateway_after,
    "429": _limited,
    "503": _busy,
    "an answer that is not JSON": _not_json,
    "an answer of another shape": _other_json,
    "a huge answer": _huge,
    "an answer with another record's id": _other_record,
}
SLOW: dict[str, Fault] = {
    "an answer that is too slow": _slow_answer,
    "a request that arrives too late": _slow_request,
}

"""A small real proxy: CONNECT and absolute addresses, with a login if need be."""

from __future__ import annotations

import asyncio
import base64
import re


class ConnectProxy:
    """Leads every target to one port of this machine, and remembers what it was asked."""

    def __init__(
        self, upstream: int, *, login: str | None = None, answer: bytes = b"200 OK"
    ) -> None:
        self.asked: list[str] = []
        self._serving: set[asyncio.Task[None]] = set()
        self._upstream = upstream
        self._login = login and base64.b64encode(login.encode()).decode()
        self._answer = answer

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, rest = head.partition(b"\r\n")
        method, target, _ = line.decode().split()
        self.asked.append(f"{method} {target}")
        if self._login and f"Basic {self._login}".encode() not in rest:
            writer.write(b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n")
        elif method == "CONNECT" and self._answer != b"200 OK":
            writer.write(b"HTTP/1.1 " + self._answer + b"\r\nContent-Length: 0\r\n\r\n")
        else:
            await self._carry(method, head, reader, writer)
        writer.close()

    async def _carry(
        self, method: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", self._upstream)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            outer.write(re.sub(rb" http://[^/ ]+", b" ", head, count=1))
        await asyncio.gather(_pour(reader, outer), _pour(inner, writer))


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while some := await source.read(65_536):
            sink.write(some)
            await sink.drain()
    except OSError:
        pass
    sink.close()

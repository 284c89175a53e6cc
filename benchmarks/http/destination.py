"""The destination of the HTTP rows: a process of its own that keeps records, and counts.

    POST /records      keeps {"reference": …}; a repeated Idempotency-Key is the same record
    GET  /records/ID   {"id": ID, "fields": {…}}
    GET  /ledger       {"posts": …, "records": …, "references": …, "reads": …}

It answers by hand, because a framework would take more of the machine than who is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import orjson

from benchmarks.stand import Stand
from orchestrator.embedded.child import Program
from orchestrator.embedded.ports import LOOPBACK, free_port
from orchestrator.embedded.ready import listens


class Ledger:
    """Every record, and how many requests made and read them."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.by_key: dict[bytes, int] = {}
        self.references: set[str] = set()
        self.posts = self.reads = 0

    def answer(self, head: bytes, body: bytes) -> tuple[bytes, bytes]:
        """Status line and body for one request."""
        method, path, _ = head.split(b" ", 2)
        if method == b"POST" and path == b"/records":
            return b"201 Created", b'{"id":"%d"}' % self._keep(
                _header(head, b"idempotency-key"), body
            )
        if path == b"/ledger":
            return b"200 OK", orjson.dumps(self.counts())
        number = path.rpartition(b"/")[2]
        if method == b"GET" and number.isdigit() and int(number) < len(self.records):
            self.reads += 1
            return b"200 OK", b'{"id":"%s","fields":%s}' % (number, self.records[int(number)])
        return b"404 Not Found", b"{}"

    def counts(self) -> dict[str, int]:
        """What a check compares with what was sent."""
        return {
            "posts": self.posts,
            "records": len(self.records),
            "references": len(self.references),
            "reads": self.reads,
        }

    def _keep(self, key: bytes, body: bytes) -> int:
        self.posts += 1
        self.references.add(orjson.loads(body)["reference"])
        if key not in self.by_key:
            self.by_key[key] = len(self.records)
            self.records.append(body)
        return self.by_key[key]


class Connection(asyncio.Protocol):
    """One client's connection, kept open; requests come one after the other."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._got += data
        while (end := self._got.find(b"\r\n\r\n")) >= 0:
            head, rest = self._got[:end], self._got[end + 4 :]
            length = int(_header(head, b"content-length") or 0)
            if len(rest) < length:
                return
            self._got = rest[length:]
            status, body = self._ledger.answer(head, rest[:length])
            self._transport.write(
                b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (status, len(body), body)
            )


def _header(head: bytes, name: bytes) -> bytes:
    at = head.lower().find(b"\r\n%s:" % name)
    if at < 0:
        return b""
    return head[at + len(name) + 3 :].partition(b"\r\n")[0].strip()


async def serve(port: int) -> None:
    """Serve until SIGTERM."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    ledger = Ledger()
    await loop.create_server(lambda: Connection(ledger), LOOPBACK, port, backlog=1024)
    await ended.wait()


class Destination:
    """The running destination, as the benchmark sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.address = url.removeprefix("http://")

    def check(self, count: int, *, reads: int = 0) -> None:
        """Each event made one record with one request, and was read so often. RuntimeError."""
        with urllib.request.urlopen(f"{self.url}/ledger") as answer:
            counted = orjson.loads(answer.read())
        expected = {"posts": count, "records": count, "references": count, "reads": reads}
        if counted != expected:
            raise RuntimeError(f"the destination counts {counted}, and not {expected}")


@contextmanager
def running_destination(stand: Stand) -> Iterator[Destination]:
    """A new destination for the length of the block; it is not part of what is measured."""
    port = free_port()
    program = Program(
        name="destination",
        command=(sys.executable, "-m", "benchmarks.http.destination", str(port)),
        ready=listens(port),
    )
    with stand.beside(program):
        yield Destination(f"http://{LOOPBACK}:{port}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    asyncio.run(serve(parser.parse_args().port))

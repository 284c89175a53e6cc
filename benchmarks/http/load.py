"""The load generator: a process of its own that sends ready-made requests over kept connections.

It prints {"seconds": …, "each": [seconds of each request]} and ends with 1 where an answer was not
2xx. All requests are made before the clock runs, and of an answer only status and length are read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import orjson

from benchmarks.workload import CLIENT, TYPE, order, sent

DOOR, DESTINATION = "door", "destination"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is sent: `count` events, `together` in each request, over so many connections."""

    kind: str  # DOOR or DESTINATION
    address: str  # HOST:PORT
    key: str = ""  # of the door
    first: int = 0
    count: int = 1
    together: int = 1  # 1: a request with a single event
    connections: int = 1  # each sends its next request when the one before is answered

    def requests(self) -> Iterator[bytes]:
        """Every request, whole."""
        for at in range(self.first, self.first + self.count, self.together):
            most = min(self.together, self.first + self.count - at)
            if self.kind == DESTINATION:
                yield self._request("/records", sent(order(at)), f"Idempotency-Key: load-{at}")
                continue
            events = [self._event(at + number) for number in range(most)]
            authorization = f"Authorization: Bearer {self.key}"
            body = events if self.together > 1 else events[0]
            yield self._request("/v1/events", body, authorization)

    def _event(self, number: int) -> dict[str, object]:
        key = f"load-{number}"
        return {"client": CLIENT, "type": TYPE, "data": order(number), "idempotency_key": key}

    def _request(self, path: str, body: object, header: str) -> bytes:
        content = orjson.dumps(body)
        kind = "vnd.meshline.batch+json" if isinstance(body, list) else "json"
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self.address}\r\nContent-Type: application/{kind}\r\n"
            f"Content-Length: {len(content)}\r\n{header}\r\n\r\n"
        )
        return head.encode() + content


class Sender(asyncio.Protocol):
    """One connection; it takes its requests from an iterator that all of them share."""

    def __init__(self, requests: Iterator[bytes], each: list[float]) -> None:
        self._requests = requests
        self._each = each
        self._got = b""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send_next(self) -> None:
        """Send the next request, or be over."""
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self.over.set_result(None)
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read an answer, then send what comes next."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        if len(body) < int(length):
            return
        self._each.append(time.perf_counter() - self._sent_at)
        if head.split(b" ", 2)[1][:1] != b"2":
            self.over.set_exception(RuntimeError(self._got[:1000].decode(errors="replace")))
            self._transport.close()
            return
        self._got = b""
        self.send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail, unless it was over."""
        if not self.over.done():
            self.over.set_exception(exc or RuntimeError("the other side hung up"))


async def send_all(load: Load) -> dict[str, object]:
    """Send it all; how long it took, and each request of it."""
    requests, each = iter(list(load.requests())), list[float]()
    host, _, port = load.address.partition(":")
    loop = asyncio.get_running_loop()
    senders = [
        (await loop.create_connection(lambda: Sender(requests, each), host, int(port)))[1]
        for _ in range(load.connections)
    ]
    start = time.perf_counter()
    for sender in senders:
        sender.send_next()
    await asyncio.gather(*(sender.over for sender in senders))
    return {"seconds": time.perf_counter() - start, "each": each}


def run_load(load: Load) -> tuple[float, list[float]]:
    """Send it from a process of its own; the seconds of it all, and of each request.

    Raises RuntimeError where an answer was not 2xx.
    """
    arguments = [f"--{name}={value}" for name, value in asdict(load).items()]
    command = [sys.executable, "-m", "benchmarks.http.load", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    return float(said["seconds"]), [float(one) for one in said["each"]]


def _options() -> Load:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("kind", "address", "key"):
        parser.add_argument(f"--{name}")
    for name in ("first", "count", "together", "connections"):
        parser.add_argument(f"--{name}", type=int)
    return Load(**vars(parser.parse_args()))


if __name__ == "__main__":
    json.dump(asyncio.run(send_all(_options())), sys.stdout)

"""Requests for a real door over real sockets: whole or broken, several at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator, Sequence

from tests.fuzz.bounds import WALL_SECONDS, Finding, Kind
from tests.fuzz.requests import Requests
from tests.fuzz.system import FuzzedSystem

_AT_ONCE = 8
_SENT_WHOLE_WITHIN = 0.5  # seconds; a broken head may promise a body that never comes


def knock(system: FuzzedSystem, numbers: Sequence[int], seed: int) -> list[Finding]:
    """Send each request of `numbers`, and judge the answers."""
    return asyncio.run(_all(system, numbers, seed))


async def _all(system: FuzzedSystem, numbers: Sequence[int], seed: int) -> list[Finding]:
    left, found = iter(numbers), list[Finding]()

    async def caller() -> None:
        for number in left:
            raw = Requests(random.Random(f"{seed}:door:{number}"), system.key).any()
            for kind, detail in _judged(await _answer(system.port, raw), system):
                found.append(
                    Finding(kind=kind, surface="door", number=number, detail=detail, raw=raw)
                )

    await asyncio.gather(*(caller() for _ in range(_AT_ONCE)))
    return found


async def _answer(port: int, raw: bytes) -> bytes | Finding:
    """All that comes back on a connection of its own; a Finding where nothing does in time."""
    try:
        async with asyncio.timeout(WALL_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(raw)
                return await _first_answer(reader, writer, bodiless=raw.startswith(b"HEAD "))
            finally:
                writer.close()
    except TimeoutError:
        detail = f"no answer within {WALL_SECONDS:g} s"
        return Finding(kind=Kind.SLOW, surface="door", number=-1, detail=detail)
    except ConnectionRefusedError:
        return Finding(kind=Kind.CRASHED, surface="door", number=-1, detail="nobody listens")
    except OSError:
        return b""  # it hung up on what it could not read


async def _first_answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, bodiless: bool
) -> bytes:
    """The first answer's head and what comes with it; an answer to HEAD announces, and ends."""
    try:
        async with asyncio.timeout(_SENT_WHOLE_WITHIN):
            head = await reader.read(65_536)
    except TimeoutError:
        writer.write_eof()  # whoever still waits for the rest of a request is told that none comes
        head = await reader.read(65_536)
    top, _, body = head.partition(b"\r\n\r\n")
    size = 0
    for line in top.lower().split(b"\r\n"):
        if line.startswith(b"content-length:") and not bodiless:
            size = int(line.split(b":")[1])
    while len(body) < size and (piece := await reader.read(65_536)):
        body += piece
    return top + b"\r\n\r\n" + body


def _judged(answer: bytes | Finding, system: FuzzedSystem) -> Iterator[tuple[Kind, str]]:
    if isinstance(answer, Finding):
        yield answer.kind, answer.detail
        return
    status = answer.split(b" ", 2)[1:2]
    if status in ([b"500"], [b"501"], [b"502"]) or b"Traceback" in answer:
        yield Kind.CRASHED, answer[:1_500].decode(errors="replace")
    if system.secret.encode() in answer or system.key.encode() in answer:
        yield Kind.LEAKED, answer[:1_500].decode(errors="replace")

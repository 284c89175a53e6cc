"""Reading a body: no more than it may be, no longer than it may take, no more at once than fits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from orchestrator.api.problems import BodyTooSlow, DoorFull, KeyBusy, Problem
from orchestrator.domain.errors import PayloadTooLarge

_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 * 1024 * 1024


class Room:
    """How many bytes of bodies the door has in hand at once: over all requests, and for one key."""

    def __init__(self, most: int, *, share: int) -> None:
        self.left = most
        self.share = share  # bytes
        self.held: dict[str, int] = {}  # bytes by key

    @contextmanager
    def hold(self) -> Iterator[HeldBytes]:
        """Room for one request's body, given back when the request is done."""
        hold = HeldBytes(self)
        try:
            yield hold
        finally:
            hold.give_back()


class HeldBytes:
    """What one request has in hand."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._key = ""
        self.size = 0  # bytes

    def belongs_to(self, key: str) -> None:
        """Name the key whose share is used; before anything is held."""
        self._key = key

    def take(self, size: int) -> None:
        """Hold `size` bytes more. Raises DoorFull, KeyBusy."""
        held = self._room.held.get(self._key, 0) + size
        if size > self._room.left:
            raise DoorFull("too many bodies are on their way in", fix="send it again in a moment")
        if held > self._room.share:
            raise KeyBusy(
                "too many bodies of this key are on their way in", fix="send it again in a moment"
            )
        self._room.left -= size
        self._room.held[self._key] = held
        self.size += size

    def give_back(self) -> None:
        """Hold nothing any more."""
        room, self.size, size = self._room, 0, self.size
        if not size:
            return
        room.left += size
        room.held[self._key] -= size
        if not room.held[self._key]:
            del room.held[self._key]


async def read_body(request: Request, hold: HeldBytes, *, limit: int, seconds: float) -> bytes:
    """The whole body. Raises PayloadTooLarge, BodyTooSlow, DoorFull, KeyBusy, ClientDisconnect."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                if len(body) + len(part) > limit:
                    raise _too_large(limit)
                hold.take(len(part))
                body += part
    except TimeoutError:
        raise BodyTooSlow(
            f"the body did not arrive within {seconds:g} s", fix="send it again, faster"
        ) from None
    return bytes(body)


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"the body is larger than {limit} bytes",
        field="body",
        fix="send less, or raise the limit: see MESHLINE_MAX_BODY_BYTES and _MAX_BATCH_BYTES",
    )


class EarlyAnswer(Response):
    """A problem that is answered before the body was read; the connection is closed after it.

    A connection that is closed over unread bytes is reset, and the answer may be lost with it. So
    the answer goes out first, and what still comes is taken and thrown away for a moment.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.body, problem.status_code, problem.headers)
        self.headers["connection"] = "close"

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - Starlette's signature
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer, linger, close."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        if self.status_code != HTTPStatus.REQUEST_TIMEOUT:  # nothing comes there
            await _swallow(receive)
        await send({"type": "http.response.body", "body": b""})


async def _swallow(receive: Receive) -> None:
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        pass

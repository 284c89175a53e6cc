"""Taking a request in: who calls, in which form, and its body, no more than fits."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from time import monotonic

from starlette.datastructures import Headers
from starlette.requests import Request

from orchestrator.api.headers.packed import ENCODING, Unpacking, is_packed
from orchestrator.api.problems import BodyTooSlow, DoorFull, KeyBusy, UnsupportedContent
from orchestrator.domain.cloud_events.attributes import declares_json
from orchestrator.domain.errors import KeyRefused, PayloadTooLarge
from orchestrator.operations.access.keys import Caller

REMEMBERED_SECONDS = 5.0
"""A revoked key may still be taken for this long, by each door."""

_MOST_REMEMBERED = 1_000


class KeyRing:
    """Keys that were good a moment ago. Those that were refused are asked for every time."""

    def __init__(
        self, check: Callable[[str], Awaitable[Caller]], *, seconds: float = REMEMBERED_SECONDS
    ) -> None:
        self._check = check
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._used: set[str] = set()

    async def caller(self, authorization: str | None) -> Caller:
        """Who holds the key of an `Authorization` header. Raises KeyRefused, StoreUnavailable."""
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise KeyRefused(
                "the request has no key",
                field="Authorization",
                fix="send `Authorization: Bearer KEY` with a key from `meshline keys create`",
            )
        digest = hashlib.sha256(key.encode()).digest()  # the key itself is not kept
        known = self._known.get(digest)
        if known and monotonic() < known[0]:
            self._used.add(known[1].key_id)
            return known[1]
        self._known.pop(digest, None)
        caller = await self._check(key)
        self._known[digest] = (monotonic() + self._seconds, caller)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        self._used.add(caller.key_id)
        return caller

    def take_used(self) -> set[str]:
        """The ids of keys that were used since the last time this was asked."""
        used, self._used = self._used, set()
        return used


_LARGE_BODY = 512 * 1024  # bytes; what one leaves behind is worth giving back


class Room:
    """How many bytes of bodies the door has in hand at once: over all requests, and for one key.

    `after_large` is called when a large body is given back.
    """

    def __init__(
        self, most: int, *, share: int, after_large: Callable[[], object] = lambda: None
    ) -> None:
        self.left = most
        self.share = share  # bytes
        self.held: dict[str, int] = {}  # bytes by key
        self._after_large = after_large

    @contextmanager
    def hold(self) -> Iterator[HeldBytes]:
        """Room for one request's body, given back when the request is done."""
        hold = HeldBytes(self)
        try:
            yield hold
        finally:
            if hold.size > _LARGE_BODY:
                self._after_large()
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


class Form(StrEnum):
    """The forms of a trigger. Each value is the media type that announces it."""

    PLAIN = "application/json"
    PLAIN_BATCH = "application/vnd.meshline.batch+json"
    STRUCTURED = "application/cloudevents+json"
    STRUCTURED_BATCH = "application/cloudevents-batch+json"
    BINARY = "with ce- headers: any JSON type"


BATCHES = (Form.PLAIN_BATCH, Form.STRUCTURED_BATCH)
"""The forms of which the body holds an array of triggers."""


def form_of(headers: Headers) -> Form:
    """The form that a request announces. Raises UnsupportedContent."""
    content_type = headers.get("content-type", "")
    kind = media_type(content_type)
    if kind in (Form.PLAIN_BATCH, Form.STRUCTURED, Form.STRUCTURED_BATCH):
        form = Form(kind)
    elif any(name.startswith("ce-") for name in headers) and (not kind or declares_json(kind)):
        form = Form.BINARY
    elif kind == Form.PLAIN:
        form = Form.PLAIN
    else:
        said = f"{kind!r} is not read here" if kind else "the body's type is not said"
        raise UnsupportedContent(
            said, field="Content-Type", fix=f"send one of: {', '.join(list(Form)[:4])}"
        )
    refuse_encoded(headers)
    return form


def media_type(content_type: str) -> str:
    """The type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def refuse_encoded(headers: Headers) -> None:
    """Raises UnsupportedContent for a body in a coding or a charset that is not read."""
    _refuse_other_charsets(headers.get("content-type", ""))
    _is_packed(headers)


def _refuse_other_charsets(content_type: str) -> None:
    for parameter in content_type.lower().split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "charset" and value.strip(' "') not in ("utf-8", "utf8", "us-ascii"):
            raise UnsupportedContent(
                f"the charset {value.strip()!r} is not read here",
                field="Content-Type",
                fix="encode the body as UTF-8",
            )


def _is_packed(headers: Headers) -> bool:
    return ENCODING in headers and is_packed(headers)


async def read_body(request: Request, hold: HeldBytes, *, limit: int, seconds: float) -> bytes:
    """The whole body, expanded; `limit` is of its bytes before and after that.

    Raises PayloadTooLarge, BodyTooSlow, DoorFull, KeyBusy, UnsupportedContent, PackedWrong,
    ClientDisconnect.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    pieces = _expanded(request, limit) if _is_packed(request.headers) else request.stream()
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for part in pieces:
                if len(body) + len(part) > limit:
                    raise _too_large(limit)
                hold.take(len(part))
                body += part
    except TimeoutError:
        raise BodyTooSlow(
            f"the body did not arrive within {seconds:g} s", fix="send it again, faster"
        ) from None
    return bytes(body)


async def _expanded(request: Request, limit: int) -> AsyncIterator[bytes]:
    """A compressed body in pieces; between two of them the other requests have a turn."""
    unpacking, came = Unpacking(), 0
    async for part in request.stream():
        came += len(part)
        if came > limit:
            raise _too_large(limit)
        for piece in unpacking.expand(part):
            yield piece
            await asyncio.sleep(0)
    unpacking.end()


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"the body is larger than {limit} bytes",
        field="body",
        fix="send less, or raise the limit: see MESHLINE_MAX_BODY_BYTES and _MAX_BATCH_BYTES",
    )

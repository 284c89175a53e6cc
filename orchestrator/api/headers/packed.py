"""The header `Content-Encoding`: bodies that come compressed, expanded within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from starlette.datastructures import Headers

from orchestrator.api.problems import PackedWrong, UnsupportedContent
from orchestrator.domain.errors import PayloadTooLarge

ENCODING = "Content-Encoding"
"""The header that this is about."""

MOST_TIMES = 100
"""A body is refused once it is this many times as large as what came, beyond the first bytes."""

FREE_BYTES = 1024 * 1024
"""Bytes of an expanded body before the ratio counts: the largest body of one trigger."""

MOST_MEMBERS = 100
"""Parts that were compressed by themselves, in one body."""

PIECE_BYTES = 64 * 1024

_GZIP = ("gzip", "x-gzip")  # RFC 9110, section 8.4.1.3: recipients take one for the other
_WINDOW = 16 + zlib.MAX_WBITS  # of a gzip header and trailer, with its checksum


def is_packed(headers: Headers) -> bool:
    """Whether the body is gzip; False where it comes as it is. Raises UnsupportedContent."""
    given = ",".join(headers.getlist(ENCODING)).lower()
    codings = [coding for part in given.split(",") if (coding := part.strip())]
    applied = [coding for coding in codings if coding != "identity"]
    if not applied:
        return False
    if len(applied) == 1 and applied[0] in _GZIP:
        return True
    raise UnsupportedContent(
        f"the encoding {given[:100]!r} is not read here",
        field=ENCODING,
        fix="send the body as it is, or with gzip once",
    )


class Unpacking:
    """Expands one body, as its parts come."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_WINDOW)
        self._members = 1
        self._came = self._gone = 0  # bytes before and after

    def expand(self, part: bytes) -> Iterator[bytes]:
        """What a part of the body expands to, in pieces. Raises PackedWrong, PayloadTooLarge."""
        self._came += len(part)
        more = False  # a full piece: zlib may hold what follows, with nothing left to give it
        while part or more:
            if self._member.eof:
                self._next_member()
            try:
                piece = self._member.decompress(part, PIECE_BYTES)
            except zlib.error:
                raise _wrong("the body is not gzip") from None
            part = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            more = len(piece) == PIECE_BYTES and not self._member.eof
            self._count(piece)
            yield piece

    def end(self) -> None:
        """Nothing more comes. Raises PackedWrong where the body is cut short."""
        if not self._member.eof:
            raise _wrong("the gzip body is cut short")

    def _next_member(self) -> None:
        self._member = zlib.decompressobj(_WINDOW)
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise _wrong(f"the gzip body has more than {MOST_MEMBERS} members")

    def _count(self, piece: bytes) -> None:
        self._gone += len(piece)
        if self._gone > FREE_BYTES and self._gone > MOST_TIMES * self._came:
            raise PayloadTooLarge(
                f"the body expands to more than {MOST_TIMES} times its size",
                field=ENCODING,
                fix="send it as it is, or in smaller batches",
            )


def _wrong(detail: str) -> PackedWrong:
    return PackedWrong(detail, field=ENCODING, fix="compress the whole body with gzip, once")

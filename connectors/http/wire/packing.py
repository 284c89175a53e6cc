"""A body that came packed though nobody asked for it, unpacked within its bound."""

from __future__ import annotations

import zlib

_GZIP = b"\x1f\x8b\x08"
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
_MOST_LAYERS = 2  # each costs as much as the bound of an answer allows
_BEGINS_JSON = (b"{", b"[", b'"')
_PLAIN = frozenset({"", "identity"})


class Unpackable(ValueError):
    """Raised when a packed body is broken, too large, or packed in a way that nobody asked for."""


def unpacked(body: bytes, encoding: str, limit: int) -> bytes:
    """The body as it was before the server packed it. Raises Unpackable.

    `encoding` is the header Content-Encoding; no more than `limit` bytes come of it.
    """
    if not body:
        return body
    words = [word.strip().lower() for word in encoding.split(",")]
    layers = [word for word in words if word not in _PLAIN]
    if len(layers) > _MOST_LAYERS:
        raise Unpackable(f"answered with something packed {len(layers)} times")
    for word in reversed(layers):
        if word not in _PACKED:
            raise Unpackable(f"answered with something packed as {word[:20]!r}")
        body = _unfolded(body, limit)
    # Some servers pack and forget to say so; no JSON begins like that.
    return _unfolded(body, limit) if body.startswith(_GZIP) else body


def _unfolded(body: bytes, limit: int) -> bytes:
    """What gzip, zlib or bare deflate made of a body."""
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        stream = zlib.decompressobj(window)
        try:
            content = stream.decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(content) > limit:
            raise Unpackable(f"answered with more than {limit} bytes, once unpacked")
        if stream.eof:
            return content
        break
    if body.lstrip()[:1] in _BEGINS_JSON:
        return body  # the header says packed, and it is not
    raise Unpackable("answered with a packed body that cannot be unpacked")

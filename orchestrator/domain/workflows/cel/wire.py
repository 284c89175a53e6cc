"""Protocol Buffers' wire format, as far as a serialized expression needs it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5

Message = dict[int, list[int | bytes]]
"""The values of a message by the numbers of its fields."""


def message(raw: bytes) -> Message:
    """The fields of a message; what a field holds is for the caller to read."""
    found: Message = {}
    for number, value in _fields(raw):
        found.setdefault(number, []).append(value)
    return found


def inner(found: Message, number: int) -> bytes | None:
    """The last value of a field that holds text, bytes or a message."""
    values = found.get(number)
    return values[-1] if values and isinstance(values[-1], bytes) else None


def every(found: Message, number: int) -> list[bytes]:
    """All values of a repeated field that holds text, bytes or messages."""
    return [value for value in found.get(number, []) if isinstance(value, bytes)]


def text(found: Message, number: int) -> str:
    """A field that holds text."""
    return (inner(found, number) or b"").decode()


def number_at(found: Message, number: int) -> int:
    """A field that holds a whole number, as it is written: not negative."""
    values = found.get(number)
    return values[-1] if values and isinstance(values[-1], int) else 0


def signed(value: int) -> int:
    """A whole number of 64 bits that may be negative."""
    return value - (1 << 64) if value >= 1 << 63 else value


def double(value: bytes) -> float:
    """Eight bytes as a decimal number."""
    return float(struct.unpack("<d", value)[0])


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(raw):
        key, at = _varint(raw, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(raw, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            length, at = _varint(raw, at)
        else:
            length = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}[kind]
        yield key >> 3, raw[at : at + length]
        at += length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at

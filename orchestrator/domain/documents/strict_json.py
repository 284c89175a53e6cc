"""JSON as the standard means it: what a lenient parser would guess at is refused here.

No NaN, no doubled key, no number that would change, no broken Unicode, no bottomless nesting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import jiter
import orjson

from orchestrator.domain.documents.json_faults import (
    LARGEST_INTEGER,
    SMALLEST_INTEGER,
    Fault,
    first_fault,
    too_deep_at,
)
from orchestrator.domain.errors import InvalidJson, PayloadTooLarge

__all__ = [
    "LARGEST_INTEGER",
    "MOST_VALUES",
    "SMALLEST_INTEGER",
    "digest",
    "dumps",
    "loads",
    "part",
    "same_json",
]

MOST_VALUES = 1_000_000
"""Values in one document where its reader names no other bound. One costs 8 to 200 bytes."""


def loads(
    raw: bytes | str, *, max_depth: int = 64, most_values: int = MOST_VALUES, field: str = "body"
) -> object:
    """The value of a JSON document.

    Nothing is built of a document with too many values or levels. Raises PayloadTooLarge, and
    InvalidJson that says what is wrong, where, and what to send instead; `field` is how the error
    calls the document.
    """
    whole = raw if isinstance(raw, bytes) else _encode(raw, field)
    try:
        return _read(whole, max_depth, most_values, field)
    except Fault as fault:
        raise fault.told(whole, field) from None


def part(
    raw: bytes, start: int, end: int, *, max_depth: int, most_values: int, field: str = "body"
) -> object:
    """The value of the document in `raw[start:end]`, its faults placed in the whole of `raw`.

    Raises InvalidJson, PayloadTooLarge.
    """
    try:
        return _read(raw[start:end], max_depth, most_values, field)
    except Fault as fault:
        raise fault.moved(start).told(raw, field) from None


def dumps(value: object) -> str:
    """The JSON document of a value, compact, keys in the order given."""
    return orjson.dumps(value).decode()


def digest(value: object) -> str:
    """32 hex digits that are the same for the same content, whatever the order of its keys."""
    content = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def same_json(one: object, other: object) -> bool:
    """Whether two values are equal as JSON: 1 equals 1.0, and true does not equal 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return one == other


def _read(raw: bytes, max_depth: int, most_values: int, field: str) -> object:
    """Raises Fault, PayloadTooLarge."""
    containers = raw.count(b"[") + raw.count(b"{")
    # Both counts take strings for structure, so they are never too low; who is over is counted
    # again without its strings.
    if containers > max_depth or containers + raw.count(b",") >= most_values:
        _refuse_bulk(raw, max_depth, most_values, field)
    value = _round_trip(raw)
    return _parse(raw) if value is _NO_ROUND_TRIP else value


_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # as signed bytes: one down, one up
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[{]}"))
_WINDOW = 64 * 1024  # bytes; more at once would make as many small objects as there are strings


def _refuse_bulk(raw: bytes, max_depth: int, most_values: int, field: str) -> None:
    """Count without building. Raises Fault, PayloadTooLarge."""
    values = depth = deepest = 0
    for outside in _outside_strings(raw):
        for step in memoryview(outside.translate(_STEPS, _NOT_BRACKETS)).cast("b"):
            depth += step
            deepest = max(deepest, depth)
        if deepest > max_depth:
            if (at := too_deep_at(raw, max_depth)) is not None:
                raise Fault(f"it nests deeper than {max_depth} levels", at, "send flatter data")
            max_depth = len(raw)  # not well-formed, so its strings end elsewhere: the parser tells
        values += sum(map(outside.count, (b"[", b"{", b",")))
        if values >= most_values:
            raise PayloadTooLarge(
                f"it holds more than {most_values} values",
                field=field,
                fix="send fewer values, or raise the limit: see MESHLINE_MAX_VALUES",
            )


def _outside_strings(raw: bytes) -> Iterator[bytes]:
    """The text without its strings, a window at a time."""
    plain = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    inside = False
    for at in range(0, len(plain), _WINDOW):
        parts = plain[at : at + _WINDOW].split(b'"')
        yield b"".join(parts[inside::2])
        inside ^= len(parts) % 2 == 0


_NO_ROUND_TRIP = object()


def _round_trip(raw: bytes) -> object:
    """The value where writing it again gives the same bytes: then nothing was lost in reading.

    A doubled key, a rounded number or an Infinity does not survive that, so the strict reading,
    which is slower, is left to bodies that are not compact.
    """
    try:
        value = orjson.loads(raw)
        same = orjson.dumps(value) == raw
    except (ValueError, TypeError):
        return _NO_ROUND_TRIP
    return value if same else _NO_ROUND_TRIP


def _parse(raw: bytes) -> object:
    """The strict reading. Raises Fault."""
    try:
        value = jiter.from_json(
            raw, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="none"
        )
        written = orjson.dumps(value)  # refuses what is over 64 bits, which jiter lets through
    except (ValueError, TypeError):
        raise first_fault(raw) or Fault("it is not strict JSON", 0, _WELL_FORMED) from None
    # jiter reads 1e999 as infinity, and that is written as null. A null of the document is always
    # written as one too, so more of them than before are the only sign there can be.
    if written.count(b"null") > raw.count(b"null") and (fault := first_fault(raw)):
        raise fault
    return value


_WELL_FORMED = "send one well-formed JSON document"


def _encode(raw: str, field: str) -> bytes:
    try:
        return raw.encode()
    except UnicodeEncodeError as error:
        raise InvalidJson(
            f"character {error.start} is half of a surrogate pair",
            field=field,
            fix="send whole Unicode characters",
        ) from None

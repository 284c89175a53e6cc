"""An answer's body as text and as JSON, read as liberally as is safe.

It skips what a reader may skip: a byte order mark, white space, a charset that the header names,
the line that keeps browsers from running an answer. Bytes that are not text become U+FFFD, so that
one bad field does not hide the others; whoever needs such a field finds that sign in it.
"""

from __future__ import annotations

import codecs
import json
import re

import orjson

from connectors.http.wire.exchange import Answer
from orchestrator.domain.delivery.comparing import DAMAGED

_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_NOT_CHARSETS = frozenset(  # codecs of Python that fail on some bytes, or run what they read
    {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}
)
_UTF8 = frozenset({"utf-8", "ascii"})  # as Python's codecs call them
_MARKS = (  # the longer before those that they begin with
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SPACE = " \t\r\n\x00"
_GUARD = re.compile(r"\)\]\}',?\r?\n")
_HALVES = re.compile("[\ud800-\udfff]")
_MOST_DIGITS = 1_000  # of a number; a longer one is read as its text


def text_of(answer: Answer) -> str:
    """The body as text, as its byte order mark says, else its header, else as UTF-8."""
    for mark, codec in _MARKS:
        if answer.body.startswith(mark):
            return answer.body[len(mark) :].decode(codec, "replace")
    return answer.body.decode(_codec(answer), "replace").removeprefix("\ufeff")


def document_of(answer: Answer) -> object:
    """The JSON value of an answer. Raises ValueError where it is not JSON."""
    if _codec(answer) in _UTF8:
        try:
            return orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            pass  # nearly every answer is read by the line above
    text = text_of(answer).strip(_SPACE)
    guard = _GUARD.match(text)
    try:
        # Control characters in texts are taken, and of one name that comes twice the last.
        found = json.loads(text[guard.end() :] if guard else text, strict=False, parse_int=_integer)
        return _whole(found)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _codec(answer: Answer) -> str:
    """The codec that the header names; without a usable one, what the first bytes look like."""
    named = _CHARSET.search(answer.headers.get("Content-Type") or "")
    try:
        name = codecs.lookup(named[1]).name if named else ""
        if name in _NOT_CHARSETS:
            name = ""
        b"{\0\0\0".decode(name or "utf-8")  # Python has codecs that are not of text
    except (LookupError, UnicodeError):
        name = ""
    if name == "iso8859-1":
        return "cp1252"  # as browsers read it: servers say the one and write the other
    if name in ("utf-16", "utf-32"):
        name = ""  # which of two byte orders, the first bytes say
    return name or _looks_like(answer.body[:4])


def _looks_like(first: bytes) -> str:
    """JSON begins with ASCII, so zeros among its first bytes tell UTF-16 and UTF-32."""
    zeros = tuple(byte == 0 for byte in first)
    if zeros[:4] == (True, True, True, False):
        return "utf-32-be"
    if zeros[:4] == (False, True, True, True):
        return "utf-32-le"
    if zeros[:2] == (True, False):
        return "utf-16-be"
    return "utf-16-le" if zeros[:2] == (False, True) else "utf-8"


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MOST_DIGITS else digits


def _whole(value: object) -> object:
    """A value without halves of characters, which no other text could hold."""
    if isinstance(value, str):
        return _HALVES.sub(DAMAGED, value)
    if isinstance(value, dict):
        return {_HALVES.sub(DAMAGED, name): _whole(one) for name, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value

"""The first fault of a JSON document in words, and its place. Read only after a refusal.

The readers in C say that something is wrong; this says what, by walking over the words of the text.
It is linear, and it stops at the first fault.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from orchestrator.domain.errors import InvalidJson

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1
_LONGEST_INTEGER = 20  # characters of either

_INFINITIES = (float("inf"), float("-inf"))
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_WORD = re.compile(
    rb"(?P<string>" + _STRING + rb")(?P<key>[ \t\r\n]*:)?|[{}\[\]]|-?(?:Infinity|NaN)"
    rb"|-?\d++(?:\.\d++)?(?:[eE][+-]?\d++)?"
    rb'|".*+',  # a string that the syntax breaks off
    re.DOTALL,
)
_FLAT = rb'[^"\[\]{}]*+(?:' + _STRING + rb'[^"\[\]{}]*+)*+'
_RUN = re.compile(_FLAT, re.DOTALL)
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
_CONTINUATION = bytes(range(0x80, 0xC0))  # the bytes of a UTF-8 character after its first


class Fault(ValueError):
    """Raised when a document is not strict: what is wrong, at which byte, and what to send."""

    def __init__(self, problem: str, at: int, fix: str, *, by_byte: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.at = at
        self.fix = fix
        self.by_byte = by_byte  # what is not text has no lines either

    def moved(self, start: int) -> Fault:
        """The same fault in a document that begins `start` bytes earlier."""
        return Fault(self.problem, self.at + start, self.fix, by_byte=self.by_byte)

    def told(self, raw: bytes, field: str) -> InvalidJson:
        """The fault as an error, placed in `raw`."""
        detail = f"{self.problem} at {place(raw, self.at)}"
        if self.by_byte:
            detail = f"byte {self.at} {self.problem}"
        return InvalidJson(detail, field=field, fix=self.fix)


def place(raw: bytes, at: int) -> str:
    """Line and column of a byte; a column is a character."""
    line = raw.count(b"\n", 0, at) + 1
    begins = raw.rfind(b"\n", 0, at) + 1
    column = len(raw[begins:at].translate(None, _CONTINUATION)) + 1
    return f"line {line}, column {column}"


def too_deep_at(raw: bytes, max_depth: int) -> int | None:
    """Where arrays and objects begin to nest deeper than `max_depth`; None: they do not."""
    for at, depth in brackets(raw, 0, len(raw)):
        if depth > max_depth:
            return at
    return None


def brackets(raw: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Each bracket outside of strings from `start` on, with the depth that it leads to."""
    depth = 0
    while found := _RUN.match(raw, start, end):
        at = found.end()
        if at >= end or raw[at] == _QUOTE:
            return
        depth += 1 if raw[at] in b"[{" else -1
        yield at, depth
        start = at + 1


_QUOTE = ord('"')


def first_fault(raw: bytes) -> Fault | None:
    """The first place where a document is not strict JSON; None where it is."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        problem = f"(0x{raw[error.start]:02x}) is not UTF-8"
        return Fault(problem, error.start, "encode the document as UTF-8", by_byte=True)
    syntax = _syntax_fault(text)
    return _strictness_fault(raw, syntax.at if syntax else len(raw)) or syntax


def _syntax_fault(text: str) -> Fault | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        return Fault(problem, len(text[: error.pos].encode()), _syntax_fix(text, error))
    except (ValueError, RecursionError):  # an integer of thousands of digits; the walk finds it
        return None
    return None


def _syntax_fix(text: str, error: json.JSONDecodeError) -> str:
    if text.startswith("\ufeff"):
        return "send it without a byte order mark"
    if not text.strip():
        return "send a JSON document; this one is empty"
    if text[error.pos : error.pos + 1] == "'":
        return "write strings in double quotes"
    return "send one well-formed JSON document"


def _strictness_fault(raw: bytes, end: int) -> Fault | None:
    """The first fault that is none of syntax, before `end`, up to which the syntax is right."""
    keys_at: list[set[str]] = []  # of the objects that are open; an array has an empty set
    for match in _WORD.finditer(raw, 0, end):
        word = match["string"] or match.group()
        if word in (b"{", b"["):
            keys_at.append(set())
            continue
        if word in (b"}", b"]"):
            if keys_at:
                keys_at.pop()
            continue
        fault = _word_fault(word)
        if not fault and match["key"] and keys_at:
            fault = _doubled(json.loads(word), keys_at[-1])
        if fault:
            return Fault(fault[0], match.start(), fault[1])
    return None


def _word_fault(word: bytes) -> tuple[str, str] | None:
    """What is wrong with one word, and what to send instead."""
    if word.startswith(b'"'):
        return _surrogate_fault(word)
    if word.endswith((b"NaN", b"Infinity")):
        return f"{word.decode()} is not JSON", "send null, or leave the field out"
    return _number_fault(word.decode())


def _number_fault(word: str) -> tuple[str, str] | None:
    shown = word if len(word) <= 40 else f"{word[:37]}..."
    if word.lstrip("-").isdigit():
        if len(word) > _LONGEST_INTEGER or not SMALLEST_INTEGER <= int(word) <= LARGEST_INTEGER:
            return f"the integer {shown} does not fit into 64 bits", "send it as a string"
    elif float(word) in _INFINITIES:
        return f"the number {shown} does not fit into a double", "send it as a string"
    return None


def _surrogate_fault(word: bytes) -> tuple[str, str] | None:
    if b"\\u" not in word:
        return None
    for match in _ESCAPE.finditer(word):
        if lone := match["lone"]:
            return f"{lone.decode()} is half of a surrogate pair", "send whole Unicode characters"
    return None


def _doubled(key: str, keys: set[str]) -> tuple[str, str] | None:
    if key not in keys:
        keys.add(key)
        return None
    shown = key if len(key) <= 60 else f"{key[:57]}..."
    return f"the key {json.dumps(shown)} comes twice in one object", "send each key once"

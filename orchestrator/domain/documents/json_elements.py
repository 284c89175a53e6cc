"""The elements of a JSON array, found without building any of them.

A batch is read element by element: what is built at one time has the size of one trigger, and the
first fault ends the reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.domain.documents.json_faults import Fault
from orchestrator.domain.errors import PayloadTooLarge

_TEXT = rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+'
_LEAF = rb"[\[{]" + _TEXT + rb"[\]}]"  # an array or object that holds no other
_RUN = re.compile(_TEXT + rb"(?:" + _LEAF + _TEXT + rb")*+", re.DOTALL)
_PLAIN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[^\s,"\[\]{}]++', re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*+")
_FIX = "send one well-formed JSON document"


def is_array(raw: bytes) -> bool:
    """Whether a document begins as an array."""
    at = _after_blanks(raw, 0)
    return raw[at : at + 1] == b"["


def elements(raw: bytes, *, longest: int, max_depth: int) -> Iterator[tuple[int, int]]:
    """Start and end of each element of the array that `raw` is.

    An element that is not well-formed has an end all the same: its reader finds the fault. Raises
    Fault for what is wrong between elements, and for one that nests too deep; PayloadTooLarge for
    one of more than `longest` bytes.
    """
    at = _after_blanks(raw, _after_blanks(raw, 0) + 1)
    closed = raw[at : at + 1] == b"]"
    while not closed:
        end = _end_of(raw, at, longest, max_depth)
        yield at, end
        at = _after_blanks(raw, end)
        closed = raw[at : at + 1] == b"]"
        if not closed:
            if raw[at : at + 1] != b",":
                raise Fault("expecting ',' delimiter", at, _FIX)
            at = _after_blanks(raw, at + 1)
    at = _after_blanks(raw, at + 1)
    if at < len(raw):
        raise Fault("extra data", at, _FIX)


def _after_blanks(raw: bytes, at: int) -> int:
    found = _BLANK.match(raw, at)
    return found.end() if found else at


def _end_of(raw: bytes, start: int, longest: int, max_depth: int) -> int:
    last = min(len(raw), start + longest + 1)
    if raw[start : start + 1] == b'"' and not _PLAIN.match(raw, start, last):
        end = last
    elif raw[start : start + 1] not in (b"[", b"{"):
        found = _PLAIN.match(raw, start, last)
        if not found:
            raise Fault("expecting value", start, _FIX)
        end = found.end()
    else:
        end = _closing(raw, start, last, max_depth)
    if end == last < len(raw):
        raise PayloadTooLarge(
            f"a trigger is larger than {longest} bytes",
            field="body",
            fix="send less, or raise MESHLINE_MAX_BODY_BYTES",
        )
    return end


def _closing(raw: bytes, start: int, last: int, max_depth: int) -> int:
    """Behind the bracket that closes the one at `start`; `last` where there is none before it."""
    depth, at = 1, start + 1
    while depth and (found := _RUN.match(raw, at, last)):
        at = found.end()
        if at >= last or raw[at] == _QUOTE:  # a string that does not end
            return last
        depth += 1 if raw[at] in b"[{" else -1
        at += 1
        if depth > max_depth:
            raise Fault(f"it nests deeper than {max_depth} levels", at - 1, "send flatter data")
    return at


_QUOTE = ord('"')

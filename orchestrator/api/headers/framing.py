"""Where a request begins and ends: what could be read in two ways is refused (RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import h11

from orchestrator.api.problems import Problem

LARGEST_HEAD = 16 * 1024
"""Bytes of a request's line and headers, and of the line before a part of a chunked body."""

_MOST_PARTS, _SMALLEST_PART = 2_000, 128  # of one body; bytes of a part beyond them, on average

_CITED = re.compile(r":| bytearray| b?['\"]")

_CODES = {
    HTTPStatus.EXPECTATION_FAILED: "expectation_failed",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "head_too_large",
    HTTPStatus.NOT_IMPLEMENTED: "unknown_coding",
}


class StrictConnection(h11.Connection):
    """h11, with the rules that it leaves to others.

    It refuses a body in ever more and ever smaller parts too: each costs more than its bytes do.
    """

    def __init__(self, largest_head: int) -> None:
        super().__init__(h11.SERVER, largest_head)
        self._parts = self._bytes = 0
        self.fault = h11.RemoteProtocolError("the request is not HTTP")  # the last one

    def next_event(self) -> Any:
        """The next event. Raises RemoteProtocolError."""
        try:
            event = super().next_event()
            if isinstance(event, h11.Data):
                self._count(len(event.data))
            elif isinstance(event, h11.Request):
                self._parts = self._bytes = 0
                _check(event)
        except h11.RemoteProtocolError as error:
            self.fault = error
            raise
        return event

    def _count(self, size: int) -> None:
        self._parts += 1
        self._bytes += size
        if self._parts > _MOST_PARTS + self._bytes // _SMALLEST_PART:
            raise h11.RemoteProtocolError("the body comes in too many small parts")


def problem_with(fault: h11.RemoteProtocolError) -> Problem:
    """The answer to a request that is not read to its end; the connection is closed after it."""
    code = _CODES.get(HTTPStatus(fault.error_status_hint), "invalid_http")
    return Problem(
        code,
        f"the request is refused as HTTP: {_without_input(fault)}",
        headers={"connection": "close"},
        fix="send it as RFC 9112 has it, with one Content-Length or with chunked coding",
    )


def _without_input(fault: h11.RemoteProtocolError) -> str:
    """What is wrong, without what h11 cites of the request: that may be a part of a key."""
    return _CITED.split(str(fault), maxsplit=1)[0]


def _check(request: h11.Request) -> None:
    """Raises RemoteProtocolError."""
    fields = list(request.headers)  # h11 makes each of them anew, each time
    size = len(request.target) + sum([len(name) + len(value) for name, value in fields])
    if size > LARGEST_HEAD:  # h11 counts only what has not come whole
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        raise h11.RemoteProtocolError(f"the head is larger than {LARGEST_HEAD} bytes", status.value)
    names = {name for name, _ in fields}
    if len(names) < len(fields):
        _refuse_doubled([name for name, _ in fields])
    if b"transfer-encoding" in names:
        # Another server on the way may count the bytes by the other of the two (section 6.3).
        if b"content-length" in names:
            raise h11.RemoteProtocolError("Transfer-Encoding and Content-Length are both sent")
        if request.http_version < b"1.1":
            raise h11.RemoteProtocolError("HTTP/1.0 has no Transfer-Encoding")
    if b"expect" in names and request.http_version >= b"1.1":
        _check_expected(b",".join(value for name, value in fields if name == b"expect"))


def _refuse_doubled(names: Sequence[bytes]) -> None:
    """Raises RemoteProtocolError: which of the two counts differs from one reader to another."""
    for one in (b"content-type", b"authorization"):
        if names.count(one) > 1:
            raise h11.RemoteProtocolError(f"{one.decode()} comes twice")


def _check_expected(expected: bytes) -> None:
    """Raises RemoteProtocolError."""
    if {one.strip().lower() for one in expected.split(b",")} - {b"", b"100-continue"}:
        status = HTTPStatus.EXPECTATION_FAILED
        raise h11.RemoteProtocolError("it expects more than 100-continue", status.value)

"""Where a request ends is read in one way only; each case over a bare socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from orchestrator.api.app import ApiLimits
from orchestrator.settings import LOOPBACK, Settings
from orchestrator.store.database.engine import Store
from tests.api.doors import LEAD, RunningDoor, head, open_door, read_to_end

BODY = json.dumps({"type": "lead.created", "data": LEAD}).encode()
LENGTH = f"content-length: {len(BODY)}"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@contextmanager
def connected(door: RunningDoor) -> Iterator[socket.socket]:
    with socket.create_connection((LOOPBACK, door.port), timeout=20) as sender:
        yield sender


def answer(door: RunningDoor, *parts: bytes) -> bytes:
    """All that is answered until the door closes."""
    with connected(door) as sender:
        # At once: what came behind a refusal would reset the connection, and the answer with it.
        sender.sendall(b"".join(parts))
        return read_to_end(sender)


def refused(found: bytes, status: int, code: str) -> None:
    """One answer, which is a problem document, and a closed connection."""
    top, _, body = found.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 %d " % status), found
    assert b"connection: close" in top.lower()
    assert b"application/problem+json" in top
    document = json.loads(body)
    assert (document["status"], document["code"]) == (status, code)


@pytest.mark.parametrize("first", ["content-length", "transfer-encoding"])
def test_two_ways_to_count_the_body_are_refused(door: RunningDoor, first: str) -> None:
    headers = [LENGTH, "transfer-encoding: chunked"]
    if first != "content-length":
        headers.reverse()
    smuggled = b"GET /healthz HTTP/1.1\r\nhost: door\r\n\r\n"

    refused(answer(door, head(door, *headers), CHUNKED + smuggled), 400, "invalid_http")

    assert door.metric('meshline_door_refused_total{code="invalid_http"}') == 1


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        (("content-length: 5", "content-length: 6"), 400, "invalid_http"),
        (("content-length: 5, 6",), 400, "invalid_http"),
        (("content-length: +5",), 400, "invalid_http"),
        (("content-length: 0x5",), 400, "invalid_http"),
        (("content-length: -1",), 400, "invalid_http"),
        (("content-length: 5 5",), 400, "invalid_http"),
        (("content-length:",), 400, "invalid_http"),
        (("content-length: " + "9" * 30,), 400, "invalid_http"),
        (("transfer-encoding: gzip, chunked",), 501, "unknown_coding"),
        (("transfer-encoding: identity",), 501, "unknown_coding"),
        (("transfer-encoding: chunked", "transfer-encoding: chunked"), 501, "unknown_coding"),
        (("transfer-encoding : chunked",), 400, "invalid_http"),
        (("host: other",), 400, "invalid_http"),
        (("expect: 200-ok", LENGTH), 417, "expectation_failed"),
        (("x: " + "y" * 20_000,), 431, "head_too_large"),
    ],
)
def test_a_head_that_says_something_else_is_refused(
    door: RunningDoor, headers: tuple[str, ...], status: int, code: str
) -> None:
    refused(answer(door, head(door, *headers)), status, code)


def test_a_refusal_does_not_repeat_what_came(door: RunningDoor) -> None:
    for line in ("authoriza\\tion: Bearer mk_secret", "authorizati\xaeon: Bearer mk_secret"):
        found = answer(door, head(door, line))

        refused(found, 400, "invalid_http")
        assert b"mk_secret" not in found


def test_a_head_that_is_too_large_is_refused_without_a_body_where_only_the_head_is_asked(
    door: RunningDoor, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    found = answer(door, b"HEAD /%s HTTP/1.1\r\nhost: door\r\n\r\n" % (b"a" * 17_000))

    top, _, body = found.partition(b"\r\n\r\n")
    assert (top.split(b" ")[1], body) == (b"431", b"")
    assert "Fatal error" not in capfd.readouterr().err + caplog.text


def test_http_1_0_has_no_chunked_coding(door: RunningDoor) -> None:
    old = head(door, "transfer-encoding: chunked").replace(b"HTTP/1.1", b"HTTP/1.0")

    refused(answer(door, old, CHUNKED), 400, "invalid_http")


def test_a_length_that_is_said_twice_alike_is_one(door: RunningDoor) -> None:
    for headers in ((LENGTH, LENGTH), (f"{LENGTH}, {len(BODY)}",)):
        found = answer(door, head(door, *headers, "connection: close"), BODY)
        assert found.startswith(b"HTTP/1.1 202 ")


def test_a_chunked_body_is_read(door: RunningDoor) -> None:
    chunked = head(door, "transfer-encoding: Chunked", "connection: close")

    assert answer(door, chunked, CHUNKED).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize(
    ("chunks", "status", "code"),
    [
        (b"zz\r\n", 400, "invalid_http"),
        (b"-1\r\n", 400, "invalid_http"),
        (b"f" * 21 + b"\r\n", 400, "invalid_http"),
        (b"1\r\nxx\r\n", 400, "invalid_http"),
        (b"1;" + b"x" * 20_000, 431, "head_too_large"),
        (b"0\r\nx: " + b"y" * 20_000, 431, "head_too_large"),
    ],
    ids=["no-number", "negative", "long-number", "longer-than-said", "extension", "trailer"],
)
def test_chunks_that_are_wrong_or_endless_are_refused(
    door: RunningDoor, chunks: bytes, status: int, code: str
) -> None:
    refused(answer(door, head(door, "transfer-encoding: chunked"), chunks), status, code)


def test_a_chunk_that_claims_to_be_huge_is_refused_as_it_comes(leads: Store) -> None:
    with open_door(leads, Settings(max_body_bytes=1_000)) as door:
        found = answer(
            door, head(door, "transfer-encoding: chunked"), b"fffffffffffffff\r\n" + b"x" * 5_000
        )

    assert found.startswith(b"HTTP/1.1 413 ")


def test_who_waits_for_100_continue_is_asked_for_the_body(door: RunningDoor) -> None:
    with connected(door) as sender:
        sender.sendall(head(door, LENGTH, "expect: 100-Continue", "connection: close"))
        assert sender.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sender.sendall(BODY)
        assert read_to_end(sender).startswith(b"HTTP/1.1 202 ")


def test_who_waits_for_100_continue_hears_of_a_refusal_without_sending(
    door: RunningDoor,
) -> None:
    found = answer(door, head(door, "content-length: 99999999", "expect: 100-continue"))
    assert found.startswith(b"HTTP/1.1 413 ")
    assert b"HTTP/1.1 100" not in found

    stranger = head(door, LENGTH, "expect: 100-continue").replace(door.key.encode(), b"wrong")
    found = answer(door, stranger)
    assert found.startswith(b"HTTP/1.1 401 ")
    assert b"HTTP/1.1 100" not in found


def test_http_1_0_is_not_asked_to_continue(door: RunningDoor) -> None:
    old = head(door, LENGTH, "expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0")

    assert answer(door, old, BODY).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize("coding", [LENGTH, "transfer-encoding: chunked"])
def test_a_body_that_stops_is_given_up(leads: Store, coding: str) -> None:
    with open_door(leads, limits=ApiLimits(body_seconds=0.2)) as door:
        found = answer(door, head(door, coding), b"1\r\n{\r\n")

    assert found.startswith(b"HTTP/1.1 408 ")

"""Bodies may come compressed, and cost no more than those that come as they are."""

from __future__ import annotations

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from random import Random

import pytest

from orchestrator.api.headers.packed import FREE_BYTES, MOST_MEMBERS, MOST_TIMES, Unpacking
from orchestrator.api.problems import PackedWrong
from orchestrator.domain.errors import PayloadTooLarge
from orchestrator.settings import LOOPBACK, Settings
from orchestrator.store.database.engine import Store
from tests.api.doors import LEAD, RunningDoor, head, open_door, problem, read_to_end

PLAIN = json.dumps({"type": "lead.created", "data": LEAD}).encode()
BATCH = "application/vnd.meshline.batch+json"


@pytest.fixture
def small(leads: Store) -> Iterator[RunningDoor]:
    with open_door(leads, Settings(max_body_bytes=1_000, max_batch_bytes=5_000)) as opened:
        yield opened


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "GZIP", "identity, gzip"])
def test_a_compressed_trigger_is_the_trigger(door: RunningDoor, coding: str) -> None:
    first = door.post_raw(PLAIN, idempotency_key="a")
    packed = door.post_raw(gzip.compress(PLAIN), idempotency_key="a", content_encoding=coding)

    assert packed.json() == {"id": first.json()["id"], "duplicate": True}


def test_a_compressed_batch_may_come_in_parts_and_members(door: RunningDoor) -> None:
    items = [{"type": "lead.created", "data": LEAD, "idempotency_key": str(n)} for n in range(300)]
    text = json.dumps(items).encode()
    packed = gzip.compress(text[:9_000]) + gzip.compress(text[9_000:])

    def parts() -> Iterator[bytes]:
        yield from (packed[at : at + 700] for at in range(0, len(packed), 700))

    answer = door.post_raw(parts(), content_type=BATCH, content_encoding="gzip")

    assert len(answer.json()["events"]) == 300


@pytest.mark.parametrize("coding", ["deflate", "br", "gzip, gzip", "zstd", "x" * 300])
def test_another_coding_is_refused_with_the_one_that_is_read(
    door: RunningDoor, coding: str
) -> None:
    answer = door.post_raw(PLAIN, content_encoding=coding)

    assert problem(answer, 415, "unsupported_content")["field"] == "Content-Encoding"
    assert answer.headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        PLAIN,
        zlib.compress(PLAIN),
        gzip.compress(PLAIN)[:-1],
        gzip.compress(PLAIN)[:20],
        gzip.compress(PLAIN) + b"more",
        gzip.compress(PLAIN)[:-8] + b"\0" * 8,
    ],
    ids=["empty", "plain", "zlib", "cut", "cut-early", "more", "checksum"],
)
def test_what_is_not_whole_gzip_is_refused(door: RunningDoor, body: bytes) -> None:
    answer = door.post_raw(body, content_encoding="gzip")

    assert problem(answer, 400, "invalid_encoding")["field"] == "Content-Encoding"


def test_the_expanded_size_has_the_limit_of_a_body(small: RunningDoor) -> None:
    frame = len(b'{"type":"lead.gone","data":""}')

    def sent(size: int) -> bytes:
        return gzip.compress(b'{"type":"lead.gone","data":"%s"}' % (b"x" * (size - frame)))

    fits = small.post_raw(sent(1_000), content_encoding="gzip")
    problem(fits, 422, "unknown_trigger")
    problem(small.post_raw(sent(1_001), content_encoding="gzip"), 413, "payload_too_large")


def test_the_compressed_size_has_the_limit_too(small: RunningDoor) -> None:
    noise = Random(1).randbytes(3_000)  # which does not get smaller

    def parts() -> Iterator[bytes]:
        yield from (gzip.compress(b"") * 60 for _ in range(30))

    problem(small.post_raw(gzip.compress(noise), content_encoding="gzip"), 413, "payload_too_large")
    problem(small.post_raw(parts(), content_encoding="gzip"), 413, "payload_too_large")


def test_a_bomb_is_refused_before_it_is_expanded(door: RunningDoor) -> None:
    bomb = gzip.compress(b" " * 15_000_000)
    assert len(bomb) < 20_000

    answer = door.post_raw(bomb, content_type=BATCH, content_encoding="gzip")

    document = problem(answer, 413, "payload_too_large")
    assert f"{MOST_TIMES} times" in document["detail"]
    assert door.emit().status_code == 202


def test_a_bomb_is_given_up_soon_after_the_free_bytes() -> None:
    pieces = Unpacking().expand(gzip.compress(b"\0" * 50_000_000)[:10_000])
    sizes: list[int] = []

    with pytest.raises(PayloadTooLarge):
        sizes.extend(map(len, pieces))

    assert sum(sizes) <= FREE_BYTES


def test_members_are_counted() -> None:
    unpacking = Unpacking()
    with pytest.raises(PackedWrong, match="members"):
        list(unpacking.expand(gzip.compress(b"") * (MOST_MEMBERS + 1)))


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 700_001])
def test_every_byte_comes_out_whatever_the_parts_are(size: int) -> None:
    text = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    packed = gzip.compress(text)
    for step in (1, 13, len(packed)):
        unpacking, found = Unpacking(), bytearray()
        for at in range(0, len(packed), step):
            for piece in unpacking.expand(packed[at : at + step]):
                found += piece
        unpacking.end()
        assert found == text


def test_an_announced_length_is_of_the_compressed_body(small: RunningDoor) -> None:
    with socket.create_connection((LOOPBACK, small.port)) as sender:
        sender.sendall(head(small, "content-encoding: gzip", "content-length: 1001"))
        assert b" 413 " in read_to_end(sender)[:20]

"""Messages on a real broker's list, for a real worker."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from redis import Redis

from tests.fuzz.bounds import WALL_SECONDS, Finding, Kind
from tests.fuzz.messages import message
from tests.fuzz.system import FuzzedSystem

_LIST, _UNACKED = "meshline:meshline", "meshline:unacked_index"


def push(system: FuzzedSystem, numbers: Sequence[int], seed: int) -> list[Finding]:
    """Put the messages of `numbers` on the list, and wait until the worker is done with them."""
    items = [message(random.Random(f"{seed}:queue:{number}")) for number in numbers]
    with Redis.from_url(system.system.broker.url) as client:
        client.lpush(_LIST, *items)
        end, lying = time.monotonic() + WALL_SECONDS, -1
        while left := int(client.llen(_LIST)) + int(client.zcard(_UNACKED)):
            if left != lying:
                end, lying = time.monotonic() + WALL_SECONDS, left
            if time.monotonic() > end:
                return [_stuck(client, left, numbers[0], items)]
            time.sleep(0.02)
    return []


def _stuck(client: Redis, left: int, number: int, items: list[bytes]) -> Finding:
    detail = f"{left} messages lie there and none was taken in {WALL_SECONDS:g} s"
    client.delete(_LIST, _UNACKED, "meshline:unacked")
    raw = b"\n".join(items)
    return Finding(kind=Kind.SLOW, surface="queue", number=number, detail=detail, raw=raw)
